//! Escapes untrusted text, so that a terminal receives no control characters from a plugin.
//!
//! Escape sequences could control the terminal, a carriage return could hide the text before it, and
//! direction marks could show text in another order.

use std::fmt::Write;

pub(super) use mtl_host::event::is_plain;

/// Returns `text` on one line, with every character escaped that is not plain.
pub(super) fn line(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        push(character, &mut shown);
    }
    shown
}

/// Escapes `text`, except its line breaks, and inserts `indent` before each line except the first. The indent
/// distinguishes the lines of `text` from messages of the command.
pub(super) fn block(text: &str, indent: &str) -> String {
    let text = text.trim_end();
    let mut shown = String::with_capacity(text.len());
    for (number, part) in text.lines().enumerate() {
        if number > 0 {
            shown.push('\n');
            shown.push_str(indent);
        }
        shown.push_str(&line(part));
    }
    shown
}

/// Returns equivalent JSON in which every character that is not plain is escaped. In JSON, such characters occur only
/// in strings.
pub(super) fn json(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if character == '\t' || !is_plain(character) {
            write!(shown, "\\u{:04x}", u32::from(character))
                .expect("writing to a string cannot fail");
        } else {
            shown.push(character);
        }
    }
    shown
}

/// Returns the first `max` characters of `text`. If characters are missing, adds the full size.
pub(super) fn head(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        None => text.to_owned(),
        Some((end, _)) => {
            let mut head = text[..end].to_owned();
            write!(head, "… ({} bytes in all)", text.len())
                .expect("writing to a string cannot fail");
            head
        }
    }
}

/// Returns `text` with its line breaks, and every other character escaped that is not plain.
pub(super) fn lines(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if character == '\n' { shown.push(character) } else { push(character, &mut shown) }
    }
    shown
}

fn push(character: char, shown: &mut String) {
    match is_plain(character) {
        true => shown.push(character),
        false => shown.extend(character.escape_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_move_the_cursor_are_escaped() {
        #[rustfmt::skip]
        let cases = [
            ("plain gr\u{fc}n \u{1f600}",  "plain gr\u{fc}n \u{1f600}"),
            ("tab\tstays",                 "tab\tstays"),
            ("\u{1b}[2J\u{7}",             r"\u{1b}[2J\u{7}"),
            ("a\rb\nc",                    r"a\rb\nc"),
            ("\u{9b}31m",                  r"\u{9b}31m"),
            ("\u{202e}txt.exe",            r"\u{202e}txt.exe"),
            ("\0",                         r"\u{0}"),
        ];
        for (text, expected) in cases {
            assert_eq!(line(text), expected, "{text:?}");
        }
    }

    /// The library charges a plugin for its output in the form that is shown here.
    #[test]
    fn a_character_costs_its_escaped_length() {
        let cost = |text: &str| mtl_host::event::cost(text) - mtl_host::event::cost("");
        let characters =
            ('\0'..='\u{ffff}').filter(|character| *character != '\n').map(String::from);
        let wrong: Vec<_> =
            characters.filter(|character| cost(character) != line(character).len()).collect();
        assert_eq!(wrong, [""; 0]);
    }

    #[test]
    fn a_block_is_indented_and_escaped() {
        assert_eq!(
            block("one\nerror: two\r\n\u{1b}three\n", "   "),
            "one\n   error: two\n   \\u{1b}three"
        );
    }

    #[test]
    fn escaped_json_keeps_its_meaning() {
        let text = "a\u{9b}\u{7f}\u{202e}\t\u{1f600}\"";
        let shown = json(&serde_json::json!([text]).to_string());
        assert!(shown.chars().all(is_plain));
        assert_eq!(serde_json::from_str::<[String; 1]>(&shown).unwrap(), [text]);
    }

    #[test]
    fn long_text_is_cut_between_characters() {
        assert_eq!(head("gr\u{fc}n", 4), "gr\u{fc}n");
        assert_eq!(head("gr\u{fc}n", 3), "gr\u{fc}… (5 bytes in all)");
    }
}
