//! Checks that a run never loads its whole input or output. The host limits the memory between
//! input and output, and the number of items that the reader reads ahead.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::process::ChildStdin;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};

use crate::support::{Host, host};

const MIB: usize = 1024 * 1024;

/// The size of the whole input, in lines of a hundred bytes.
const INPUT: usize = 150 * MIB;

/// The upper bound on the command's memory.
const MAX_MEMORY: usize = 100 * MIB;

/// The upper bound on bytes that are read ahead: the window, and the content of pipes and buffers.
const MAX_AHEAD: usize = 32 * MIB;

/// Describes a run of two workers whose output goes to `/dev/null`.
fn described(plugin: &str, order: &[&str]) -> Host {
    let nowhere = File::options().write(true).open("/dev/null").unwrap();
    host()
        .plugin(plugin)
        .args(["--jobs", "2"])
        .args(order.iter().copied())
        .stdin_open()
        .stdout_to(nowhere)
}

/// Returns 5,000 lines of a hundred bytes.
fn lines() -> Vec<u8> {
    (0..5_000).map(|number| format!("{number:099}\n")).collect::<String>().into_bytes()
}

#[test]
fn memory_does_not_grow_with_the_input() {
    for order in [&[][..], &["--unordered"]] {
        let mut running = described("upper.wat", order).start();
        let (mut input, block) = (running.take_stdin(), lines());
        for _ in 0..INPUT / block.len() {
            input.write_all(&block).unwrap();
        }
        // The run has processed all input except the items in flight. The run continues, because
        // its input is still open.
        let peak = running.peak_memory();
        drop(input);
        running.finish().code(0).stderr("");
        assert!(peak < MAX_MEMORY, "{order:?}: {} MiB", peak / MIB);
    }
}

#[test]
fn a_slow_item_stalls_the_reader_and_bounds_memory() {
    #[rustfmt::skip]
    let cases: [(&[&str], bool); 2] = [
        // order           the reader is held back
        (&[],              true),
        // The other worker continues, and its results are written.
        (&["--unordered"], false),
    ];
    for (order, is_held_back) in cases {
        let mut running =
            described("wait.wat", order).subfolder("gate").args(["--dir", "gate::/gate"]).start();
        running.send("wait\n");
        running.wait_for_stderr("begun");
        let mut input = running.take_stdin();
        let ahead = fill(&mut input, if is_held_back { 3 } else { 30 });
        let peak = running.peak_memory();
        if is_held_back {
            assert!(ahead < MAX_AHEAD, "{} MiB were read ahead", ahead / MIB);
        } else {
            assert!(ahead >= INPUT, "only {} MiB were read", ahead / MIB);
        }
        assert!(peak < MAX_MEMORY, "{order:?}: {} MiB", peak / MIB);

        fs::write(running.folder().join("gate/open"), "").unwrap();
        drop(input);
        running.finish().code(0);
    }
}

/// Writes lines to the pipe `input`, until `INPUT` bytes are written or the pipe accepts nothing
/// for `seconds`. Returns the number of bytes written.
///
/// A test can observe that the pipe accepts nothing for a while, but not that the pipe will never
/// accept more. On a very slow machine, such a pause may occur before the host reaches its limit.
/// The test then proves less.
fn fill(input: &mut ChildStdin, seconds: i64) -> usize {
    let timeout = Timespec { tv_sec: seconds, tv_nsec: 0 };
    let flags = fcntl_getfl(&*input).unwrap();
    fcntl_setfl(&*input, flags | OFlags::NONBLOCK).unwrap();
    let (block, mut written) = (lines(), 0);
    while written < INPUT {
        match input.write(&block[written % block.len()..]) {
            Ok(more) => written += more,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                let writable = PollFd::new(&*input, PollFlags::OUT);
                if poll(&mut [writable], Some(&timeout)).unwrap() == 0 {
                    break;
                }
            }
            Err(error) => panic!("{error}"),
        }
    }
    fcntl_setfl(&*input, flags).unwrap();
    written
}

#[test]
fn one_item_may_be_large() {
    // The item is larger than a block, larger than the buffer of a pipe, and larger than an eighth
    // of the window. The fixture accepts no larger item.
    let item = "x".repeat(3 * MIB);
    host()
        .plugin("upper.wat")
        .stdin(format!("a\n{item}\nb\n"))
        .run()
        .code(0)
        .stdout(format!("A\n{}\nB\n", item.to_uppercase()));
}
