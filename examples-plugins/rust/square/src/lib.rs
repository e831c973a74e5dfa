//! Squares numbers. The lesson: an item that cannot be read is a *bad item*, and a valid item
//! without a result is *refused*. Both have a message.
//!
//! Integers are squared exactly up to 128 bits, other numbers as floating-point numbers.

use mtl_plugin::{Error, Failure, Worker};

struct Square;

impl Worker for Square {
    type Init = ();
    type Item<'a> = &'a str;
    type Output<'a> = String;

    fn init((): ()) -> Result<Self, Error> {
        Ok(Self)
    }

    fn call(&mut self, item: &str) -> Result<String, Failure> {
        let item = item.trim();
        if let Ok(whole) = item.parse::<i128>() {
            let square = whole.unsigned_abs().checked_mul(whole.unsigned_abs());
            return Ok(square.ok_or("the square has more than 128 bits")?.to_string());
        }
        match item.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok((number * number).to_string()),
            Ok(_) | Err(_) => Err(Failure::bad_item(format_args!("not a number: `{item}`"))),
        }
    }
}

mtl_plugin::export!(Square);

#[cfg(test)]
mod tests {
    use super::*;
    use mtl_plugin::testing::Instance;

    #[test]
    fn numbers_are_squared_and_other_items_have_a_message() {
        let bad = |message: &str| Err(Failure::bad_item(message));
        #[rustfmt::skip]
        let cases = [
            // item                    result
            ("12",                     Ok("144")),
            (" -12\r",                 Ok("144")),
            ("0",                      Ok("0")),
            ("1.5",                    Ok("2.25")),
            ("1e3",                    Ok("1000000")),
            ("18446744073709551615",   Ok("340282366920938463426481119284349108225")),
            ("18446744073709551616",   Err(Failure::refused("the square has more than 128 bits"))),
            ("twelve",                 bad("not a number: `twelve`")),
            ("",                       bad("not a number: ``")),
            ("inf",                    bad("not a number: `inf`")),
        ];
        let mut square = Instance::<Square>::start("").unwrap();
        for (item, expected) in cases {
            let expected = expected.map(|text| Some(text.as_bytes().to_vec()));
            assert_eq!(square.call(item), expected, "{item}");
        }
    }
}
