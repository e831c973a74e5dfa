//! What a child says of an instance that it was to freeze.

use super::start::{format_byte, format_of};
use super::{BadFrame, Frame, Payload, Reply};
use crate::engine::snapshot::Verdict;
use crate::event::snapshot_refusal::SnapshotRefusal;
use crate::item::format::Format;

/// An instance is frozen: so many bytes of a module are in the file that was handed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FrozenThere {
    pub(crate) length: u64,
    /// What its results are.
    pub(crate) format: Format,
    pub(crate) verdict: Verdict,
}

/// How much may be said of what was looked at. It is more than a cache keeps.
const MOST_SEEN: usize = 4 * 1024 * 1024;

impl FrozenThere {
    pub(crate) fn encode(self) -> Vec<u8> {
        let Verdict { has_random, seen } = self.verdict;
        let frame = Frame::reply(Reply::Frozen).long(self.length).byte(format_byte(self.format));
        let seen = serde_json::to_vec(&seen).expect("it is text and numbers");
        // What is too long to be told is as if nobody knew it.
        let seen = if seen.len() > MOST_SEEN { b"null".to_vec() } else { seen };
        frame.byte(u8::from(has_random)).rest(&seen).seal()
    }

    pub(crate) fn decode(mut payload: Payload<'_>) -> Result<Self, BadFrame> {
        let length = payload.long()?;
        let format = format_of(payload.byte()?)?;
        let has_random = payload.byte()? != 0;
        let seen = payload.rest();
        if seen.len() > MOST_SEEN {
            return Err(BadFrame("more files than it can have looked at"));
        }
        let seen = serde_json::from_slice(seen).map_err(|_| BadFrame("files that are none"))?;
        Ok(Self { length, format, verdict: Verdict { has_random, seen } })
    }
}

/// The reply that says why an instance is not frozen.
pub(crate) fn not_frozen(why: &SnapshotRefusal) -> Vec<u8> {
    let why = match why {
        SnapshotRefusal::Unsupported(text) => {
            SnapshotRefusal::Unsupported(super::short(text.clone()))
        }
        SnapshotRefusal::NotCompiled(text) => {
            SnapshotRefusal::NotCompiled(super::short(text.clone()))
        }
        other => other.clone(),
    };
    let json = serde_json::to_vec(&why).expect("it is text and numbers");
    Frame::reply(Reply::NotFrozen).rest(&json).seal()
}

/// Why an instance is not frozen.
pub(crate) fn refusal(payload: &[u8]) -> Result<SnapshotRefusal, BadFrame> {
    /// More than a message can take, however it has to be written.
    const MOST: usize = 64 * 1024;
    if payload.len() > MOST {
        return Err(BadFrame("a refusal that is too long"));
    }
    serde_json::from_slice(payload).map_err(|_| BadFrame("a refusal that is none"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::snapshot::Seen;
    use crate::isolation::wire::HEADER;

    #[test]
    fn what_is_said_of_a_snapshot_is_understood() {
        let seen = Seen { dir: 1, path: "é\n".into(), was_found: true };
        for (has_random, seen) in [(false, None), (true, Some(vec![])), (true, Some(vec![seen]))] {
            let verdict = Verdict { has_random, seen };
            let said = FrozenThere { length: 1 << 40, format: Format::Json, verdict };
            assert_eq!(FrozenThere::decode(Payload(&said.clone().encode()[HEADER..])), Ok(said));
        }
        let large = SnapshotRefusal::TooLarge { bytes: 2, limit: 1 };
        for why in [SnapshotRefusal::Writes, large, SnapshotRefusal::Unsupported("x".into())] {
            assert_eq!(refusal(&not_frozen(&why)[HEADER..]), Ok(why));
        }
    }

    #[test]
    fn what_does_not_hold_is_refused() {
        let verdict = Verdict::default();
        let said = FrozenThere { length: 1, format: Format::Text, verdict }.encode();
        for bad in [&said[HEADER..said.len() - 1], &[&said[HEADER..], b"x"].concat()] {
            assert!(FrozenThere::decode(Payload(bad)).is_err(), "{bad:?}");
        }
        for bad in [&b""[..], b"{}", b"\"Nothing\"", &[b' '; 3 * 1024 * 1024]] {
            assert!(refusal(bad).is_err());
        }
    }
}
