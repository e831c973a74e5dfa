//! Returns every item. The lesson: a result may be the item's own bytes, so the plugin copies
//! nothing. Its runs show the host's own cost of an item, so the benchmarks use it.

use mtl_plugin::{Error, Failure, Worker};

struct Echo;

impl Worker for Echo {
    type Init = ();
    type Item<'a> = &'a [u8];
    type Output<'a> = &'a [u8];

    fn init((): ()) -> Result<Self, Error> {
        Ok(Self)
    }

    fn call<'a>(&'a mut self, item: &'a [u8]) -> Result<&'a [u8], Failure> {
        Ok(item)
    }
}

mtl_plugin::export!(Echo);

#[cfg(test)]
mod tests {
    use super::*;
    use mtl_plugin::testing::Instance;

    #[test]
    fn every_item_is_returned_unchanged() {
        let mut echo = Instance::<Echo>::start("").unwrap();
        for item in [&b"one line"[..], b"", b"\0\xff"] {
            assert_eq!(echo.call(item), Ok(Some(item.to_vec())));
        }
    }
}
