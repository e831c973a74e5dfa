//! Names of parameters in messages.

use std::fmt;

/// A list of names in a sentence: `a`, `b` and `c`, in backticks.
pub(crate) struct Names<'a>(pub(crate) &'a [&'a str]);

impl fmt::Display for Names<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, name) in self.0.iter().enumerate() {
            let before = match index {
                0 => "",
                _ if index + 1 == self.0.len() => " and ",
                _ => ", ",
            };
            write!(f, "{before}`{name}`")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_as_in_a_sentence() {
        assert_eq!(Names(&["a"]).to_string(), "`a`");
        assert_eq!(Names(&["a", "b"]).to_string(), "`a` and `b`");
        assert_eq!(Names(&["a", "b", "c"]).to_string(), "`a`, `b` and `c`");
    }
}
