//! Tests of the mapping from items to parameters, and from answers to records.

use super::*;
use crate::engine::typed::answer::{ReturnType, TypedAnswer};
use crate::engine::typed::arguments::Parameters;
use crate::item::argument_passing::ArgumentPassing;
use crate::item::argument_passing::ArgumentPassing::{Args, Kwargs, Single};
use crate::item::format::Format;
use crate::item::format::Format::{Json, Text};

fn parameters<const N: usize>(all: [(&str, Shape); N]) -> Parameters {
    Parameters::new(all.map(|(name, shape)| (name.into(), shape)).into())
}

/// Returns each parameter as JSON, or the error.
fn passed(of: &Parameters, item: &[u8], format: Format, passing: ArgumentPassing) -> String {
    shown(of, of.read_item(item, format, passing))
}

fn shown(of: &Parameters, values: Result<Vec<Val>, ValueError>) -> String {
    match values {
        Ok(values) => {
            let values = of.all().iter().zip(&values);
            let values = values.map(|((_, shape), value)| written(shape, value).unwrap());
            values.collect::<Vec<_>>().join(" ")
        }
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_single_parameter_takes_the_whole_item() {
    let text = || parameters([("text", Shape::String)]);
    let bytes = || parameters([("data", Shape::Bytes)]);
    let maybe = || parameters([("text", option(Shape::String))]);
    let number = || parameters([("n", S32)]);
    #[rustfmt::skip]
    let cases: [(Parameters, &[u8], Format, &str); 20] = [
        (text(),   b"a \"b\"",      Text, r#""a \"b\"""#),
        (text(),   b"\"a\"",        Text, r#""\"a\"""#),
        (text(),   b" \"a\\n\" ",   Json, r#""a\n""#),
        (text(),   b"[1]",          Json, r#""[1]""#),
        (text(),   b"",             Text, r#""""#),
        (text(),   b"a\xff",        Text, "$: it is not UTF-8 after byte 1"),
        (text(),   b"\"a\" 1",      Json, "$: something follows at byte 4"),
        (bytes(),  b"\0\xff",       Text, r#""AP8=""#),
        (bytes(),  b"AA==",         Text, r#""QUE9PQ==""#),
        (bytes(),  b"\"AA==\"",     Json, r#""QUE9PQ==""#),
        (maybe(),  b"null",         Text, r#""null""#),
        (maybe(),  b"null",         Json, "null"),
        (maybe(),  b"\"a\"",        Json, r#""a""#),
        (maybe(),  b"a",            Text, r#""a""#),
        (number(), b"5",            Text, "5"),
        (number(), b" 5\n",         Json, "5"),
        (number(), b"5 5",          Text, "$: something follows at byte 2"),
        (number(), b"\"5\"",        Json, "$: expected a whole number (s32), found a string"),
        (number(), b"\xff",         Text, "$: it is not UTF-8 after byte 0"),
        (parameters([("p", record([("x", S32)]))]), b"{\"x\":1}", Text, r#"{"x":1}"#),
    ];
    for (of, item, format, expected) in cases {
        let item_shown = item.escape_ascii();
        assert_eq!(passed(&of, item, format, Single), expected, "{item_shown} as {format:?}");
    }
}

#[test]
fn an_array_fills_parameters_by_position_and_an_object_by_name() {
    let of = parameters([("first-one", S32), ("text", Shape::String), ("c", option(Shape::Bytes))]);
    #[rustfmt::skip]
    let cases = [
        (Args,   r#"[1, "a", "AA=="]"#,  r#"1 "a" "AA==""#),
        (Args,   r#"[1, "a", null]"#,    r#"1 "a" null"#),
        (Args,   r#"[1, "a"]"#,          r#"1 "a" null"#),
        (Args,   "[1]",                  "$[1]: is missing (in `text`)"),
        (Args,   "[]",                   "$[0]: is missing (in `first-one`)"),
        (Args,   r#"[1,"a",null,4]"#,    "$[3]: more than the 3 parameters"),
        (Args,   r#"["a"]"#,             "$[0]: expected a whole number (s32), found a string (in `first-one`)"),
        (Args,   "{}",                   "$: expected an array of the parameters, found an object"),
        (Args,   "[1,\"a\"] x",          "$: something follows at byte 8"),
        (Kwargs, r#"{"text":"a","first-one":1}"#,      r#"1 "a" null"#),
        (Kwargs, r#"{"text":"a","first_one":1,"c":null}"#, r#"1 "a" null"#),
        (Kwargs, r#"{"text":"a"}"#,      "$.first-one: is missing"),
        (Kwargs, r#"{"text":1}"#,        "$.text: expected a string, found a number"),
        (Kwargs, r#"{"First-one":1}"#,   "$.First-one: there is no such parameter; there are `first-one`, `text`, `c`"),
        (Kwargs, r#"{"text":"a","text":"b"}"#, "$.text: appears twice"),
        (Kwargs, "[]",                   "$: expected an object of the parameters, found an array"),
    ];
    for (passing, item, expected) in cases {
        for format in [Text, Json] {
            assert_eq!(passed(&of, item.as_bytes(), format, passing), expected, "{item}");
        }
    }
    let one = parameters([("text", Shape::String)]);
    assert_eq!(passed(&one, br#"["a",1]"#, Text, Args), "$[1]: more than the 1 parameter");
    assert_eq!(passed(&one, br#"["a"]"#, Text, Args), r#""a""#);
    assert_eq!(passed(&parameters([]), b"[]", Text, Args), "");
    assert_eq!(passed(&parameters([]), b"{}", Text, Kwargs), "");
}

#[test]
fn the_shape_of_init_decides_how_arguments_are_read() {
    let none = || parameters([]);
    let text = || parameters([("text", Shape::String)]);
    let config = || parameters([("config", record([("x", S32)]))]);
    let two = || parameters([("a", S32), ("b", option(S32))]);
    let maybe = || parameters([("a", option(S32)), ("b", option(S32))]);
    #[rustfmt::skip]
    let cases = [
        (none(),   "",            ""),
        (none(),   "[]",          "$: it takes no arguments"),
        (text(),   "",            r#""""#),
        (text(),   "\"a\"",       r#""\"a\"""#),
        (config(), r#"{"x":1}"#,  r#"{"x":1}"#),
        (config(), "",            "$: not JSON: expected an object (record), found the end"),
        (two(),    "[1]",         "1 null"),
        (two(),    r#" {"b":2,"a":1}"#, "1 2"),
        (two(),    "1",           "$: expected an array of the parameters, or an object by their names, found a number"),
        (maybe(),  "",            "null null"),
        (maybe(),  "{}",          "null null"),
    ];
    for (of, init, expected) in cases {
        assert_eq!(shown(&of, of.read_init(init.as_bytes())), expected, "{init}");
    }
}

#[test]
fn a_single_value_fits_only_one_parameter() {
    let two = parameters([("a", S32), ("b", S32)]);
    assert_eq!(
        two.refusal("add", Single).unwrap(),
        "`add` has 2 parameters (`a`, `b`), but an item is a single value"
    );
    let none = parameters([]).refusal("now", Single).unwrap();
    assert!(none.starts_with("`now` has no parameter for an item"), "{none}");
    for passing in [Args, Kwargs] {
        assert_eq!(two.refusal("add", passing), None);
    }
    assert_eq!(parameters([("a", S32)]).refusal("f", Single), None);
}

#[test]
fn generated_examples_are_valid_arguments() {
    let rich = parameters([
        ("a", record([("x", S32), ("ok", result(None, Some(S32)))])),
        ("b", option(option(Shape::Tuple(vec![Shape::F32, Shape::Char])))),
        ("c", variant([("one", Some(Shape::Bytes)), ("two", None)])),
        ("d", Shape::Flags(names(["r", "w"]))),
        ("e", Shape::Enum(names(["r"]))),
    ]);
    for of in [rich, parameters([("n", U8)]), parameters([("t", Shape::String)]), parameters([])] {
        for (passing, item) in of.items() {
            of.read_item(item.as_bytes(), Json, passing)
                .unwrap_or_else(|it| panic!("{item}: {it}"));
        }
        if let Some(init) = of.init() {
            of.read_init(init.as_bytes()).unwrap_or_else(|it| panic!("{init}: {it}"));
        }
    }
}

#[test]
fn an_answer_is_a_record_none_or_a_refusal() {
    let all = result(Some(option(S32)), Some(Shape::String));
    let reasons = result(None, Some(record([("code", U8)])));
    let record = |text: &str| TypedAnswer::Record(text.into());
    let refused = |text: &str| TypedAnswer::Refused(text.into());
    #[rustfmt::skip]
    let cases = [
        (Some(S32),                   "1",                     Json, record("1")),
        (Some(Shape::String),         r#""a\nb""#,             Text, record("a\nb")),
        (Some(Shape::Bytes),          r#""QQ==""#,             Text, record("A")),
        (Some(option(Shape::String)), r#""a""#,                Text, record("a")),
        (Some(option(Shape::String)), "null",                  Text, TypedAnswer::NoRecord),
        (Some(option(option(S32))),   r#"{"some":null}"#,      Json, record("null")),
        (Some(all.clone()),           r#"{"ok":1}"#,           Json, record("1")),
        (Some(all.clone()),           r#"{"ok":null}"#,        Json, TypedAnswer::NoRecord),
        (Some(all),                   r#"{"err":"why"}"#,      Json, refused("why")),
        (Some(reasons.clone()),       r#"{"err":{"code":1}}"#, Text, refused(r#"{"code":1}"#)),
        (Some(reasons),               r#"{"ok":null}"#,        Text, TypedAnswer::NoRecord),
        (Some(result(None, None)),    r#"{"err":null}"#,       Text, refused("it gives no reason")),
        (Some(option(result(Some(S32), None))), r#"{"err":null}"#, Json, record(r#"{"err":null}"#)),
        (None,                        "",                      Text, TypedAnswer::NoRecord),
    ];
    for (shape, json, format, expected) in cases {
        let val = shape.as_ref().map(|shape| read(shape, json).unwrap());
        let returned = shape.map_or_else(ReturnType::default, ReturnType::shaped);
        assert_eq!(returned.format(), format, "{json}");
        assert_eq!(returned.answer(val, 100).unwrap(), expected, "{json}");
    }
    let text = ReturnType::shaped(Shape::String);
    let long = Val::String("a".repeat(101));
    assert_eq!(text.answer(Some(long), 100), Err(WriteError::TooLong));
}
