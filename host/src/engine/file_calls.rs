//! Applies two rules that WASI's own rights cannot express to the file calls of plugins:
//!
//! * Without a grant, a plugin cannot create or move symbolic links.
//! * A plugin cannot write more bytes than the disk limit of its worker.
//!
//! Core modules call WASI preview 1: the module `blocking_calls` applies the rules before and after each call.
//! Components call WASI preview 2: the module `component` wraps the file functions of that version.

mod component;

use std::sync::Arc;

use wasmtime_wasi::p1::WasiP1Ctx;
use wasmtime_wasi::p1::wasi_snapshot_preview1::{self as functions, WasiSnapshotPreview1 as _};
use wiggle::GuestMemory;

pub(crate) use self::component::add_to_linker;
use super::core_abi::guest_memory;
use super::state::InstanceParts;
use crate::sandbox::disk::{Disk, OutOfDisk};

/// The error code of WASI preview 1 for a call that is not permitted: `perm`.
pub(crate) const NOT_PERMITTED: i32 = 63;

/// The descriptors of standard output and standard error, which are not files.
const STANDARD: [u32; 2] = [1, 2];

/// The rules on file calls for one instance.
#[derive(Debug)]
pub(crate) struct FileRules {
    may_link: bool,
    disk: Arc<Disk>,
    /// True if a file may have the descriptor of standard output or standard error.
    is_standard_replaced: bool,
}

/// A call of WASI preview 1.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FileCall<'a> {
    pub(crate) name: &'static str,
    pub(crate) parameters: &'a [i64],
}

/// The decision on a call before it is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CallDecision {
    /// The host does not make the call. The guest gets this error code.
    Refused(i32),
    /// The host makes the call. `charged` is the number of bytes that were taken from the disk limit.
    Allowed { charged: u64 },
}

impl FileCall<'_> {
    fn parameter(self, at: usize) -> u32 {
        // Guests pass 32-bit parameters, which are sign-extended here.
        u32::try_from(self.parameters[at] & 0xFFFF_FFFF).expect("masked to 32 bits")
    }
}

impl FileRules {
    pub(crate) fn of(parts: &InstanceParts) -> Self {
        let (may_link, disk) = (parts.grants.may_link(), Arc::clone(&parts.disk));
        Self { may_link, disk, is_standard_replaced: false }
    }

    /// Decides on a call. For a write, it takes the bytes from the disk limit.
    pub(crate) fn before_call(
        &mut self,
        call: FileCall<'_>,
        memory: &[u8],
    ) -> Result<CallDecision, OutOfDisk> {
        let allowed = |charged| Ok(CallDecision::Allowed { charged });
        match call.name {
            "path_symlink" if !self.may_link => Ok(CallDecision::Refused(NOT_PERMITTED)),
            _ if !self.disk.is_limited() => allowed(0),
            "fd_close" | "fd_renumber" => {
                let files = 0..call.parameters.len();
                self.is_standard_replaced |=
                    files.into_iter().any(|at| STANDARD.contains(&call.parameter(at)));
                allowed(0)
            }
            "fd_write" if !self.is_standard_replaced && STANDARD.contains(&call.parameter(0)) => {
                allowed(0)
            }
            "fd_write" | "fd_pwrite" => {
                let bytes = first_buffer(memory, call.parameter(1), call.parameter(2));
                self.disk.take(bytes)?;
                allowed(bytes)
            }
            "fd_filestat_set_size" => {
                self.disk.check_size(call.parameters[1].cast_unsigned())?;
                allowed(0)
            }
            _ => allowed(0),
        }
    }

    /// Returns the directory and name of a file that a call moves or links. Returns `None` for other calls, and if the
    /// plugin may move symbolic links. The caller must check that the file is not a symbolic link, because a moved link
    /// could lead outside the granted directories.
    pub(crate) fn moved_file(&self, call: FileCall<'_>, memory: &[u8]) -> Option<(i32, Vec<u8>)> {
        /// A length that exceeds every path that a system accepts.
        const MAX: u32 = 64 * 1024;
        if self.may_link {
            return None;
        }
        let (name, length) = match call.name {
            "path_rename" => (call.parameter(1), call.parameter(2)),
            "path_link" => (call.parameter(2), call.parameter(3)),
            _ => return None,
        };
        let name = guest_memory::bytes(memory, name, length.min(MAX))?.to_vec();
        Some((call.parameter(0).cast_signed(), name))
    }

    /// Returns bytes to the disk limit that were taken for a call and not written.
    pub(crate) fn after_call(
        &self,
        call: FileCall<'_>,
        memory: &[u8],
        charged: u64,
        has_succeeded: bool,
    ) {
        if charged == 0 {
            return;
        }
        let address = call.parameter(call.parameters.len() - 1);
        let written = guest_memory::bytes(memory, address, 4).filter(|_| address.is_multiple_of(4));
        let unwritten = match (written.and_then(|bytes| bytes.try_into().ok()), has_succeeded) {
            (Some(written), true) => charged.saturating_sub(word(written)),
            (Some(_), false) => charged,
            // If the guest gave an invalid address for the number of written bytes, WASI may fail after it has written
            // to the file. In this case, all charged bytes remain charged to the disk limit.
            (None, _) => 0,
        };
        self.disk.give_back(unwritten);
    }
}

/// Returns whether a name is a symbolic link. This function passes a buffer of the host to WASI preview 1 for the
/// answer, so that the guest's memory stays unchanged.
pub(crate) async fn is_symlink(
    wasi: &mut WasiP1Ctx,
    (dir, name): (i32, Vec<u8>),
) -> wasmtime::Result<bool> {
    /// The size of the file's attributes in WASI preview 1, and the offset of the file type in them.
    const ANSWER: usize = 64;
    const TYPE: usize = 16;
    const SYMBOLIC_LINK: u8 = 7;
    let length = i32::try_from(name.len())?;
    let mut bytes = [vec![0; ANSWER], name].concat();
    let mut memory = GuestMemory::Unshared(&mut bytes);
    wasi.set_hostcall_fuel(usize::MAX);
    let path = i32::try_from(ANSWER)?;
    let error_code =
        functions::path_filestat_get(wasi, &mut memory, dir, 0, path, length, 0).await?;
    Ok(error_code == 0 && bytes[TYPE] == SYMBOLIC_LINK)
}

fn word(bytes: [u8; 4]) -> u64 {
    u32::from_le_bytes(bytes).into()
}

/// Returns the length of the first non-empty buffer among the first `count` buffers. WASI writes only the content of
/// this buffer to the file, and does not read the descriptions of later buffers.
fn first_buffer(memory: &[u8], buffers: u32, count: u32) -> u64 {
    let start = usize::try_from(buffers).unwrap_or(usize::MAX);
    // WASI refuses a buffer whose description lies partly outside the memory.
    let described = memory.get(start..).unwrap_or_default().as_chunks::<8>().0.iter();
    let lengths = described.map(|[_, _, _, _, a, b, c, d]| word([*a, *b, *c, *d]));
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    lengths.take(count).find(|length| *length > 0).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(disk: &str) -> FileRules {
        let disk = Arc::new(Disk::new(Some(disk.parse().unwrap())));
        FileRules { may_link: false, disk, is_standard_replaced: false }
    }

    /// Returns a memory with four buffer descriptions at 0 (lengths 0, 5, 7 and 0) and `written` at 32.
    fn memory(written: u32) -> Vec<u8> {
        let words = [0, 0, 64, 5, 64, 7, 0, 0, written];
        words.iter().flat_map(|word: &u32| word.to_le_bytes()).collect()
    }

    fn write(parameters: &[i64]) -> FileCall<'_> {
        FileCall { name: "fd_write", parameters }
    }

    #[test]
    fn unwritten_bytes_return_to_the_disk_limit() {
        #[rustfmt::skip]
        let cases = [
            // buffers, count, address  written  succeeded  left of 10
            ([4, 0, 3, 32],           5,       true,      5),
            ([4, 0, 3, 32],           2,       true,      8),
            ([4, 0, 3, 32],           0,       false,     10),
            ([4, 8, 2, 32],           5,       true,      5),
            ([4, 16, 1, 32],          7,       true,      3),
            ([4, 0, 1, 32],           0,       true,      10),
            // The address of the answer is invalid, so the number of written bytes is unknown.
            ([4, 0, 3, 33],           0,       false,     5),
            ([4, 0, 3, 34],           0,       false,     5),
            ([4, 0, 3, 0xFFFF_FFF0],  0,       false,     5),
            // The count exceeds the described buffers; WASI still writes the first one.
            ([4, 0, 30_000, 32],      5,       true,      5),
            ([4, 16, 0xFFFF_FFFF, 32], 7,      true,      3),
            // A description that lies partly outside the memory: WASI writes nothing.
            ([4, 32, 1, 32],          0,       false,     10),
            // Standard output is not a file.
            ([1, 0, 3, 32],           5,       true,      10),
        ];
        for (parameters, written, has_succeeded, left) in cases {
            let mut rules = rules("10");
            let (call, memory) = (write(&parameters), memory(written));
            let Ok(CallDecision::Allowed { charged }) = rules.before_call(call, &memory) else {
                panic!("refused")
            };
            rules.after_call(call, &memory, charged, has_succeeded);
            assert!(rules.disk.take(left).is_ok(), "{parameters:?}");
            assert!(rules.disk.take(1).is_err(), "{parameters:?}");
        }
    }

    #[test]
    fn a_file_on_descriptor_1_counts_as_a_file() {
        for call in [
            FileCall { name: "fd_close", parameters: &[1] },
            FileCall { name: "fd_renumber", parameters: &[5, 2] },
            FileCall { name: "fd_renumber", parameters: &[1, 5] },
        ] {
            let mut rules = rules("5");
            let memory = memory(5);
            assert_eq!(rules.before_call(call, &memory), Ok(CallDecision::Allowed { charged: 0 }));
            let decision = rules.before_call(write(&[1, 0, 3, 32]), &memory);
            assert_eq!(decision, Ok(CallDecision::Allowed { charged: 5 }));
            assert!(rules.before_call(write(&[2, 0, 3, 32]), &memory).is_err());
        }
    }
}
