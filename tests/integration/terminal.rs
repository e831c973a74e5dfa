//! Checks texts with escape sequences in results, faults, finish reports and messages. For a terminal, the host escapes
//! the sequences, so that the terminal does not act on them. For files and pipes, the host writes every byte unchanged.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt;

use crate::support::{Host, Terminal, command, fixtures, host};

/// An item that would set the title, clear the screen, ring, hide a line (once by a single byte), and reverse the text.
const ITEM: &[u8] = b"\x1b]0;PWNED\x07\x1b[2J\rx\xc2\x9b31m\x7f\xe2\x80\xae\ttab";
/// An item that is not UTF-8, with a byte that some terminals read as the start of an escape sequence.
const NO_TEXT: &[u8] = b"\x9b31m\xff";

/// Connects the command's output to a terminal, and returns both.
fn at_a_terminal(host: Host) -> (Host, Terminal) {
    let terminal = Terminal::open();
    (host.stdout_to(terminal.stdio()).stderr_to(terminal.stdio()), terminal)
}

/// Checks that the output contains no character that controls a terminal.
#[track_caller]
fn check_plain(shown: &[u8]) -> String {
    let text = std::str::from_utf8(shown).expect("the output is UTF-8");
    // The terminal translates each line feed into two characters.
    let text = text.replace("\r\n", "\n");
    let controls = |character: char| {
        let changes_direction =
            matches!(character, '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}');
        changes_direction || character.is_control() && character != '\n' && character != '\t'
    };
    assert!(!text.contains(controls), "{text:?}");
    text
}

/// Describes a run of `echo.wat` with these items.
fn echo(args: &[&str]) -> Host {
    let items = [ITEM, b"\n", NO_TEXT, b"\n"].concat();
    host().plugin("echo.wat").args(["--jobs", "1"]).args(args.iter().copied()).stdin(items)
}

#[test]
fn a_terminal_gets_results_escaped_in_every_format() {
    #[rustfmt::skip]
    let cases: [(&[&str], &str); 6] = [
        (&[],                            r"\u{1b}]0;PWNED\u{7}\u{1b}[2J\rx\u{9b}31m\u{7f}\u{202e}"),
        (&["--multiline"],               r"\u{1b}]0;PWNED\u{7}"),
        (&["--tag"],                     r"\u{1b}]0;PWNED\u{7}"),
        (&["--output-format", "nul"],    r"\u{1b}]0;PWNED\u{7}"),
        (&["--output-format", "frames"], r"\u{0}\u{0}\u{1b}]0;PWNED\u{7}"),
        (&["--output-format", "jsonl", "--tag"], r#""ok":"\u001b]0;PWNED\u0007\u001b[2J\rx\u009b31m\u007f\u202e\ttab""#),
    ];
    for (args, expected) in cases {
        let (host, terminal) = at_a_terminal(echo(args));
        host.run().code(0);
        let shown = check_plain(&terminal.shown_bytes());
        assert!(shown.contains(expected), "{args:?}: {shown}");
        let no_text = if args.contains(&"jsonl") { "base64" } else { r"\x9b31m\xff" };
        assert!(shown.contains(no_text), "{args:?}: {shown}");
    }
}

#[test]
fn the_raw_flag_gives_a_terminal_unescaped_results() {
    let (host, terminal) = at_a_terminal(echo(&["--raw"]));
    host.run().code(0);
    let shown = terminal.shown_bytes();
    assert_eq!(shown, [ITEM, b"\r\n", NO_TEXT, b"\r\n"].concat());
}

#[test]
fn files_and_pipes_get_every_byte_unchanged() {
    let results = [ITEM, b"\n", NO_TEXT, b"\n"].concat();
    for raw in [&[][..], &["--raw"]] {
        echo(raw).run().code(0).stdout(&results);
        echo(raw).args(["-o", "results"]).run().code(0).stdout("").file("results", &results);
    }
}

#[test]
fn a_terminal_named_as_a_file_gets_escaped_output() {
    #[rustfmt::skip]
    let cases: [(&str, &str, &str, i32); 3] = [
        ("-o",              "echo.wat",        r"\u{1b}]0;PWNED\u{7}",            0),
        ("--faults",        "judge.wat",       r"\u001b]0;PWNED\u0007",            1),
        ("--finish-output", "finish.wat",      "{\"worker\":0,",                   0),
    ];
    for (flag, plugin, expected, code) in cases {
        // The file of faults contains the item of each fault.
        let item = [if code == 1 { b"!".as_slice() } else { b"" }, ITEM, b"\n"].concat();
        for raw in [false, true] {
            let terminal = Terminal::open();
            let file = terminal.path();
            let run = host().plugin(plugin).args(["--jobs", "1", flag, &file]).stdin(item.clone());
            let run = if raw { run.args(["--raw"]) } else { run };
            run.run().code(code);
            let shown = terminal.shown_bytes();
            if raw {
                let characters: &[u8] = if flag == "-o" { b"\x1b]0;PWNED\x07" } else { b"{\"" };
                assert!(
                    shown.windows(characters.len()).any(|part| part == characters),
                    "{flag}: {shown:?}"
                );
            } else {
                let shown = check_plain(&shown);
                assert!(shown.contains(expected), "{flag}: {shown}");
            }
        }
    }
}

/// Returns a file name that would clear the screen and forge an error line.
fn hostile_name(ending: &str) -> OsString {
    let name = [
        b"ill \x1b]0;PWNED\x07\x1b[2J\rx\xc2\x9b31m\xe2\x80\xae\nerror: forged",
        ending.as_bytes(),
    ];
    OsStr::from_bytes(&name.concat()).to_owned()
}

fn with(before: &str, name: &OsStr, behind: &str) -> OsString {
    let mut whole = OsString::from(before);
    whole.push(name);
    whole.push(behind);
    whole
}

/// Adds files and directories with such names to the run's directory.
fn ill_folder(host: Host) -> Host {
    let put = |name: OsString, fixture: &str| {
        fs::copy(fixtures().join(fixture), host.folder().join(name)).unwrap();
    };
    put(hostile_name(".wat"), "snapshot.wat");
    put(hostile_name(".upper.wat"), "upper.wat");
    put(hostile_name(".judge.wat"), "judge.wat");
    put(hostile_name(".import.wat"), "unknown-import.wat");
    put(hostile_name(".toml"), "upper.wat");
    put("upper.wat".into(), "upper.wat");
    let wasm = wat::parse_file(fixtures().join("upper.wat")).unwrap();
    fs::write(host.folder().join(hostile_name(".wasm")), wasm).unwrap();
    fs::write(host.folder().join(hostile_name("")), "!x\n").unwrap();
    fs::create_dir(host.folder().join(hostile_name(".folder"))).unwrap();
    fs::create_dir(host.folder().join(hostile_name(".folder.wasm"))).unwrap();
    fs::write(host.folder().join(hostile_name(".folder")).join("file"), "").unwrap();
    let sources = host.folder().join(hostile_name(".sources"));
    fs::create_dir(&sources).unwrap();
    fs::write(sources.join(hostile_name(".c")), "").unwrap();
    fs::write(sources.join(hostile_name(".zig")), "").unwrap();
    let python = host.folder().join(hostile_name(".python"));
    fs::create_dir(&python).unwrap();
    fs::write(python.join(hostile_name(".py")), "").unwrap();
    fs::write(python.join(hostile_name("2.py")), "").unwrap();
    host
}

#[test]
#[expect(clippy::too_many_lines, reason = "the function is a table")]
fn file_names_in_messages_are_escaped() {
    let missing = hostile_name(".missing");
    let below_missing = with("", &missing, "/file");
    let lists = [with("", &hostile_name(""), "\n"), with("", &missing, "\n")].map(|list| {
        // Each line of the list is a name, so these names contain no line feed.
        list.as_bytes().iter().copied().filter(|byte| *byte != b'\n').collect::<Vec<_>>()
    });
    let run = |args: &[&OsStr]| -> Vec<OsString> {
        let start = ["run", "-q", "--jobs", "1"].map(OsString::from);
        start.into_iter().chain(args.iter().map(|arg| (*arg).to_owned())).collect()
    };
    let other = |args: &[&OsStr]| args.iter().map(|arg| (*arg).to_owned()).collect::<Vec<_>>();
    let upper = OsStr::new("upper.wat");
    let word = OsStr::new;
    #[rustfmt::skip]
    let commands: Vec<Vec<OsString>> = vec![
        run(&[&missing]),
        run(&[&hostile_name(".folder.wasm")]),
        run(&[&hostile_name(".folder")]),
        run(&[&hostile_name(".import.wat")]),
        run(&[&hostile_name(".upper.wat"), word("--sha256"), word(&"0".repeat(64))]),
        run(&[&hostile_name(".wat"), word("--snapshot"), word("--init"), word("r")]),
        run(&[&hostile_name(".upper.wat"), word("--snapshot")]),
        run(&[&hostile_name(".wasm"), &hostile_name(".wasm")]),
        run(&[upper, &missing]),
        run(&[upper, &hostile_name(".folder")]),
        run(&[upper, &hostile_name(""), word("-o"), &hostile_name("")]),
        run(&[upper, word("-o"), &below_missing]),
        run(&[upper, word("--faults"), &below_missing]),
        run(&[upper, word("--finish-output"), &below_missing]),
        run(&[upper, word("--output-dir"), &hostile_name(""), word("--input-format"), word("files")]),
        run(&[upper, word("--config"), &missing]),
        run(&[upper, word("--config"), &hostile_name(".toml")]),
        run(&[upper, &with("--init=@", &missing, "")]),
        run(&[upper, &with("--dir=", &missing, "::/x")]),
        run(&[upper, &with("--dir=", &missing, "")]),
        run(&[upper, &with("--env=", &missing, "")]),
        run(&[upper, &with("--net=", &missing, ":1")]),
        run(&[upper, &with("--call=", &missing, "")]),
        run(&[upper, word("--cache-dir"), &hostile_name("")]),
        run(&[upper, &with("--", &missing, "")]),
        run(&[upper, &with("--chunk-size=", &missing, "")]),
        run(&[&with("--worker=", &missing, ",x=y")]),
        run(&[&with("--worker=upper.wat,", &missing, "=y")]),
        run(&[&hostile_name(".judge.wat"), word("--input-format"), word("files"), word("list")]),
        run(&[upper, word("--input-format"), word("files"), word("list")]),
        run(&[&hostile_name(".upper.wat"), word("--print-config")]),
        other(&[word("inspect"), &missing]),
        other(&[word("inspect"), &hostile_name(".folder")]),
        other(&[word("inspect"), &hostile_name(".upper.wat")]),
        other(&[word("inspect"), word("--json"), &hostile_name(".import.wat")]),
        other(&[word("check"), &missing]),
        other(&[word("check"), upper, word("--items"), &missing]),
        other(&[word("compile"), &missing]),
        other(&[word("compile"), &hostile_name(".wasm"), word("-o"), &hostile_name(".wasm")]),
        other(&[word("compile"), &hostile_name(".wasm"), word("-o"), &below_missing]),
        other(&[word("compile"), &hostile_name(".wasm")]),
        other(&[word("build"), &missing]),
        other(&[word("build"), &hostile_name(".wasm")]),
        other(&[word("build"), &hostile_name(".folder")]),
        other(&[word("build"), &hostile_name(".sources")]),
        other(&[word("build"), &hostile_name(".python")]),
        other(&[word("build"), word("--lang"), word("go"), &hostile_name(".sources")]),
        other(&[word("new"), word("--lang"), word("c"), &hostile_name(".folder")]),
        other(&[word("new"), word("--lang"), word("c"), &hostile_name(".new")]),
        other(&[word("new"), word("--lang"), word("c"), &with("", &hostile_name(""), "/new")]),
        other(&[word("cache"), word("info"), word("--cache-dir"), &missing]),
        other(&[word("cache"), word("info"), word("--cache-dir"), &hostile_name("")]),
        other(&[word("cache"), word("clear"), word("--cache-dir"), &hostile_name("")]),
        other(&[&missing]),
    ];
    let mut wrong = Vec::new();
    for args in commands {
        let list = [lists[0].as_slice(), b"\n", &lists[1]].concat();
        let host = ill_folder(command()).file("list", list).args(args.clone()).stdin("a\n");
        let (host, terminal) = at_a_terminal(host);
        let finished = host.run();
        assert!(finished.exit_code().is_some(), "{args:?}");
        let shown = check_plain(&terminal.shown_bytes());
        let names_it = shown.contains("ill ") || shown.contains("0;PWNED");
        if !names_it || shown.contains("\nerror: forged") {
            wrong.push(format!("{args:?}: {shown}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
