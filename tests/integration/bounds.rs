//! Nothing is loaded whole: what lies between the input and the output is bounded, in memory
//! and in how far the reader goes ahead.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::process::ChildStdin;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};

use crate::support::{Host, host};

const MIB: usize = 1024 * 1024;

/// How much goes through a run here, in lines of a hundred bytes.
const INPUT: usize = 150 * MIB;

/// What the command may have in memory at most.
const MOST_MEMORY: usize = 100 * MIB;

/// How far ahead the reader may be: the window, and what pipes and buffers hold.
const MOST_AHEAD: usize = 32 * MIB;

/// Two workers, and results that nobody reads.
fn described(plugin: &str, order: &[&str]) -> Host {
    let nowhere = File::options().write(true).open("/dev/null").unwrap();
    host()
        .plugin(plugin)
        .args(["--jobs", "2"])
        .args(order.iter().copied())
        .stdin_open()
        .stdout_to(nowhere)
}

/// Many lines of a hundred bytes.
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
        // All but what is in flight has been through; it still runs, since the input is open.
        let peak = running.peak_memory();
        drop(input);
        running.finish().code(0).stderr("");
        assert!(peak < MOST_MEMORY, "{order:?}: {} MiB", peak / MIB);
    }
}

#[test]
fn an_item_that_takes_long_holds_the_reader_back_and_memory_is_bounded() {
    #[rustfmt::skip]
    let cases: [(&[&str], bool); 2] = [
        // order           the reader is held back
        (&[],              true),
        // The other worker goes on, and its results go out.
        (&["--unordered"], false),
    ];
    for (order, held) in cases {
        let mut running =
            described("wait.wat", order).subfolder("gate").args(["--dir", "gate::/gate"]).start();
        running.send("wait\n");
        running.wait_for_stderr("begun");
        let mut input = running.take_stdin();
        let ahead = fill(&mut input, if held { 3 } else { 30 });
        let peak = running.peak_memory();
        if held {
            assert!(ahead < MOST_AHEAD, "{} MiB were read ahead", ahead / MIB);
        } else {
            assert!(ahead >= INPUT, "only {} MiB were read", ahead / MIB);
        }
        assert!(peak < MOST_MEMORY, "{order:?}: {} MiB", peak / MIB);

        fs::write(running.folder().join("gate/open"), "").unwrap();
        drop(input);
        running.finish().code(0);
    }
}

/// Writes until nothing more is taken for `seconds`, or all of it is; says how much that was.
///
/// That nothing more will ever be taken cannot be seen, only that nothing was for a while. On
/// a machine that is slow beyond measure, this sees too early that the reader is held back, and
/// the test sees less than it could.
fn fill(input: &mut ChildStdin, seconds: i64) -> usize {
    let patience = Timespec { tv_sec: seconds, tv_nsec: 0 };
    let flags = fcntl_getfl(&*input).unwrap();
    fcntl_setfl(&*input, flags | OFlags::NONBLOCK).unwrap();
    let (block, mut taken) = (lines(), 0);
    while taken < INPUT {
        match input.write(&block[taken % block.len()..]) {
            Ok(more) => taken += more,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                let writable = PollFd::new(&*input, PollFlags::OUT);
                if poll(&mut [writable], Some(&patience)).unwrap() == 0 {
                    break;
                }
            }
            Err(error) => panic!("{error}"),
        }
    }
    fcntl_setfl(&*input, flags).unwrap();
    taken
}

#[test]
fn one_item_may_be_large() {
    // Larger than a block, a pipe and a window's part of it; as large as the fixture takes.
    let item = "x".repeat(3 * MIB);
    host()
        .plugin("upper.wat")
        .stdin(format!("a\n{item}\nb\n"))
        .run()
        .code(0)
        .stdout(format!("A\n{}\nB\n", item.to_uppercase()));
}
