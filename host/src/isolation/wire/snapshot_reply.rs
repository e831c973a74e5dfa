//! The replies of a child that is to freeze an instance.

use serde::{Deserialize, Serialize};

use super::{Frame, HEADER, Payload, ProtocolError, Reply};
use crate::engine::snapshot::Verdict;
use crate::event::snapshot_refusal::SnapshotRefusal;
use crate::item::format::Format;

/// The reply that an instance has been frozen. The snapshot's module is the first `length` bytes of
/// the file that the child received.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ChildSnapshotReply {
    pub(crate) length: u64,
    /// The format of the instance's results.
    pub(crate) format: Format,
    pub(crate) verdict: Verdict,
}

/// The most bytes of a reply about a snapshot. A cache keeps fewer.
const MAX: usize = 4 * 1024 * 1024;

impl ChildSnapshotReply {
    pub(crate) fn encode(mut self) -> Vec<u8> {
        let encode = |reply: &Self| Frame::reply(Reply::Frozen).data(reply).seal();
        let frame = encode(&self);
        if frame.len() - HEADER <= MAX {
            return frame;
        }
        // Without the list, the dependencies count as unknown.
        self.verdict.dependencies = None;
        encode(&self)
    }

    pub(crate) fn decode(payload: Payload<'_>) -> Result<Self, ProtocolError> {
        if payload.rest().len() > MAX {
            return Err(ProtocolError("too many dependencies of a snapshot"));
        }
        payload.data(ProtocolError("an invalid snapshot reply"))
    }
}

/// Returns the reply that an instance is not frozen, with the reason.
pub(crate) fn encode_snapshot_refusal(why: &SnapshotRefusal) -> Vec<u8> {
    Frame::reply(Reply::NotFrozen).data(why).seal()
}

/// Decodes the reason why an instance is not frozen.
pub(crate) fn decode_snapshot_refusal(
    payload: Payload<'_>,
) -> Result<SnapshotRefusal, ProtocolError> {
    /// The most bytes of a reason. Each message is shorter.
    const MAX: usize = 64 * 1024;
    if payload.rest().len() > MAX {
        return Err(ProtocolError("a refusal that is too long"));
    }
    payload.data(ProtocolError("an invalid refusal"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::snapshot::{Dependency, MAX_DEPENDENCIES};

    #[test]
    fn a_snapshot_reply_round_trips() {
        let dependency = Dependency { dir: 1, path: "é\n".into(), was_found: true };
        for (has_random, dependencies) in
            [(false, None), (true, Some(vec![])), (true, Some(vec![dependency]))]
        {
            let verdict = Verdict { has_random, dependencies };
            let reply = ChildSnapshotReply { length: 1 << 40, format: Format::Json, verdict };
            assert_eq!(
                ChildSnapshotReply::decode(Payload(&reply.clone().encode()[HEADER..])),
                Ok(reply)
            );
        }
        let large = SnapshotRefusal::TooLarge { bytes: 2, limit: 1 };
        for why in [SnapshotRefusal::Writes, large, SnapshotRefusal::Unsupported("x".into())] {
            assert_eq!(
                decode_snapshot_refusal(Payload(&encode_snapshot_refusal(&why)[HEADER..])),
                Ok(why)
            );
        }
    }

    #[test]
    fn malformed_replies_are_rejected() {
        let verdict = Verdict::default();
        let reply = ChildSnapshotReply { length: 1, format: Format::Text, verdict }.encode();
        for bad in [&reply[HEADER..reply.len() - 1], &[&reply[HEADER..], b"x"].concat()] {
            assert!(ChildSnapshotReply::decode(Payload(bad)).is_err(), "{bad:?}");
        }
        for bad in [&b""[..], b"{}", b"\x0c", b"\x00\x00", &[0; 3 * 1024 * 1024]] {
            assert!(decode_snapshot_refusal(Payload(bad)).is_err());
        }
    }

    #[test]
    fn the_dependencies_of_a_verdict_are_bounded() {
        let dependency = Dependency { dir: 0, path: String::new(), was_found: true };
        for (files, fits) in [(MAX_DEPENDENCIES, true), (MAX_DEPENDENCIES + 1, false)] {
            let verdict =
                Verdict { has_random: false, dependencies: Some(vec![dependency.clone(); files]) };
            let reply = ChildSnapshotReply { length: 1, format: Format::Text, verdict };
            let decoded = ChildSnapshotReply::decode(Payload(&reply.encode()[HEADER..]));
            assert_eq!(decoded.is_ok(), fits, "{files}");
        }
        let dependencies = vec![Dependency { path: "x".repeat(MAX), ..dependency }];
        let verdict = Verdict { has_random: true, dependencies: Some(dependencies) };
        let reply = ChildSnapshotReply { length: 1, format: Format::Text, verdict }.encode();
        let decoded = ChildSnapshotReply::decode(Payload(&reply[HEADER..])).unwrap();
        assert_eq!(decoded.verdict, Verdict { has_random: true, dependencies: None });
    }
}
