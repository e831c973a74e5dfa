//! Tests that read and write one value of each type.

use super::*;

fn ints() -> [(Shape, &'static str, &'static str); 8] {
    let int = Shape::Int;
    [
        (int(Int::S8), "-128", "127"),
        (int(Int::U8), "0", "255"),
        (int(Int::S16), "-32768", "32767"),
        (int(Int::U16), "0", "65535"),
        (int(Int::S32), "-2147483648", "2147483647"),
        (int(Int::U32), "0", "4294967295"),
        (int(Int::S64), "-9223372036854775808", "9223372036854775807"),
        (int(Int::U64), "0", "18446744073709551615"),
    ]
}

#[test]
fn integers_are_accepted_only_within_their_range() {
    for (shape, least, most) in ints() {
        for json in [least, most, "7"] {
            let value = read(&shape, json).unwrap();
            assert_eq!(written(&shape, &value).unwrap(), json);
        }
        let beyond = |end: &str, by: i128| (end.parse::<i128>().unwrap() + by).to_string();
        for json in [beyond(least, -1), beyond(most, 1), format!("{most}{}", "0".repeat(50))] {
            let shown = if json.len() > 64 { format!("{}…", &json[..64]) } else { json.clone() };
            let message = format!("$: {shown} does not fit {}", shape.name());
            assert_eq!(read(&shape, &json).unwrap_err().to_string(), message);
        }
        for json in ["1.0", "1e2", "0.5"] {
            let message = format!("$: expected a whole number ({}), found {json}", shape.name());
            assert_eq!(read(&shape, json).unwrap_err().to_string(), message);
        }
    }
}

#[test]
fn accepted_values_have_one_canonical_form() {
    let point = || record([("x-pos", S32), ("label", option(Shape::String))]);
    let rgb =
        || variant([("none", None), ("rgb-of", Some(list(U8))), ("named", Some(Shape::String))]);
    let flags = || Shape::Flags(names(["can-read", "can-write"]));
    let nested = || option(option(option(Shape::Bool)));
    let outcome = || result(Some(S32), Some(Shape::String));
    #[rustfmt::skip]
    let cases = [
        // type                            input                                     written
        (Shape::Bool,                      " true ",                                 "true"),
        (Shape::Bool,                      "false",                                  "false"),
        (S32,                              "-0",                                     "0"),
        (Shape::F64,                       "1",                                      "1.0"),
        (Shape::F64,                       "-0.0",                                   "-0.0"),
        (Shape::F64,                       "1E+2",                                   "100.0"),
        (Shape::F64,                       "0.1",                                    "0.1"),
        // Many JSON parsers get the last digit of this number wrong.
        (Shape::F64,                       "2.638344616030823e-256",                 "2.638344616030823e-256"),
        (Shape::F64,                       "1e-400",                                 "0.0"),
        (Shape::F32,                       "0.1",                                    "0.1"),
        (Shape::F32,                       "16777217",                               "16777216.0"),
        (Shape::Char,                      r#""ä""#,                                 r#""ä""#),
        (Shape::Char,                      r#""\ud83d\ude00""#,                      "\"😀\""),
        (Shape::Char,                      r#""\u0000""#,                            r#""\u0000""#),
        (Shape::String,                    r#""a\"\\\/\u00e4\n""#,                   r#""a\"\\/ä\n""#),
        (Shape::String,                    r#""""#,                                  r#""""#),
        (Shape::Bytes,                     r#""AAH/""#,                              r#""AAH/""#),
        (Shape::Bytes,                     r#""AA==""#,                              r#""AA==""#),
        (Shape::Bytes,                     r#""\u0041A==""#,                         r#""AA==""#),
        (Shape::Bytes,                     "[0, 1,255]",                             r#""AAH/""#),
        (Shape::Bytes,                     "[]",                                     r#""""#),
        (list(S32),                        "[ ]",                                    "[]"),
        (list(list(S32)),                  "[[1,2],\n[], [3]]",                      "[[1,2],[],[3]]"),
        (Shape::Tuple(vec![S32, Shape::Bool]), "[1, true]",                          "[1,true]"),
        (point(),                          r#"{"x-pos": 1, "label": "a"}"#,          r#"{"x-pos":1,"label":"a"}"#),
        (point(),                          r#"{"label": null, "x_pos": 1}"#,         r#"{"x-pos":1,"label":null}"#),
        (point(),                          r#"{"x\u002dpos": 1}"#,                   r#"{"x-pos":1,"label":null}"#),
        (rgb(),                            r#""none""#,                              r#""none""#),
        (rgb(),                            r#"{"rgb_of": [1, 2]}"#,                  r#"{"rgb-of":[1,2]}"#),
        (rgb(),                            r#"{"named": "none"}"#,                   r#"{"named":"none"}"#),
        (Shape::Enum(names(["a-b", "c"])), r#""a_b""#,                               r#""a-b""#),
        (flags(),                          "[]",                                     "[]"),
        (flags(),                          r#"["can_write"]"#,                       r#"["can-write"]"#),
        (option(S32),                      "null",                                   "null"),
        (option(S32),                      "1",                                      "1"),
        (nested(),                         "null",                                   "null"),
        (nested(),                         r#"{"some": null}"#,                      r#"{"some":null}"#),
        (nested(),                         r#"{"some": {"some": null}}"#,            r#"{"some":{"some":null}}"#),
        (nested(),                         r#"{"some": {"some": true}}"#,            r#"{"some":{"some":true}}"#),
        (outcome(),                        r#"{"ok": 1}"#,                           r#"{"ok":1}"#),
        (outcome(),                        r#"{"err": "why"}"#,                      r#"{"err":"why"}"#),
        (result(None, None),               r#"{"ok": null}"#,                        r#"{"ok":null}"#),
        (result(None, None),               r#"{"err": null}"#,                       r#"{"err":null}"#),
    ];
    for (shape, input, expected) in cases {
        let value = read(&shape, input).unwrap_or_else(|error| panic!("{input}: {error}"));
        let json = written(&shape, &value).unwrap();
        assert_eq!(json, expected, "{input}");
        assert_eq!(read(&shape, &json).unwrap(), value, "{json}");
    }
}

#[test]
fn a_type_mismatch_names_its_path() {
    let point = || record([("x", S32), ("y", option(S32)), ("inner-one", option(list(U8)))]);
    let points = || record([("points", list(record([("x", S32)])))]);
    let shapes = || variant([("none", None), ("circle", Some(Shape::F32))]);
    let flags = || Shape::Flags(names(["read", "write"]));
    #[rustfmt::skip]
    let cases = [
        (points(),     r#"{"points":[{"x":1},{"x":2},{"x":3},{"x":"4"}]}"#, "$.points[3].x: expected a whole number (s32), found a string"),
        (points(),     r#"{"points":[{"x":1.5}]}"#,   "$.points[0].x: expected a whole number (s32), found 1.5"),
        (points(),     r#"{"points":[{}]}"#,          "$.points[0].x: is missing"),
        (points(),     r#"{"points":{}}"#,            "$.points: expected an array (list), found an object"),
        (point(),      "[]",                          "$: expected an object (record), found an array"),
        (point(),      r#"{"x":1,"z":2}"#,            "$.z: there is no such field; there are `x`, `y`, `inner-one`"),
        (point(),      r#"{"x":1,"a b\u0007":2}"#,    "$[\"a b\\u{7}\"]: there is no such field; there are `x`, `y`, `inner-one`"),
        (point(),      r#"{"x":1,"x":2}"#,            "$.x: appears twice"),
        (point(),      r#"{"x":1,"inner-one":null,"inner_one":null}"#, "$.inner_one: appears twice"),
        (point(),      r#"{"x":null}"#,               "$.x: expected a whole number (s32), found `null`"),
        (point(),      r#"{"x":1,"y":true}"#,         "$.y: expected a whole number (s32), found `true`"),
        (Shape::Bool,  "1",                           "$: expected `true` or `false`, found a number"),
        (Shape::Bool,  "true false",                  "$: something follows at byte 5"),
        (list(Shape::Bool), "[true false]",           "$: not JSON: expected `,` or `]`, found `f` at byte 6"),
        (Shape::Bool,  "truer",                       "$: not JSON: expected `true` or `false`, found `t` at byte 0"),
        (Shape::F32,   "1e39",                        "$: 1e39 does not fit f32"),
        (Shape::F64,   "-1e309",                      "$: -1e309 does not fit f64"),
        (Shape::F64,   "NaN",                         "$: not JSON: expected a number (f64), found `N` at byte 0"),
        (Shape::F64,   r#""1""#,                      "$: expected a number (f64), found a string"),
        (Shape::F64,   "-",                           "$: not JSON: expected a number, found `-` at byte 0"),
        (Shape::F64,   "1.",                          "$: not JSON: expected a number, found `1` at byte 0"),
        (S32,          "01",                          "$: something follows at byte 1"),
        (S32,          "",                            "$: not JSON: expected a whole number (s32), found the end"),
        (S32,          "1 2",                         "$: something follows at byte 2"),
        (Shape::Char,  r#""ab""#,                     "$: expected a string of one character (char), found \"ab\""),
        (Shape::Char,  r#""""#,                       "$: expected a string of one character (char), found \"\""),
        (Shape::String, "1",                          "$: expected a string, found a number"),
        (Shape::String, r#""a"#,                      "$: not JSON: expected the end of a string, found the end"),
        (Shape::String, r#""\"#,                      "$: not JSON: expected the end of a string, found the end"),
        (Shape::String, r#""\x""#,                    "$: not JSON: an invalid string begins at byte 0"),
        (Shape::String, "\"a\nb\"",                   "$: not JSON: an invalid string begins at byte 0"),
        (Shape::String, r#""\ud800""#,                "$: not JSON: an invalid string begins at byte 0"),
        (Shape::Bytes, r#""AA""#,                     "$: a string that is not base64: Invalid padding"),
        (Shape::Bytes, "[1,256]",                     "$[1]: 256 does not fit u8"),
        (Shape::Bytes, "1",                           "$: expected a string of base64, or an array of numbers, found a number"),
        (list(S32),    "[1 2]",                       "$: not JSON: expected `,` or `]`, found `2` at byte 3"),
        (list(S32),    "[1,]",                        "$[1]: not JSON: expected a whole number (s32), found `]` at byte 3"),
        (list(S32),    "[1",                          "$: not JSON: expected `,` or `]`, found the end"),
        (point(),      r#"{"x" 1}"#,                  "$: not JSON: expected `:`, found `1` at byte 5"),
        (point(),      r#"{"x":1 "y":1}"#,            "$: not JSON: expected `,` or `}`, found a string at byte 7"),
        (point(),      "{x:1}",                       "$: not JSON: expected a key, found `x` at byte 1"),
        (point(),      r#"{"x":1,}"#,                 "$: not JSON: expected a key, found `}` at byte 7"),
        (Shape::Tuple(vec![S32, S32]), "[1]",         "$: 1 elements, but the tuple has 2"),
        (Shape::Tuple(vec![S32, S32]), "[1,2,3]",     "$[2]: more than the 2 elements of the tuple"),
        (shapes(),     r#""square""#,                 "$: there is no case \"square\"; there are `none`, `circle`"),
        (shapes(),     r#"{"square":1}"#,             "$: there is no case \"square\"; there are `none`, `circle`"),
        (shapes(),     r#""circle""#,                 "$: the case `circle` has a value: `{\"circle\": …}`"),
        (shapes(),     r#"{"none":null}"#,            "$: the case `none` has no value: `\"none\"`"),
        (shapes(),     r#"{"circle":1,"none":1}"#,    "$.none: a variant has one case"),
        (shapes(),     r#"{"circle":"a"}"#,           "$.circle: expected a number (f32), found a string"),
        (shapes(),     "{}",                          "$: a variant has one case, but the object is empty"),
        (shapes(),     "1",                           "$: expected a string, or an object with one key (variant), found a number"),
        (Shape::Enum(names(["red", "green"])), r#""Red""#, "$: there is no case \"Red\"; there are `red`, `green`"),
        (flags(),      r#"["read","exec"]"#,          "$[1]: there is no flag \"exec\"; there are `read`, `write`"),
        (flags(),      r#"["read","read"]"#,          "$[1]: `read` appears twice"),
        (flags(),      r#"[1]"#,                      "$[0]: expected a string, found a number"),
        (flags(),      r#"{"read":true}"#,            "$: expected an array of strings (flags), found an object"),
        (option(option(S32)), "1",                    "$: expected `null`, or `{\"some\": …}`, found a number"),
        (option(option(S32)), "{}",                   "$.some: is missing"),
        (option(option(S32)), r#"{"none":1}"#,        "$.none: there is no such key; there are `some`"),
        (option(option(S32)), r#"{"some":"a"}"#,      "$.some: expected a whole number (s32), found a string"),
        (result(Some(S32), None), "{}",               "$: neither `ok` nor `err` is present"),
        (result(Some(S32), None), r#"{"err":1}"#,     "$.err: expected `null`, found a number"),
        (result(Some(S32), None), r#"{"ok":1,"err":null}"#, "$.err: there is no such key; there are `ok`, `err`"),
        (result(Some(S32), None), r#"{"ok":null}"#,   "$.ok: expected a whole number (s32), found `null`"),
    ];
    for (shape, json, message) in cases {
        assert_eq!(read(&shape, json).expect_err(json).to_string(), message, "{json}");
    }
}

#[test]
fn a_non_finite_number_names_its_path() {
    let shape = record([("a", list(Shape::F64)), ("b", option(Shape::F32))]);
    let value = |a: f64, b: f32| {
        let b = Val::Option(Some(Box::new(Val::Float32(b))));
        Val::Record(vec![("a".into(), Val::List(vec![Val::Float64(a)])), ("b".into(), b)])
    };
    let error = |value: &Val| match written(&shape, value).unwrap_err() {
        WriteError::Value(error) => error.to_string(),
        WriteError::TooLong => panic!("it is short"),
    };
    assert_eq!(error(&value(f64::NAN, 1.0)), "$.a[0]: NaN, which JSON does not have");
    assert_eq!(error(&value(f64::INFINITY, 1.0)), "$.a[0]: infinity, which JSON does not have");
    assert_eq!(error(&value(0.0, f32::NEG_INFINITY)), "$.b: -infinity, which JSON does not have");
    assert_eq!(written(&shape, &value(0.0, 0.5)).unwrap(), r#"{"a":[0.0],"b":0.5}"#);
}

#[test]
fn the_json_writer_stops_at_its_length_limit() {
    let shape = list(Shape::Bytes);
    let value = read(&shape, r#"["AAAA","AAAA"]"#).unwrap();
    let length = written(&shape, &value).unwrap().len();
    for (most, fits) in [(length, true), (length - 1, false), (3, false), (0, false)] {
        let mut writer = Writer::new(most);
        let is_written = writer.value(&shape, &value);
        assert_eq!(is_written.is_ok(), fits, "{most}");
        assert!(fits || is_written == Err(WriteError::TooLong));
        assert!(writer.into_json().len() <= most);
    }
    let mut writer = Writer::new(10);
    let text = Val::String("\0".repeat(10));
    assert_eq!(writer.value(&Shape::String, &text), Err(WriteError::TooLong));
}

#[test]
fn the_json_reader_stops_at_its_memory_limit() {
    const MAX: usize = 100;
    let too_much = "the item's values take more than 128MiB";
    let error = |shape: &Shape, json: &str| {
        let read = Reader::with_memory(json, MAX * size_of::<Val>()).value(shape);
        read.err().map(|error| error.to_string())
    };
    let zeros = |count: usize| format!("[{}0]", "0,".repeat(count - 1));
    // The list itself counts as one value.
    assert_eq!(error(&list(U8), &zeros(MAX - 1)), None);
    assert_eq!(error(&Shape::Bytes, &zeros(MAX - 1)), None);
    assert_eq!(error(&list(U8), &zeros(MAX)), Some(format!("$[99]: {too_much}")));
    assert_eq!(error(&Shape::Bytes, &zeros(MAX)), Some(format!("$[99]: {too_much}")));
    let base64 = |bytes: usize| format!("\"{}\"", "AAAA".repeat(bytes / 3));
    assert_eq!(error(&Shape::Bytes, &base64(MAX - 1)), None);
    assert_eq!(error(&Shape::Bytes, &base64(MAX + 2)), Some(format!("$: {too_much}")));
    let text = format!("\"{}\"", "a".repeat(MAX * size_of::<Val>()));
    assert_eq!(error(&Shape::String, &text), Some(format!("$: {too_much}")));
    let flags = Shape::Flags(names(["a"]));
    let many = list(flags);
    assert_eq!(
        error(&many, &format!("[{}[]]", "[],".repeat(MAX))),
        Some(format!("$[99]: {too_much}"))
    );
    // Missing fields take memory.
    let records = |count: usize| format!("[{}{{}}]", "{},".repeat(count - 1));
    let options = list(record([("a", option(U8)), ("b", option(U8)), ("c", option(U8))]));
    assert_eq!(error(&options, &records(10)), None);
    let each = size_of::<Val>() + 3 * (size_of::<(String, Val)>() + 1);
    let fit = (MAX - 1) * size_of::<Val>() / each;
    assert_eq!(error(&options, &records(25)), Some(format!("$[{fit}]: {too_much}")));
    let all = vec![0; 128 * 1024 * 1024 / size_of::<Val>() + 1];
    assert_eq!(Reader::raw_bytes(&all[1..]).err(), None);
    assert_eq!(Reader::raw_bytes(&all).unwrap_err().to_string(), format!("$: {too_much}"));
}
