//! Lists of export names in messages.

/// Returns a list of names for a message. If the list is long, this function cuts it and appends
/// the number of omitted names.
pub(crate) fn names(names: impl Iterator<Item = String>) -> String {
    const MAX: usize = 12;
    let mut names = names.map(|name| format!("`{}`", name.escape_debug()));
    let shown: Vec<_> = names.by_ref().take(MAX).collect();
    match (shown.len(), names.count()) {
        (0, _) => "nothing".into(),
        (_, 0) => shown.join(", "),
        (_, more) => format!("{} and {more} more", shown.join(", ")),
    }
}
