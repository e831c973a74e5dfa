//! Raises numbers to powers. The lesson: `call` may have several parameters. A JSON array fills
//! them by position with `--args args`, a JSON object by name with `--args kwargs`.

use mtl_plugin::Failure;

#[derive(Default)]
struct Power;

#[mtl_plugin::worker]
impl Power {
    /// Returns `base` to the `exponent`, modulo `modulus` if it is given.
    fn call(&mut self, base: i64, exponent: u32, modulus: Option<i64>) -> Result<i64, Failure> {
        let power = base.checked_pow(exponent).ok_or("the power has more than 64 bits")?;
        let Some(modulus) = modulus else {
            return Ok(power);
        };
        power
            .checked_rem_euclid(modulus)
            .ok_or_else(|| Failure::bad_item("nothing can be divided by this `modulus`"))
    }
}

mtl_plugin::export!(Power);

#[cfg(test)]
mod tests {
    use super::*;
    use mtl_plugin::{
        context::Passing,
        testing::{Context, Instance},
    };

    fn assert_calls(argument_passing: Passing, cases: &[(&str, Result<&str, Failure>)]) {
        Context { argument_passing, ..Context::NEW }.enter();
        let mut power = Instance::<Power>::start("").unwrap();
        for (item, expected) in cases {
            let expected = expected.clone().map(|text| Some(text.as_bytes().to_vec()));
            assert_eq!(power.call(item), expected, "{item}");
        }
    }

    fn bad(message: &str) -> Result<&'static str, Failure> {
        Err(Failure::bad_item(message))
    }

    #[test]
    fn an_array_fills_the_parameters_by_position() {
        #[rustfmt::skip]
        assert_calls(Passing::Args, &[
            // item               result
            ("[2, 10]",           Ok("1024")),
            ("[-3, 3, null]",     Ok("-27")),
            ("[-3, 3, 10]",       Ok("3")),
            ("[10, 19]",          Err(Failure::refused("the power has more than 64 bits"))),
            ("[2, 3, 0]",         bad("nothing can be divided by this `modulus`")),
            ("[2]",               bad("parameter `exponent` is missing")),
            ("[2, -1]",           bad("parameter `exponent`: invalid value: integer `-1`, expected u32")),
            ("[2, 3, 5, 7]",      bad("an array of 4 elements, and the parameters are `base`, `exponent` and `modulus`")),
            ("2 10",              bad("invalid type: integer `2`, expected an array of the parameters `base`, `exponent` and `modulus`")),
        ]);
    }

    #[test]
    fn an_object_fills_the_parameters_by_name() {
        #[rustfmt::skip]
        assert_calls(Passing::Kwargs, &[
            // item                                            result
            (r#"{"exponent": 10, "base": 2}"#,                 Ok("1024")),
            (r#"{"base": 2, "exponent": 10, "modulus": 100}"#, Ok("24")),
            (r#"{"base": 2}"#,                                 bad("parameter `exponent` is missing")),
            (r#"{"base": "two", "exponent": 1}"#,              bad("parameter `base`: invalid type: string \"two\", expected i64")),
            (r#"{"base": 2, "power": 1}"#,                     bad("unknown parameter `power`; the parameters are `base`, `exponent` and `modulus`")),
        ]);
    }

    #[test]
    fn a_single_item_cannot_fill_three_parameters() {
        Context::NEW.enter();
        let error = Instance::<Power>::start("").unwrap_err();
        assert!(error.message().contains("use `--args args`"), "{error}");
    }
}
