//! Greets names. The lesson: a worker keeps the argument of `init` as its state.
//! `plugin-sdk/README.md` shows this code.

use mtl_plugin::{Error, Failure, Worker};

struct Greet(String);

impl Worker for Greet {
    type Init = String;
    type Item<'a> = &'a str;
    type Output<'a> = String;

    fn init(greeting: String) -> Result<Self, Error> {
        Ok(Self(greeting))
    }

    fn call(&mut self, name: &str) -> Result<String, Failure> {
        Ok(format!("{}, {name}!", self.0))
    }
}

mtl_plugin::export!(Greet);

#[cfg(test)]
mod tests {
    use super::*;
    use mtl_plugin::testing::Instance;

    #[test]
    fn everyone_is_greeted_with_the_argument_of_init() {
        let mut greet = Instance::<Greet>::start("Hello").unwrap();
        assert_eq!(greet.call("Ada"), Ok(Some(b"Hello, Ada!".to_vec())));
        assert!(Instance::<Greet>::start(b"\xff").is_err(), "a greeting is text");
    }
}
