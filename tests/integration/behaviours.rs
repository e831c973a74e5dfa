//! Checks `host/docs/behaviours.md`. Its tables list behaviours, and the tests that show each behaviour.
//!
//! The tables select the tests that run a second time, with workers in processes. A misspelt test name would silently
//! remove the test from the second run. A dead link would promise a behaviour that no test shows.
//!
//! ```text
//! behaviours.md ─▶ rows ─┬▶ ids, claims
//!                        ├▶ names of tests  ◀─ `--list` of this binary
//!                        └▶ targets of links ◀─ the other documents
//! ```
//!
//! Each check is a function over text that returns the problems it finds. The tests at the end of this file show that
//! each check reports its problem.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use crate::examples::checkout;

const DOCUMENT: &str = "host/docs/behaviours.md";

/// The first line of each table.
const HEADER: &str = "| id | behaviour | threads | processes | cluster |";
/// The second line of each table.
const RULE: &str = "|---|---|---|---|---|";

/// A cell that claims nothing.
const UNCLAIMED: &str = "–";
/// The most tests that a cell may name.
const MAX_TESTS: usize = 4;

/// Folders that builds create.
const BUILT: [&str; 3] = ["build", "node_modules", "target"];

/// A row of a table.
struct Row<'a> {
    anchor: &'a str,
    id: &'a str,
    /// The cells under *threads*, *processes* and *cluster*.
    claims: [&'a str; 3],
}

impl<'a> Row<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let cells: Vec<_> = line.strip_prefix("| ")?.strip_suffix(" |")?.split(" | ").collect();
        let [name, behaviour, threads, processes, cluster] = cells[..] else { return None };
        let name = name.strip_prefix("<a id=\"")?.strip_suffix('`')?;
        let (anchor, id) = name.split_once("\"></a>`")?;
        let claims = [threads, processes, cluster];
        (!behaviour.is_empty()).then_some(Self { anchor, id, claims })
    }
}

/// Parses the tables of a document. Returns their rows, and the lines that are not rows.
fn rows(document: &str) -> (Vec<Row<'_>>, Vec<&str>) {
    let all: Vec<_> = document.lines().collect();
    let (mut rows, mut others) = (Vec::new(), Vec::new());
    for table in all.split(|line| !line.starts_with('|')).filter(|table| !table.is_empty()) {
        let [HEADER, RULE, body @ ..] = table else {
            others.push(table[0]);
            continue;
        };
        for &line in body {
            match Row::parse(line) {
                Some(row) => rows.push(row),
                None => others.push(line),
            }
        }
    }
    (rows, others)
}

/// Returns the tests that a cell names; `None` if the cell is neither `–` nor a list of tests.
fn tests_of(cell: &str) -> Option<Vec<&str>> {
    if cell == UNCLAIMED {
        return Some(Vec::new());
    }
    let is_name = |name: &&str| !name.is_empty() && !name.contains('`');
    cell.split(", ").map(|name| name.strip_prefix('`')?.strip_suffix('`').filter(is_name)).collect()
}

/// Finds lines that are not rows, and ids that are malformed, repeated or different from their anchor.
fn bad_ids(document: &str) -> Vec<String> {
    let (rows, others) = rows(document);
    let others = others.iter().map(|line| format!("neither a row nor the top of a table: {line}"));
    let (mut problems, mut seen) = (others.collect::<Vec<_>>(), BTreeSet::new());
    for Row { anchor, id, .. } in rows {
        if !is_id(id) {
            problems.push(format!("`{id}`: an id is lower-case words joined by `-`"));
        }
        if anchor != id {
            problems.push(format!("`{id}`: its anchor is `{anchor}`"));
        }
        if !seen.insert(id) {
            problems.push(format!("`{id}`: two rows have this id"));
        }
    }
    problems
}

fn is_id(text: &str) -> bool {
    let is_word =
        |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
    text.split('-').all(is_word)
}

/// Finds rows that claim nothing, and cells that name no test or too many.
fn bad_claims(document: &str) -> Vec<String> {
    let mut problems = Vec::new();
    for Row { id, claims, .. } in rows(document).0 {
        if claims == [UNCLAIMED; 3] {
            problems.push(format!("`{id}`: the row claims nothing"));
        }
        for cell in claims {
            match tests_of(cell).map(|tests| tests.len()) {
                Some(0..=MAX_TESTS) => {}
                Some(count) => problems
                    .push(format!("`{id}`: a cell names {count} tests, and may name {MAX_TESTS}")),
                None => problems.push(format!("`{id}`: a cell is neither `–` nor tests: {cell}")),
            }
        }
    }
    problems
}

/// Finds names of tests that are not in the list that a test binary prints.
fn missing_tests(document: &str, listed: &str) -> Vec<String> {
    let tests: BTreeSet<_> =
        listed.lines().filter_map(|line| line.strip_suffix(": test")).collect();
    let mut problems = Vec::new();
    for Row { id, claims, .. } in rows(document).0 {
        for test in claims.into_iter().filter_map(tests_of).flatten() {
            if !tests.contains(test) {
                problems.push(format!("`{id}`: there is no test `{test}`"));
            }
        }
    }
    problems
}

/// Finds links of a text to rows that the document does not have.
fn dead_links(text: &str, document: &str) -> Vec<String> {
    let ids: BTreeSet<_> = rows(document).0.iter().map(|row| row.id).collect();
    let ends =
        |character: char| !character.is_alphanumeric() && character != '-' && character != '_';
    let targets = text.split("behaviours.md#").skip(1);
    let targets = targets.map(|rest| rest.split(ends).next().unwrap_or_default());
    let dead = targets.filter(|id| !ids.contains(id));
    dead.map(|id| format!("no behaviour is called `{id}`")).collect()
}

fn document() -> String {
    fs::read_to_string(checkout().join(DOCUMENT)).unwrap()
}

/// Lists the documents that may link to a row.
fn documents() -> Vec<PathBuf> {
    let root = checkout();
    let mut documents = vec![root.join("README.md"), root.join("host/benches/README.md")];
    documents.extend(markdown(&root.join("host/docs")));
    documents.extend(markdown(&root.join(".github")));
    let sdks = markdown(&root.join("plugin-sdk"));
    documents.extend(sdks.into_iter().filter(|path| path.ends_with("README.md")));
    documents
}

/// Lists the Markdown files below a directory, except files that a build creates.
fn markdown(folder: &Path) -> Vec<PathBuf> {
    // A checkout may lack `.github`, and a build may remove a directory meanwhile.
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut found = Vec::new();
    for entry in entries.map(Result::unwrap) {
        let path = entry.path();
        if entry.file_type().unwrap().is_dir() {
            if !BUILT.iter().any(|name| path.ends_with(name)) {
                found.extend(markdown(&path));
            }
        } else if path.extension().is_some_and(|extension| extension == "md") {
            found.push(path);
        }
    }
    found
}

#[track_caller]
fn assert_none(problems: &[String]) {
    assert!(problems.is_empty(), "problems with `{DOCUMENT}`:\n{}", problems.join("\n"));
}

#[test]
fn each_row_has_a_unique_id_and_a_claim() {
    let document = document();
    let count = rows(&document).0.len();
    assert!(count > 40, "there are only {count} rows");
    assert_none(&[bad_ids(&document), bad_claims(&document)].concat());
}

#[test]
fn each_test_that_a_row_names_exists() {
    let mut list = Command::new(env::current_exe().unwrap());
    let listed = list.args(["--list", "--format", "terse"]).output().unwrap();
    assert!(listed.status.success(), "{listed:?}");
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert_none(&missing_tests(&document(), &listed));
}

#[test]
fn each_link_to_a_row_resolves() {
    let (table, documents) = (document(), documents());
    assert!(documents.contains(&checkout().join(DOCUMENT)), "{documents:?}");
    let mut problems = Vec::new();
    for path in documents {
        let dead = dead_links(&fs::read_to_string(&path).unwrap(), &table);
        problems.extend(dead.iter().map(|problem| format!("{}: {problem}", path.display())));
    }
    assert_none(&problems);
}

fn row(anchor: &str, id: &str, [threads, processes, cluster]: [&str; 3]) -> String {
    format!("| <a id=\"{anchor}\"></a>`{id}` | It works. | {threads} | {processes} | {cluster} |\n")
}

fn table(rows: &str) -> String {
    format!("{HEADER}\n{RULE}\n{rows}\nText.\n")
}

/// Returns a good row that claims a test on threads.
fn good_row() -> String {
    row("a-row", "a-row", ["`a::b`", UNCLAIMED, UNCLAIMED])
}

#[test]
fn a_malformed_or_duplicate_id_is_reported() {
    #[rustfmt::skip]
    let cases = [
        // anchor    id        problem
        ("other",    "other",  ""),
        ("a-row",    "a-row",  "`a-row`: two rows have this id"),
        ("others",   "other",  "`other`: its anchor is `others`"),
        ("Other",    "Other",  "`Other`: an id is lower-case words joined by `-`"),
        ("an other", "an other", "`an other`: an id is lower-case words joined by `-`"),
        ("an--other", "an--other", "`an--other`: an id is lower-case words joined by `-`"),
        ("other-",   "other-", "`other-`: an id is lower-case words joined by `-`"),
        ("",         "",       "``: an id is lower-case words joined by `-`"),
    ];
    for (anchor, id, problem) in cases {
        let rows = good_row() + &row(anchor, id, ["`a::b`", UNCLAIMED, UNCLAIMED]);
        assert_eq!(bad_ids(&table(&rows)).join("\n"), problem, "{id}");
    }
}

#[test]
fn an_invalid_table_line_is_reported() {
    #[rustfmt::skip]
    let cases = [
        "| `a-row` | It works. | `a::b` | – | – |",
        "| <a id=\"a-row\"></a>a-row | It works. | `a::b` | – | – |",
        "| <a id=\"a-row\"></a>`a-row` |  | `a::b` | – | – |",
        "| <a id=\"a-row\"></a>`a-row` | It works. | `a::b` | – |",
        "|<a id=\"a-row\"></a>`a-row`|It works.|`a::b`|–|–|",
    ];
    for line in cases {
        let problem = format!("neither a row nor the top of a table: {line}");
        assert_eq!(bad_ids(&table(line)), [problem]);
    }
    let other = format!("| id | behaviour | tests |\n{RULE}\n{}", good_row());
    let problem = "neither a row nor the top of a table: | id | behaviour | tests |";
    assert_eq!(bad_ids(&format!("{}{other}", table(&good_row()))), [problem]);
}

#[test]
fn a_row_without_claims_or_tests_is_reported() {
    let cell = "`a-row`: a cell is neither `–` nor tests: ";
    #[rustfmt::skip]
    let cases = [
        // threads, processes and cluster                    problem
        (["`a::b`", "`a::b`, `a::c`", "–"],                  String::new()),
        (["–", "–", "`a::b`"],                               String::new()),
        (["`a`, `b`, `c`, `d`", "–", "–"],                   String::new()),
        (["–", "–", "–"],                                    "`a-row`: the row claims nothing".into()),
        (["", "–", "–"],                                     cell.into()),
        (["``", "–", "–"],                                   format!("{cell}``")),
        (["`a::b`", "a::b", "–"],                            format!("{cell}a::b")),
        (["`a::b`", "–", "`a::b` `a::c`"],                   format!("{cell}`a::b` `a::c`")),
        (["–, `a::b`", "–", "–"],                            format!("{cell}–, `a::b`")),
        (["–", "`a`, `b`, `c`, `d`, `e`", "–"],
         "`a-row`: a cell names 5 tests, and may name 4".into()),
    ];
    for (claims, problem) in cases {
        let document = table(&row("a-row", "a-row", claims));
        assert_eq!(bad_ids(&document), [""; 0], "{claims:?}");
        assert_eq!(bad_claims(&document).join("\n"), problem, "{claims:?}");
    }
}

#[test]
fn a_missing_test_is_reported() {
    let listed = "a::b: test\na::b::c: test\nd: benchmark\n";
    let missing = |test: &str| format!("`a-row`: there is no test `{test}`");
    #[rustfmt::skip]
    let cases = [
        // threads, processes and cluster    problem
        (["`a::b`", "`a::b::c`", "–"],       String::new()),
        (["`a::c`", "–", "–"],               missing("a::c")),
        (["`a::b`", "`a::b`, `b`", "–"],     missing("b")),
        (["–", "–", "`a::b::`"],             missing("a::b::")),
        (["`d`", "–", "–"],                  missing("d")),
    ];
    for (claims, problem) in cases {
        let document = table(&row("a-row", "a-row", claims));
        assert_eq!(missing_tests(&document, listed).join("\n"), problem, "{claims:?}");
    }
}

#[test]
fn a_dead_link_to_a_row_is_reported() {
    #[rustfmt::skip]
    let cases = [
        // text                                                problem
        ("See [it](behaviours.md).",                           ""),
        ("See [it](behaviours.md#a-row).",                     ""),
        ("See [it](../../host/docs/behaviours.md#a-row), too", ""),
        ("See [it](behaviours.md#another-row).",               "no behaviour is called `another-row`"),
        ("See [it](behaviours.md#a-row-too).",                 "no behaviour is called `a-row-too`"),
        ("(behaviours.md#a-row) (x/behaviours.md#A-row)",      "no behaviour is called `A-row`"),
        ("See [it](behaviours.md#).",                          "no behaviour is called ``"),
    ];
    for (text, problem) in cases {
        assert_eq!(dead_links(text, &table(&good_row())).join("\n"), problem, "{text}");
    }
}
