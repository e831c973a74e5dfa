//! my-worker greets names and counts its greetings.

use mtl_plugin::{Error, Failure, IntoOutput, Worker};

struct Greeter {
    greeting: String,
    greeted: u64,
}

impl Worker for Greeter {
    type Init = Option<String>;
    type Item<'a> = &'a str;
    type Output<'a> = String;

    /// Starts a worker. `greeting` is the text of `--init`.
    fn init(greeting: Option<String>) -> Result<Self, Error> {
        Ok(Self {
            greeting: greeting.unwrap_or("Hello".into()),
            greeted: 0,
        })
    }

    /// Returns the record of one item.
    fn call(&mut self, name: &str) -> Result<String, Failure> {
        if name.is_empty() {
            return Err(Failure::bad_item("there is nobody to greet"));
        }
        self.greeted += 1;
        Ok(format!("{}, {name}!", self.greeting))
    }

    /// Returns the finish report.
    fn finish(self) -> Result<impl IntoOutput, Error> {
        Ok(format!("greeted: {}", self.greeted))
    }
}

mtl_plugin::export!(Greeter);

#[cfg(test)]
mod tests {
    use super::*;
    use mtl_plugin::testing::Instance;

    #[test]
    fn everyone_is_greeted() {
        let mut worker = Instance::<Greeter>::start("Hi").unwrap();
        assert_eq!(worker.call("Ada"), Ok(Some(b"Hi, Ada!".to_vec())));
        assert!(matches!(worker.call(""), Err(Failure::BadItem(_))));
        assert_eq!(worker.finish(), Ok(Some(b"greeted: 1".to_vec())));
    }
}
