//! The number of bytes that a plugin's line becomes where it is shown.
//!
//! A terminal gets control characters escaped, and each line behind the name of its worker. A plugin
//! that writes what becomes six times as much is charged for that.

/// The cost of a line beside its text, for the name of its worker. So empty lines cost something.
pub(super) const LINE: usize = 32;

/// The cost of a notice about dropped lines.
pub(super) const NOTICE: usize = 96;

/// Returns what it costs to show `text`, which may be several lines.
#[doc(hidden)]
#[must_use]
pub fn cost(text: &str) -> usize {
    text.chars().map(size).sum::<usize>() + LINE
}

fn size(sign: char) -> usize {
    match sign {
        '\n' => LINE,
        sign if is_plain(sign) => sign.len_utf8(),
        sign => sign.escape_default().len(),
    }
}

/// Returns whether a terminal shows `sign` and does nothing else. What shows a text escapes all others.
#[doc(hidden)]
#[must_use]
pub fn is_plain(sign: char) -> bool {
    sign == '\t' || !sign.is_control() && !changes_direction(sign)
}

/// Returns whether `sign` would show text in another order than it has.
fn changes_direction(sign: char) -> bool {
    matches!(sign, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(sign, '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_costs_what_is_shown_of_it() {
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
