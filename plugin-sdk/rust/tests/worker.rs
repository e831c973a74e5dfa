//! Runs workers of `#[worker]` natively, with each of the three ways to pass arguments.

#![expect(clippy::unwrap_used, reason = "a test fails by its panic")]

use std::borrow::Cow;

use mtl_plugin::{
    Error, Failure, Json,
    context::{Format, Passing},
    testing::{Context, Instance},
    worker,
};

/// A worker that prints its arguments.
struct Show {
    shown: u64,
    before: String,
}

#[derive(serde::Deserialize)]
struct Point {
    x: i64,
    y: i64,
}

#[worker]
impl Show {
    fn init(before: Option<String>) -> Result<Self, Error> {
        let before = before.unwrap_or_default();
        if before == "no" { Err("not today".into()) } else { Ok(Self { shown: 0, before }) }
    }

    fn call(
        &mut self,
        line_number: u8,
        mut text: &str,
        Json(points): Json<Vec<Point>>,
        r#type: Option<bool>,
    ) -> Result<String, Failure> {
        if text.is_empty() {
            text = "nothing";
        }
        if line_number == 0 {
            return Err(Failure::refused("lines are counted from one"));
        }
        self.shown += 1;
        let sum: i64 = points.iter().map(|point| point.x * point.y).sum();
        Ok(format!("{}{line_number} {text} {sum} {:?}", self.before, r#type))
    }

    fn finish(self) -> u64 {
        self.shown
    }
}

mtl_plugin::export!(Show);

fn start<W: mtl_plugin::Worker>(argument_passing: Passing, item_format: Format) -> Instance<W> {
    Context { argument_passing, item_format, ..Context::NEW }.enter();
    Instance::start("").unwrap()
}

/// Calls a worker with items and compares the results.
#[track_caller]
fn assert_calls<W: mtl_plugin::Worker>(
    worker: &mut Instance<W>,
    cases: &[(&str, Result<&str, &str>)],
) {
    for &(item, expected) in cases {
        let expected = match expected {
            Ok(text) => Ok(Some(text.as_bytes().to_vec())),
            Err(message) => Err(Failure::bad_item(message)),
        };
        assert_eq!(worker.call(item), expected, "{item}");
    }
}

#[test]
fn an_array_fills_parameters_by_position() {
    let mut show = start::<Show>(Passing::Args, Format::Text);
    #[rustfmt::skip]
    assert_calls(&mut show, &[
        // item                                           result
        (r#"[1, "a", [], true]"#,                         Ok("1 a 0 Some(true)")),
        (r#" [ 1 , "\n" , [{"x":2,"y":3}] , null ] "#,    Ok("1 \n 6 None")),
        (r#"[255,"",[]]"#,                                Ok("255 nothing 0 None")),
        (r#"[1,"a"]"#,                                    Err("parameter `points` is missing")),
        ("[]",                                            Err("parameter `line_number` is missing")),
        (r#"[256,"a",[]]"#,                               Err("parameter `line_number`: invalid value: integer `256`, expected u8")),
        (r#"[1,2,[]]"#,                                   Err("parameter `text`: invalid type: integer `2`, expected a string")),
        (r#"[1,"a",[{"x":1}]]"#,                          Err("parameter `points`: missing field `y`")),
        (r#"[1,"a",[],0]"#,                               Err("parameter `type`: invalid type: integer `0`, expected a boolean")),
        (r#"[1,"a",[],null,null,null]"#,                  Err("an array of 6 elements, and the parameters are `line_number`, `text`, `points` and `type`")),
        (r#"{"text":"a"}"#,                               Err("invalid type: map, expected an array of the parameters `line_number`, `text`, `points` and `type`")),
        ("one",                                           Err("not a JSON array: expected value at line 1 column 1")),
    ]);
    assert_eq!(show.call(r#"[0,"a",[]]"#), Err(Failure::refused("lines are counted from one")));
    assert_eq!(show.finish(), Ok(Some(b"3".to_vec())));
}

#[test]
fn an_object_fills_parameters_by_name() {
    let mut show = start::<Show>(Passing::Kwargs, Format::Json);
    #[rustfmt::skip]
    assert_calls(&mut show, &[
        // item                                                      result
        (r#"{"line_number":1,"text":"a","points":[],"type":true}"#,  Ok("1 a 0 Some(true)")),
        (r#"{"type":null,"points":[],"text":"\u00e9\"","line-number":1}"#, Ok("1 é\" 0 None")),
        (r#"{"text":"a","points":[]}"#,                              Err("parameter `line_number` is missing")),
        (r#"{"line_number":1,"line-number":1}"#,                     Err("parameter `line_number` is given twice")),
        (r#"{"r#type":true}"#,                                       Err("unknown parameter `r#type`; the parameters are `line_number`, `text`, `points` and `type`")),
        (r#"{"line_number":null,"text":"a","points":[]}"#,           Err("parameter `line_number`: invalid type: null, expected u8")),
        (r#"[1,"a",[]]"#,                                            Err("invalid type: sequence, expected an object with the parameters `line_number`, `text`, `points` and `type`")),
    ]);
}

#[test]
fn an_item_cannot_be_several_parameters() {
    Context::NEW.enter();
    let error = Instance::<Show>::start("").unwrap_err();
    assert_eq!(
        error.message(),
        "`call` has 4 parameters, `line_number`, `text`, `points` and `type`: use `--args args` \
         if an item is a JSON array of them, or `--args kwargs` if it is a JSON object"
    );
}

#[test]
fn init_reads_its_arguments_and_may_fail() {
    Context { argument_passing: Passing::Args, ..Context::NEW }.enter();
    let mut show = Instance::<Show>::start("> ").unwrap();
    assert_calls(&mut show, &[(r#"[1,"a",[]]"#, Ok("> 1 a 0 None"))]);
    assert_eq!(Instance::<Show>::start("no").unwrap_err().message(), "not today");
}

/// A worker that counts the calls of `after_restore`.
struct Restored(u32);

#[worker]
impl Restored {
    fn init() -> Self {
        Self(0)
    }

    fn after_restore(&mut self) {
        self.0 += 1;
    }

    fn call(&self, item: &str) -> String {
        format!("{item}{}", self.0)
    }
}

#[test]
fn after_restore_runs_on_a_copy() {
    let mut worker = start::<Restored>(Passing::Single, Format::Text);
    assert_calls(&mut worker, &[("a", Ok("a0"))]);
    worker.after_restore();
    assert_calls(&mut worker, &[("a", Ok("a1"))]);

    // `after_restore` is optional.
    let mut double = start::<Double>(Passing::Single, Format::Text);
    double.after_restore();
    assert_calls(&mut double, &[("2", Ok("4"))]);
}

/// A worker with one parameter, without `init` and without `Result`.
#[derive(Default)]
struct Double;

#[worker]
impl Double {
    fn call(number: i64) -> Option<i64> {
        number.checked_mul(2)
    }
}

#[test]
fn one_parameter_can_be_passed_in_all_three_ways() {
    let mut double = start::<Double>(Passing::Single, Format::Text);
    assert_eq!(mtl_plugin::testing::result_format(), Format::Json);
    assert_calls(
        &mut double,
        &[
            (" 21 ", Ok("42")),
            ("[21]", Err("parameter `number`: invalid type: sequence, expected i64")),
            (
                "many",
                Err("parameter `number`: not the expected JSON: expected value at line 1 column 1"),
            ),
        ],
    );
    assert_eq!(double.call(i64::MAX.to_string()), Ok(None));

    let mut double = start::<Double>(Passing::Args, Format::Text);
    assert_calls(&mut double, &[("[21]", Ok("42")), ("[]", Err("parameter `number` is missing"))]);

    let mut double = start::<Double>(Passing::Kwargs, Format::Text);
    assert_calls(&mut double, &[(r#"{"number":21}"#, Ok("42"))]);
}

/// A worker whose results borrow from its parameters.
#[derive(Default)]
struct Longest {
    longest: String,
}

#[worker]
impl Longest {
    fn call<'w>(&'w mut self, one: &'w str, other: Option<&'w str>) -> Result<&'w str, Failure> {
        let longer = Self::longer(one, other.unwrap_or_default());
        if longer.len() > self.longest.len() {
            longer.clone_into(&mut self.longest);
        }
        Ok(longer)
    }

    fn longer<'s>(one: &'s str, other: &'s str) -> &'s str {
        if other.len() > one.len() { other } else { one }
    }

    fn finish(self) -> Result<Option<String>, Error> {
        if self.longest.is_empty() {
            Err("nothing but nothing".into())
        } else {
            Ok(Some(self.longest))
        }
    }
}

#[test]
fn a_result_may_borrow_from_the_parameters() {
    let mut longest = start::<Longest>(Passing::Args, Format::Text);
    assert_calls(
        &mut longest,
        &[(r#"["a","\u00e9"]"#, Ok("é")), (r#"["abc","\t"]"#, Ok("abc")), (r#"["a"]"#, Ok("a"))],
    );
    assert_eq!(longest.finish(), Ok(Some(b"abc".to_vec())));

    let longest = start::<Longest>(Passing::Args, Format::Text);
    assert_eq!(longest.finish().unwrap_err().message(), "nothing but nothing");
}

#[derive(Default)]
struct Latest(String);

#[worker]
impl Latest {
    fn call(&mut self, text: &[u8]) -> Option<Lines<'_>> {
        self.0 = String::from_utf8_lossy(text).into_owned();
        Some(Lines(Cow::Borrowed(&self.0)))
    }
}

struct Lines<'a>(Cow<'a, str>);

impl mtl_plugin::IntoOutput for Lines<'_> {
    fn into_output<'b>(self, buffer: &'b mut Vec<u8>) -> Result<Option<&'b [u8]>, Failure>
    where
        Self: 'b,
    {
        buffer.clear();
        buffer.extend(self.0.lines().count().to_string().bytes());
        Ok(Some(buffer))
    }
}

#[test]
fn a_result_may_borrow_from_the_worker() {
    let mut latest = start::<Latest>(Passing::Single, Format::Text);
    assert_calls(&mut latest, &[("a\nb", Ok("2")), ("\"a\\nb\"", Ok("1"))]);
    let mut latest = start::<Latest>(Passing::Single, Format::Json);
    assert_calls(&mut latest, &[("\"a\\nb\"", Ok("2")), ("{}", Ok("1"))]);
}

#[test]
fn each_instance_keeps_its_way_of_passing() {
    let mut by_position = start::<Double>(Passing::Args, Format::Text);
    let mut by_name = start::<Double>(Passing::Kwargs, Format::Text);
    assert_calls(&mut by_position, &[("[1]", Ok("2"))]);
    assert_calls(&mut by_name, &[(r#"{"number":1}"#, Ok("2"))]);
}
