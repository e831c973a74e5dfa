//! Tests the mapping of items to parameters. The `call` of the tested plugin has the parameters `base`, `exponent` and
//! an optional `modulus`.

use super::Language;
use super::project::{Built, build};
use super::table;
use crate::support::lines;

/// The expected outcome of an item: a record, or the kind of its fault with a name that the message contains.
type Expected = Result<&'static str, (&'static str, &'static str)>;

#[rustfmt::skip]
const BY_POSITION: &[(&str, Expected)] = &[
    // item                         result
    ("[2, 10]",                     Ok("1024")),
    ("[2, 10, 100]",                Ok("24")),
    (" [ -3 , 3 , null ] ",         Ok("-27")),
    ("[-3, 3, 10]",                 Ok("3")),
    ("[7, 0]",                      Ok("1")),
    ("[-2, 63]",                    Ok("-9223372036854775808")),
    ("[3037000499, 2]",             Ok("9223372030926249001")),
    ("[-0, 1]",                     Ok("0")),
    ("[2, -0, null]",               Ok("1")),
    ("[-0.0, 1]",                   Err(("bad-item", "`base`"))),
    ("[2, 63]",                     Err(("refused",  "the power has more than 64 bits"))),
    ("[2, 3, 0]",                   Err(("bad-item", "`modulus`"))),
    ("[2, 3, -0]",                  Err(("bad-item", "`modulus`"))),
    ("[2]",                         Err(("bad-item", "`exponent`"))),
    ("[]",                          Err(("bad-item", "`base`"))),
    ("[2, -1]",                     Err(("bad-item", "`exponent`"))),
    ("[2, 1.5]",                    Err(("bad-item", "`exponent`"))),
    ("[2, \"3\"]",                  Err(("bad-item", "`exponent`"))),
    ("[2, null]",                   Err(("bad-item", "`exponent`"))),
    ("[9223372036854775808, 1]",    Err(("bad-item", "`base`"))),
    ("[2, 4294967296]",             Err(("bad-item", "`exponent`"))),
    ("[2, 3, 5, 7]",                Err(("bad-item", "`base`, `exponent` and `modulus`"))),
    ("2 10",                        Err(("bad-item", ""))),
    ("{\"base\": 2, \"exponent\": 1}", Err(("bad-item", ""))),
    ("[2, 10",                      Err(("bad-item", ""))),
    ("[2, 10] 5",                   Err(("bad-item", ""))),
    ("",                            Err(("bad-item", ""))),
];

#[rustfmt::skip]
const BY_NAME: &[(&str, Expected)] = &[
    // item                                                  result
    (r#"{"base": 2, "exponent": 10}"#,                       Ok("1024")),
    (r#"{"modulus": 100, "exponent": 10, "base": 2}"#,       Ok("24")),
    (r#"{"base": 2, "exponent": 10, "modulus": null}"#,      Ok("1024")),
    (r#"{"b\u0061se": 2, "exponent": 3}"#,                   Ok("8")),
    (r#"{"base": -0 , "exponent": -0}"#,                     Ok("1")),
    (r#"{"base": 2}"#,                                       Err(("bad-item", "`exponent`"))),
    (r#"{"base": 2, "power": 1, "exponent": 1}"#,            Err(("bad-item", "`power`"))),
    (r#"{"base": 2, "base": 2, "exponent": 1}"#,             Err(("bad-item", "`base`"))),
    (r#"{"base": "two", "exponent": 1}"#,                    Err(("bad-item", "`base`"))),
    (r#"{"base": true, "exponent": 1}"#,                     Err(("bad-item", "`base`"))),
    ("[2, 10]",                                              Err(("bad-item", ""))),
    ("{}",                                                   Err(("bad-item", "`base`"))),
];

/// Checks that a language follows the rules of the plugin interface for arguments.
pub(super) fn spreads_arguments(language: &Language) {
    let spreads = table::read().has(language.column, "`--args args` and `kwargs`");
    assert_eq!(language.power.is_some(), spreads, "the table and the plugins disagree");
    let Some(power) = language.power.and_then(build) else {
        return;
    };
    each(&power, "args", BY_POSITION);
    each(&power, "kwargs", BY_NAME);
    let stderr = power.with_jobs(1).stdin("2\n").run().code(3).stdout("").stderr_text();
    let names = ["`base`", "`exponent`", "`modulus`", "`--args args`", "`--args kwargs`"];
    assert!(names.iter().all(|name| stderr.contains(name)), "{stderr}");
}

#[track_caller]
fn each(power: &Built, passing: &str, cases: &[(&str, Expected)]) {
    let items = lines(cases.iter().map(|(item, _)| item));
    let finished = power.run().args(["--args", passing]).stdin(items).run().code(1);
    let shown = String::from_utf8(finished.stdout_bytes().to_vec()).unwrap();
    let shown: Vec<serde_json::Value> =
        shown.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(shown.len(), cases.len(), "{shown:?}");
    for (shown, (item, expected)) in shown.iter().zip(cases) {
        match expected {
            // A language may declare its results as JSON.
            Ok(record) => {
                let ok = &shown["ok"];
                let text = ok.as_str().map_or_else(|| ok.to_string(), str::to_owned);
                assert_eq!(text, *record, "{item}: {shown}");
            }
            Err((kind, names)) => {
                assert_eq!(shown["error"]["kind"], *kind, "{item}: {shown}");
                let message = shown["error"]["message"].as_str().unwrap();
                assert!(message.contains(names), "{item}: {shown}");
            }
        }
    }
}
