//! Checks the layers in host/docs/architecture.md: a module imports only from modules in lower rows.
//!
//! The diagram in the document is the table of layers. The test compares the diagram with the `use` lines and the paths
//! in the code. Tests may import from anywhere.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::root;

/// The library's crates: the directory of each crate's sources, and the name that other crates use.
const LIBRARY: [(&str, &str); 3] =
    [("host/jail/src", "mtl_jail"), ("host/stream/src", "mtl_stream"), ("host/src", "mtl_host")];

#[test]
fn library_imports_never_go_up_a_layer() {
    let layers = Layers::read_diagram("layers");
    let crates: BTreeMap<_, _> = LIBRARY.map(|(sources, name)| (name, modules_in(sources))).into();
    let mut wrong = layers.unknown(crates.values().flatten());
    for (sources, own) in LIBRARY {
        for path in files(&root().join(sources)) {
            let file = File::read(&path, &root().join(sources));
            for import in file.imports() {
                let [head, rest @ ..] = &import.path[..] else { continue };
                let target = match head.as_str() {
                    // The jail is a crate of its own, and one module in the diagram.
                    "mtl_jail" => "jail",
                    name if crates.contains_key(name) || name == own => {
                        rest.first().map_or("", String::as_str)
                    }
                    "crate" => rest.first().map_or("", String::as_str),
                    _ => continue,
                };
                let from = if own == "mtl_jail" { "jail" } else { file.module() };
                let target = if own == "mtl_jail" && head == "crate" { "jail" } else { target };
                wrong.extend(layers.check_import(&file, from, target, &import));
            }
        }
    }
    assert!(wrong.is_empty(), "imports that go up:\n{}", wrong.join("\n"));
}

#[test]
fn command_imports_never_go_up_a_layer() {
    let layers = Layers::read_diagram("command-layers");
    let sources = "host/cli/src";
    let mut wrong = layers.unknown(&modules_in(sources));
    for path in files(&root().join(sources)) {
        let file = File::read(&path, &root().join(sources));
        for import in file.imports() {
            if let [head, target, ..] = &import.path[..]
                && head == "crate"
            {
                wrong.extend(layers.check_import(&file, file.module(), target, &import));
            }
        }
    }
    assert!(wrong.is_empty(), "imports that go up:\n{}", wrong.join("\n"));
}

/// The rows of a diagram.
struct Layers {
    diagram: &'static str,
    /// The row of each module; the lowest row is 0.
    rows: BTreeMap<String, usize>,
}

impl Layers {
    /// Reads the diagram `diagram`, a code block of this name in the document. The first line of the block is the
    /// highest row. In each line, the names of modules are before the first `│`.
    fn read_diagram(diagram: &'static str) -> Self {
        let text = fs::read_to_string(root().join("host/docs/architecture.md")).unwrap();
        let begin = format!("```text {diagram}\n");
        let (_, block) = text.split_once(&begin).expect("the document has the diagram");
        let (block, _) = block.split_once("```").unwrap();
        let mut rows = BTreeMap::new();
        for (row, line) in (0..).zip(block.lines().rev()) {
            let names = line.split('│').next().unwrap_or_default();
            rows.extend(names.split_whitespace().map(|name| (name.to_owned(), row)));
        }
        assert!(rows.len() > 10, "{diagram} has rows: {rows:?}");
        Self { diagram, rows }
    }

    /// Lists the modules without a row, and the rows without a module.
    fn unknown<'a>(&self, modules: impl IntoIterator<Item = &'a String>) -> Vec<String> {
        let mut modules: Vec<_> = modules.into_iter().map(String::as_str).collect();
        // The jail's own modules have no layers.
        modules.push("jail");
        let missing = modules.iter().filter(|module| !self.rows.contains_key(**module));
        let mut wrong: Vec<_> =
            missing.map(|module| format!("`{module}` has no row in `{}`", self.diagram)).collect();
        if self.diagram == "layers" {
            let extra = self.rows.keys().filter(|name| !modules.contains(&name.as_str()));
            wrong.extend(extra.map(|name| format!("`{name}` has a row and no file")));
        } else {
            wrong.retain(|line| !line.starts_with("`jail`"));
        }
        wrong
    }

    /// Describes what is wrong with an import, if anything is.
    fn check_import(
        &self,
        file: &File,
        from: &str,
        target: &str,
        import: &Import,
    ) -> Option<String> {
        if from == target {
            return None;
        }
        // A target without a row is a name that the crate's root exports, from any row.
        let (Some(from_row), row) = (self.rows.get(from), self.rows.get(target)) else {
            return None;
        };
        let is_down = row.is_some_and(|row| row < from_row);
        (!is_down).then(|| {
            let (relative_path, line) = (file.relative_path(), import.line);
            let path = import.path.join("::");
            let why = match row {
                Some(_) => format!("`{target}` is not below `{from}`"),
                None => format!("`{target}` is a name of the root: import it from its module"),
            };
            format!("{relative_path}:{line}: `{path}`: {why}")
        })
    }
}

/// Returns the modules at the root of a crate.
fn modules_in(sources: &str) -> Vec<String> {
    let root = fs::read_to_string(root().join(sources).join("lib.rs")).unwrap();
    let lines = code_of(&root).lines().map(str::trim_start);
    let names = lines.filter_map(|line| {
        let line = line.strip_prefix("pub ").unwrap_or(line);
        let line = line.strip_prefix("pub(crate) ").unwrap_or(line);
        line.strip_prefix("mod ")?.strip_suffix(';')
    });
    let is_whole = |name: &&str| !["test_timeout", "tests"].contains(name);
    let is_jail = sources == "host/jail/src";
    names.filter(|name| is_whole(name) && !is_jail).map(str::to_owned).collect()
}

/// Returns the source files below a directory, except tests.
fn files(folder: &Path) -> Vec<PathBuf> {
    const TEST_FILES: [&str; 3] = ["tests", "tests.rs", "in_jail.rs"];
    let mut paths: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| !TEST_FILES.iter().any(|name| path.ends_with(name)));
    paths.sort();
    let files = paths.into_iter().flat_map(|path| match path.is_dir() {
        true => files(&path),
        false => vec![path],
    });
    files.filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect()
}

/// Returns a file's code without the tests at its end.
fn code_of(text: &str) -> &str {
    text.split("mod tests {").next().unwrap_or(text)
}

/// A source file.
struct File {
    path: PathBuf,
    /// The path of the file's module, from the root of the crate.
    modules: Vec<String>,
    text: String,
}

/// A path in a source file, from the root of a crate.
struct Import {
    line: usize,
    path: Vec<String>,
}

impl File {
    fn read(path: &Path, sources: &Path) -> Self {
        let inside = path.strip_prefix(sources).unwrap().with_extension("");
        let parts = inside.iter().map(|part| part.to_str().unwrap().to_owned());
        let modules = parts.filter(|part| part != "lib" && part != "main").collect();
        Self { path: path.to_owned(), modules, text: fs::read_to_string(path).unwrap() }
    }

    /// Returns the module at the root that contains the file.
    fn module(&self) -> &str {
        self.modules.first().map_or("lib", String::as_str)
    }

    fn relative_path(&self) -> String {
        self.path.strip_prefix(root()).unwrap().display().to_string()
    }

    /// Finds each path that begins at the root of a crate, including paths inside braces.
    fn imports(&self) -> Vec<Import> {
        // The root may import from all of its modules.
        if self.modules.is_empty() {
            return Vec::new();
        }
        let mut found = Vec::new();
        let mut lines = (1..).zip(code_of(&self.text).lines());
        while let Some((line, text)) = lines.next() {
            let code = text.split("//").next().unwrap_or_default();
            let mut statement = code.to_owned();
            if is_use(code) {
                while !statement.contains(';') {
                    let Some((_, more)) = lines.next() else { break };
                    statement.push_str(more.split("//").next().unwrap_or_default());
                }
                let tree = statement.split_once("use ").unwrap().1.trim_end_matches([';', ' ']);
                let paths = flat(tree).into_iter().map(|path| self.resolved(&path));
                found.extend(paths.map(|path| Import { line, path }));
            } else {
                let paths = paths_in(code).into_iter().map(|path| self.resolved(&path));
                found.extend(paths.map(|path| Import { line, path }));
            }
        }
        found
    }

    /// Resolves `self` and `super` at the beginning of a path.
    fn resolved(&self, path: &str) -> Vec<String> {
        let mut parts = path.split("::").map(str::trim).peekable();
        let mut modules = self.modules.clone();
        let mut is_relative = false;
        while let Some(part @ ("self" | "super")) = parts.peek().copied() {
            if part == "super" {
                modules.pop();
            }
            is_relative = true;
            parts.next();
        }
        let rest = parts.map(str::to_owned);
        if is_relative {
            ["crate".to_owned()].into_iter().chain(modules).chain(rest).collect()
        } else {
            rest.collect()
        }
    }
}

fn is_use(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("use ") || line.starts_with("pub") && line.contains(" use ")
}

/// Splits a tree of imports, such as `a::{b, c::{d, e}}`, into single paths.
fn flat(tree: &str) -> Vec<String> {
    let Some((begin, group)) = tree.split_once('{') else { return vec![tree.trim().to_owned()] };
    let group = group.rsplit_once('}').map_or(group, |(group, _)| group);
    let (mut depth, mut parts) = (0, vec![String::new()]);
    for char in group.chars() {
        match char {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        parts.last_mut().unwrap().push(char);
    }
    let parts = parts.iter().filter(|part| !part.trim().is_empty());
    parts.flat_map(|part| flat(part)).map(|part| format!("{}{part}", begin.trim())).collect()
}

/// Finds the paths in a line of code that begin at the root of a crate.
fn paths_in(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for head in ["crate::", "super::", "mtl_stream::", "mtl_jail::"] {
        for (at, _) in code.match_indices(head) {
            let before = code[..at].chars().next_back();
            if before.is_some_and(|char| char.is_alphanumeric() || "_:$".contains(char)) {
                continue;
            }
            let is_part = |char: char| char.is_alphanumeric() || char == '_' || char == ':';
            let end = code[at..].find(|char| !is_part(char)).unwrap_or(code.len() - at);
            found.push(code[at..at + end].trim_end_matches(':').to_owned());
        }
    }
    found
}

#[test]
fn an_import_tree_expands_to_its_paths() {
    assert_eq!(flat("a::{b, c::{d, self}}, "), ["a::b", "a::c::d", "a::c::self"]);
    assert_eq!(flat("a::b as c"), ["a::b as c"]);
    assert_eq!(
        paths_in("let x: super::Spec = crate::a::b(1); $crate::c::d()"),
        ["crate::a::b", "super::Spec"]
    );
}
