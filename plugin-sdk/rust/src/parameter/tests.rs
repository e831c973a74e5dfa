use super::{Argument, Failure, Format, FromParameter, Json, fmt};

/// A function that makes an argument of bytes.
type NewArgument = fn(&mut [u8]) -> Argument<'_>;

/// Checks the parameter of type `T` that is read from an argument.
#[track_caller]
fn assert_read<T>(argument: NewArgument, given: &str, expected: Result<T, &str>)
where
    T: for<'a> FromParameter<'a> + PartialEq + fmt::Debug,
{
    let mut bytes = given.as_bytes().to_vec();
    let value = T::from_argument(argument(&mut bytes));
    assert_eq!(value, expected.map_err(Failure::bad_item), "{given}");
}

fn text_item(bytes: &mut [u8]) -> Argument<'_> {
    Argument::item(bytes, Format::Text)
}

fn json_item(bytes: &mut [u8]) -> Argument<'_> {
    Argument::item(bytes, Format::Json)
}

fn value(bytes: &mut [u8]) -> Argument<'_> {
    Argument::value(bytes)
}

#[test]
fn text_is_the_raw_item_or_the_text_of_a_json_string() {
    #[rustfmt::skip]
    let cases: [(NewArgument, &str, Result<&str, &str>); 10] = [
        // given               text
        (text_item, "a",       Ok("a")),
        (text_item, "\"a\"",   Ok("\"a\"")),
        (text_item, "",        Ok("")),
        (json_item, " \"a\" ", Ok("a")),
        (json_item, "[1]",     Ok("[1]")),
        (value,     "\"a\"",   Ok("a")),
        (value,     "\"\\n\"", Ok("\n")),
        (value,     "\"\"",    Ok("")),
        (value,     "1",       Err("invalid type: integer `1`, expected a string")),
        (value,     "null",    Err("invalid type: null, expected a string")),
    ];
    for (argument, given, expected) in cases {
        let owned = expected.map(str::to_owned);
        assert_read::<String>(argument, given, owned.clone());
        assert_read::<Vec<u8>>(argument, given, owned.map(String::into_bytes));

        let mut bytes = given.as_bytes().to_vec();
        let text = <&str>::from_argument(argument(&mut bytes));
        assert_eq!(text, expected.map_err(Failure::bad_item));
    }
}

#[test]
fn text_without_escapes_is_not_copied() {
    let mut item = *b"\"plain text\"";
    let start = item.as_ptr().addr() + 1;
    let text = <&str>::from_argument(Argument::value(&mut item)).unwrap();
    assert_eq!((text, text.as_ptr().addr()), ("plain text", start));
}

#[test]
fn numbers_never_wrap() {
    assert_read(text_item, " 255\r", Ok(255_u8));
    assert_read::<u8>(value, "256", Err("invalid value: integer `256`, expected u8"));
    assert_read::<u64>(value, "-1", Err("invalid value: integer `-1`, expected u64"));
    assert_read::<i64>(value, "1.5", Err("invalid type: floating point `1.5`, expected i64"));
    assert_read::<i64>(value, "\"1\"", Err("invalid type: string \"1\", expected i64"));
    assert_read(value, "-170141183460469231731687303715884105728", Ok(i128::MIN));
    assert_read::<i128>(
        value,
        "170141183460469231731687303715884105728",
        Err("number out of range"),
    );
    assert_read(value, "-0", Ok(0_u8));
    assert_read(text_item, " -0\r", Ok(Some(0_i128)));
    assert_read::<i64>(value, "-0.0", Err("invalid type: floating point `-0.0`, expected i64"));
    assert_read(value, "1e38", Ok(1e38_f32));
    assert_read(value, "3", Ok(3.0_f32));
    assert_read::<f32>(value, "1e39", Err("invalid value: floating point `1e39`, expected f32"));
    assert_read::<f64>(value, "1e999", Err("number out of range"));
    assert_read::<bool>(value, "1", Err("invalid type: integer `1`, expected a boolean"));
}

#[test]
fn null_is_none_for_an_option_except_in_text() {
    assert_read(value, "null", Ok(None::<i64>));
    assert_read(value, "1", Ok(Some(1_i64)));
    assert_read(value, "null", Ok(None::<String>));
    assert_read(text_item, "null", Ok(None::<i64>));
    assert_read(json_item, " null ", Ok(None::<String>));
    assert_read(text_item, "null", Ok(Some("null".to_owned())));
    assert_read(text_item, "null", Ok(Some(Some(b"null".to_vec()))));
    assert_read::<Option<i64>>(value, "\"\"", Err("invalid type: string \"\", expected i64"));
}

#[test]
fn an_item_that_is_not_json_has_the_position_of_the_error() {
    let message = "not the expected JSON: expected ident at line 1 column 2";
    assert_read::<i64>(text_item, "twelve", Err(message));
    assert_read::<Json<Vec<u8>>>(
        text_item,
        "[1,300]",
        Err("invalid value: integer `300`, expected u8"),
    );
    assert_read(value, "[1,2]", Ok(Json(vec![1_u8, 2])));
}
