//! The key of a cache entry: a digest of everything on which the entry depends.

use std::fmt;
use std::hash::Hasher;

use sha2::Digest;

use crate::item::digest::Sha256;

/// The kind of a cache entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EntryKind {
    /// A compiled plugin.
    Plugin,
    /// A compiled snapshot of a plugin after its `init`.
    Snapshot,
    /// A compiled plugin in a file of the user.
    Precompiled,
}

impl EntryKind {
    /// Returns the part of a file's name before the first hyphen.
    const fn name(self) -> &'static str {
        match self {
            Self::Plugin => "plugin",
            Self::Snapshot => "snapshot",
            Self::Precompiled => "precompiled",
        }
    }

    /// Returns whether a file with this name is an entry of this kind.
    pub(crate) fn matches_name(self, name: &str) -> bool {
        name.split_once('-').is_some_and(|(kind, _)| kind == self.name())
    }
}

/// The key of an entry: its kind, and the digest of its inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    kind: EntryKind,
    digest: Sha256,
}

impl Key {
    /// Starts a key for an entry of this kind. The caller adds the inputs with [`KeyBuilder::part`].
    pub(crate) fn builder(kind: EntryKind) -> KeyBuilder {
        KeyBuilder { kind, hash: sha2::Sha256::new() }.part(kind.name().as_bytes())
    }

    pub(crate) fn digest(&self) -> Sha256 {
        self.digest
    }
}

/// Formats the name of the entry's file.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.kind.name(), self.digest)
    }
}

/// A builder of a key. The key depends on the order of the parts and on the boundaries between them.
#[derive(Clone, Debug)]
#[must_use = "call `build` to get the key"]
pub(crate) struct KeyBuilder {
    kind: EntryKind,
    hash: sha2::Sha256,
}

impl KeyBuilder {
    pub(crate) fn part(mut self, bytes: &[u8]) -> Self {
        self.hash.update((bytes.len() as u64).to_le_bytes());
        self.hash.update(bytes);
        self
    }

    pub(crate) fn build(self) -> Key {
        Key { kind: self.kind, digest: Sha256::from(<[u8; 32]>::from(self.hash.finalize())) }
    }
}

/// A hasher that gives values of [`std::hash::Hash`] a SHA-256 digest.
#[derive(Debug, Default)]
pub(crate) struct Sha256Hasher(sha2::Sha256);

impl Sha256Hasher {
    /// Returns the digest of `value`.
    pub(crate) fn of(value: &impl std::hash::Hash) -> Sha256 {
        let mut hasher = Self::default();
        value.hash(&mut hasher);
        Sha256::from(<[u8; 32]>::from(hasher.0.finalize()))
    }
}

impl Hasher for Sha256Hasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        unreachable!("only the whole digest is used")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_differ_by_kind_and_parts() {
        let keys = [
            Key::builder(EntryKind::Plugin).build(),
            Key::builder(EntryKind::Snapshot).build(),
            Key::builder(EntryKind::Plugin).part(b"").build(),
            Key::builder(EntryKind::Plugin).part(b"ab").build(),
            Key::builder(EntryKind::Plugin).part(b"a").part(b"b").build(),
            Key::builder(EntryKind::Plugin).part(b"b").part(b"a").build(),
        ];
        for (at, key) in keys.iter().enumerate() {
            assert!(keys[..at].iter().all(|other| other.digest() != key.digest()), "{key}");
        }
        assert_eq!(keys[3], Key::builder(EntryKind::Plugin).part(b"ab").build());
    }

    #[test]
    fn a_key_displays_its_kind_and_digest() {
        let name = Key::builder(EntryKind::Plugin).build().to_string();
        let (kind, digits) = name.split_once('-').unwrap();
        assert_eq!((kind, digits.len()), ("plugin", 64));
        assert!(EntryKind::Plugin.matches_name(&name) && !EntryKind::Snapshot.matches_name(&name));
    }

    #[test]
    fn hashable_values_have_a_digest() {
        assert_eq!(Sha256Hasher::of(&("a", 1)), Sha256Hasher::of(&("a", 1)));
        assert_ne!(Sha256Hasher::of(&("a", 1)), Sha256Hasher::of(&("a", 2)));
    }
}
