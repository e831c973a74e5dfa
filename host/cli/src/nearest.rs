//! What somebody may have meant who wrote something else.

/// The known name that is like `name`, if one is.
pub(super) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let known = known.into_iter().map(|known| (distance(name, known), known));
    let (distance, known) = known.min_by_key(|(distance, _)| *distance)?;
    // Farther off it is another word.
    (distance <= 1 + known.len() / 3).then_some(known)
}

/// How many letters must be changed, added or left out.
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, letter) in one.bytes().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], at + 1);
        for (column, other) in other.bytes().enumerate() {
            let changed = diagonal + usize::from(letter != other);
            diagonal = row[column + 1];
            row[column + 1] = changed.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_what_was_meant_and_another_word_does_not() {
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

    #[test]
    fn the_distance_counts_letters() {
        for (one, other, expected) in [("", "", 0), ("ab", "", 2), ("kitten", "sitting", 3)] {
            assert_eq!(distance(one, other), expected);
            assert_eq!(distance(other, one), expected);
        }
    }
}
