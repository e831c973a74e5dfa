//! ASCII letters in upper case. The lesson: an item may be changed where it is, and given back as the
//! result; and work on bytes is done sixteen at a time, as `.cargo/config.toml` of these examples turns
//! the vector instructions on.

use mtl_plugin::{Error, Failure, Worker};

struct Upper;

impl Worker for Upper {
    type Init = ();
    type Item<'a> = &'a mut [u8];
    type Output<'a> = &'a mut [u8];

    fn init((): ()) -> Result<Self, Error> {
        Ok(Self)
    }

    fn call<'a>(&'a mut self, item: &'a mut [u8]) -> Result<&'a mut [u8], Failure> {
        const WIDTH: usize = 16;
        for part in item.as_chunks_mut::<WIDTH>().0 {
            part.make_ascii_uppercase();
        }
        // What is left is less than a vector: its letters and those before them, of which nothing changes any more.
        match item.last_chunk_mut::<WIDTH>() {
            Some(last) => last.make_ascii_uppercase(),
            None => item.make_ascii_uppercase(),
        }
        Ok(item)
    }
}

mtl_plugin::export!(Upper);

#[cfg(test)]
mod tests {
    use super::*;
    use mtl_plugin::testing::Instance;

    #[test]
    fn ascii_letters_are_put_in_upper_case_and_nothing_else_is_changed() {
        let mut upper = Instance::<Upper>::start("").unwrap();
        #[rustfmt::skip]
        let cases: [(&[u8], &[u8]); 7] = [
            // item                                    result
            (b"",                                      b""),
            (b"The quick brown fox, 17 of them: @[`{", b"THE QUICK BROWN FOX, 17 OF THEM: @[`{"),
            (b"abcdefghijklmno",                       b"ABCDEFGHIJKLMNO"),
            (b"abcdefghijklmnop",                      b"ABCDEFGHIJKLMNOP"),
            (b"abcdefghijklmnopqrst",                  b"ABCDEFGHIJKLMNOPQRST"),
            ("na\u{ef}ve".as_bytes(),                  "NA\u{ef}VE".as_bytes()),
            (b"\0\xff az",                             b"\0\xff AZ"),
        ];
        for (item, expected) in cases {
            assert_eq!(upper.call(item), Ok(Some(expected.to_vec())), "{item:?}");
        }
    }
}
