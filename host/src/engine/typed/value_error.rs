//! An error in a value, with the path to it.

use std::fmt;

/// An error in a value, with the path to the value: `$.points[3].x: …`.
///
/// The reader builds the path only after an error, from the invalid value outwards. Therefore it spends no time on the
/// paths of valid values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ValueError {
    /// The steps of the path, the innermost first.
    steps: Vec<Step>,
    message: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Key(String),
    Index(usize),
}

impl ValueError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { steps: Vec::new(), message: message.into() }
    }

    /// Adds the key of the object that contains the value.
    pub(crate) fn in_key(mut self, key: &str) -> Self {
        self.steps.push(Step::Key(key.into()));
        self
    }

    /// Adds the index in the array that contains the value.
    pub(crate) fn in_index(mut self, index: usize) -> Self {
        self.steps.push(Step::Index(index));
        self
    }

    /// Adds the name of the parameter that contains the value.
    pub(crate) fn of_parameter(mut self, name: &str) -> Self {
        self.message = format!("{} (in `{name}`)", self.message);
        self
    }
}

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("$")?;
        for step in self.steps.iter().rev() {
            match step {
                Step::Key(key) if is_plain(key) => write!(f, ".{key}")?,
                Step::Key(key) => write!(f, "[{}]", shortened(key))?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        write!(f, ": {}", self.message)
    }
}

/// Returns whether a key needs no quotes in a path.
fn is_plain(key: &str) -> bool {
    let is_name_byte = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    !key.is_empty() && key.len() <= MAX_QUOTED && key.bytes().all(is_name_byte)
}

/// The largest number of bytes of an item that a message quotes.
const MAX_QUOTED: usize = 64;

/// Returns a part of an item in quotes, shortened to a readable length.
pub(crate) fn shortened(text: &str) -> String {
    match text.len() > MAX_QUOTED {
        true => format!("\"{}…\"", text[..text.floor_char_boundary(MAX_QUOTED)].escape_debug()),
        false => format!("\"{}\"", text.escape_debug()),
    }
}

/// Returns a list of names for a message. If the list is long, it is cut and ends with the number of the omitted names.
pub(crate) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    crate::engine::export_names::names(names.into_iter().map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_error_shows_the_path_to_the_mistake() {
        let error = ValueError::new("what").in_key("x").in_index(3).in_key("points");
        assert_eq!(error.to_string(), "$.points[3].x: what");
        assert_eq!(ValueError::new("what").to_string(), "$: what");
        let odd = ValueError::new("what").in_key("a b\n").in_key("");
        assert_eq!(odd.to_string(), r#"$[""]["a b\n"]: what"#);
        let named = ValueError::new("what").of_parameter("b").in_index(1);
        assert_eq!(named.to_string(), "$[1]: what (in `b`)");
    }

    #[test]
    fn long_words_are_cut_between_letters() {
        let shown = shortened(&"ä".repeat(1000));
        assert_eq!(shown, format!("\"{}…\"", "ä".repeat(32)));
    }
}
