//! The cost of a plugin's line: the number of bytes in its displayed form.
//!
//! The display shows control characters in escaped form, and puts the name of the worker before
//! each line. A plugin is charged for the displayed text, which may be six times as long as the
//! text that the plugin wrote.

/// The cost of the worker's name before a line, in addition to the cost of the text. So even an
/// empty line has a cost.
pub(super) const LINE: usize = 32;

/// The cost of a notice about dropped lines.
pub(super) const NOTICE: usize = 96;

/// Returns the cost of `text`, which may have several lines.
#[doc(hidden)]
#[must_use]
pub fn cost(text: &str) -> usize {
    text.chars().map(size).sum::<usize>() + LINE
}

fn size(character: char) -> usize {
    match character {
        '\n' => LINE,
        character if is_plain(character) => character.len_utf8(),
        character => character.escape_default().len(),
    }
}

/// Returns whether a terminal shows `character` without any other effect. All other characters are
/// escaped for display.
#[doc(hidden)]
#[must_use]
pub fn is_plain(character: char) -> bool {
    character == '\t' || !character.is_control() && !changes_direction(character)
}

/// Returns whether `character` changes the order in which a terminal shows text.
fn changes_direction(character: char) -> bool {
    matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(character, '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_costs_its_escaped_length() {
        #[rustfmt::skip]
        let cases = [
            ("",                  LINE),
            ("hello\tx",          LINE + 7),
            ("gr\u{fc}n",         LINE + 5),
            ("\u{1b}\u{1b}",      LINE + 2 * r"\u{1b}".len()),
            ("\r",                LINE + r"\r".len()),
            ("\u{9b}\u{202e}",    LINE + r"\u{9b}\u{202e}".len()),
            ("a\nb\n",            3 * LINE + 2),
        ];
        for (text, expected) in cases {
            assert_eq!(cost(text), expected, "{text:?}");
        }
    }
}
