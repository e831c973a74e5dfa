//! Suggestions for misspelled names.

/// Returns the known name that is most similar to `name`, or `None` if no name is similar.
pub(super) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let known = known.into_iter().map(|known| (strsim::levenshtein(name, known), known));
    let (distance, known) = known.min_by_key(|(distance, _)| *distance)?;
    // A name that differs more is another word.
    (distance <= 1 + known.len() / 3).then_some(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typo_finds_the_nearest_name() {
        let known = ["jobs", "output", "output-format", "on-error"];
        #[rustfmt::skip]
        let cases = [
            ("job",            Some("jobs")),
            ("jbos",           Some("jobs")),
            ("outptu",         Some("output")),
            ("output_format",  Some("output-format")),
            ("onerror",        Some("on-error")),
            ("colour",         None),
            ("",               None),
        ];
        for (name, expected) in cases {
            assert_eq!(nearest(name, known), expected, "{name}");
        }
    }
}
