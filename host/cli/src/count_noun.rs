//! Numbers with their nouns.

/// Returns the number and the noun, in the plural if needed: `1 item`, `3 items`.
pub(crate) fn count_noun(number: u64, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{number} {thing}s") }
}
