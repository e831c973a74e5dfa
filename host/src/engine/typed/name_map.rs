//! Values with names. A JSON key finds its value in logarithmic time.

use std::ops::Deref;

/// Values with their WIT names, in the order of their declaration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NameMap<T> {
    all: Vec<(String, T)>,
    /// The indices of the values, sorted by name.
    sorted: Vec<usize>,
}

impl<T> NameMap<T> {
    pub(crate) fn new(all: Vec<(String, T)>) -> Self {
        let mut sorted: Vec<_> = (0..all.len()).collect();
        sorted.sort_by(|one, other| all[*one].0.cmp(&all[*other].0));
        Self { all, sorted }
    }

    /// Returns the index of the value that a key names. `_` in the key matches `-` in the name.
    pub(crate) fn find(&self, key: &str) -> Option<usize> {
        let as_wit = |byte: u8| if byte == b'_' { b'-' } else { byte };
        let compare = |at: &usize| self.all[*at].0.bytes().cmp(key.bytes().map(as_wit));
        self.sorted.binary_search_by(compare).ok().map(|at| self.sorted[at])
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.all.iter().map(|(name, _)| name.as_str())
    }
}

impl<T> Deref for NameMap<T> {
    type Target = [(String, T)];

    fn deref(&self) -> &[(String, T)] {
        &self.all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_with_hyphens_or_underscores() {
        let named = NameMap::new(["z-1", "a", "b-c", "z"].map(|name| (name.into(), ())).into());
        #[rustfmt::skip]
        let cases = [
            ("z-1", Some(0)), ("z_1", Some(0)), ("a", Some(1)), ("b_c", Some(2)), ("z", Some(3)),
            ("", None), ("b", None), ("b-", None), ("b-c-", None), ("A", None), ("z1", None),
        ];
        for (key, index) in cases {
            assert_eq!(named.find(key), index, "{key}");
        }
        assert_eq!(NameMap::<()>::new(Vec::new()).find("a"), None);
    }
}
