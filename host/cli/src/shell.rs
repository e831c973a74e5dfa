//! Quoting for a shell, so that the user can copy and run commands from messages.

use std::path::Path;

/// Returns a path as one word of a shell command. No program reads this word as a flag.
pub(super) fn path(path: &Path) -> String {
    let text = path.to_string_lossy();
    if text.starts_with('-') { quoted(&format!("./{text}")) } else { quoted(&text) }
}

/// Returns a text as one word of a shell command.
pub(super) fn quoted(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./+,@%=:".contains(&byte);
    match !text.is_empty() && text.bytes().all(is_plain) {
        true => text.into(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}
