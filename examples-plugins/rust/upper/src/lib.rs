//! Writes ASCII letters in upper case. The lesson: a plugin may change an item in place and return
//! it as the result. It handles sixteen bytes at a time, because `.cargo/config.toml` of the
//! examples enables vector instructions.

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
        // Fewer bytes than a vector remain. The last vector covers them and bytes that are already
        // in upper case.
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
    fn ascii_letters_become_upper_case_and_other_bytes_stay() {
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
