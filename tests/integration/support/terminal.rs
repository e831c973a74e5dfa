//! Opens a pseudo-terminal, which shows programs a user at a terminal.

use std::fs::File;
use std::io::{self, Write};
use std::process::Stdio;

use rustix::ioctl::{Getter, Setter, ioctl};
use rustix::termios::{LocalModes, OptionalActions, Winsize, tcgetattr, tcsetattr, tcsetwinsize};

/// The request that unlocks the program's side; the value is 0.
const TIOCSPTLCK: rustix::ioctl::Opcode = rustix::ioctl::opcode::write::<i32>(b'T', 0x31);
/// The request for the number of the program's side.
const TIOCGPTN: rustix::ioctl::Opcode = rustix::ioctl::opcode::read::<u32>(b'T', 0x30);

/// A pseudo-terminal. The test has the user's side, and programs have the other side.
pub(crate) struct Terminal {
    person: File,
    program: File,
    path: String,
}

impl Terminal {
    /// Opens a terminal of 80 columns without echo.
    pub(crate) fn open() -> Self {
        let open = |path: &str| File::options().read(true).write(true).open(path).unwrap();
        let person = open("/dev/ptmx");
        unlock(&person).unwrap();
        let path = format!("/dev/pts/{}", number(&person).unwrap());
        let program = open(&path);

        let size = Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&program, size).unwrap();
        let mut modes = tcgetattr(&program).unwrap();
        modes.local_modes.remove(LocalModes::ECHO);
        tcsetattr(&program, OptionalActions::Now, &modes).unwrap();
        Self { person, program, path }
    }

    /// Returns the program's side as one of its standard streams.
    pub(crate) fn stdio(&self) -> Stdio {
        self.program.try_clone().unwrap().into()
    }

    /// Types `text` at the user's side.
    pub(crate) fn type_in(&mut self, text: &str) {
        self.person.write_all(text.as_bytes()).unwrap();
    }

    /// Returns all that programs have written. The programs must have ended.
    pub(crate) fn output_text(self) -> String {
        String::from_utf8(self.shown_bytes()).unwrap()
    }

    /// Returns the path of the program's side.
    pub(crate) fn path(&self) -> String {
        self.path.clone()
    }

    /// Returns all that programs have written, which need not be UTF-8.
    pub(crate) fn shown_bytes(self) -> Vec<u8> {
        let Self { mut person, program, .. } = self;
        // A read from the terminal ends only after all copies of the program's side are closed.
        // Linux then reports an error.
        drop(program);
        let mut shown = Vec::new();
        let _ = io::copy(&mut person, &mut shown);
        shown
    }
}

#[expect(unsafe_code, reason = "rustix has a safe call only behind another feature")]
fn unlock(terminal: &File) -> io::Result<()> {
    // SAFETY: `TIOCSPTLCK` takes a pointer to an `int`, and `Setter` passes one to a live `i32`.
    let request = unsafe { Setter::<TIOCSPTLCK, i32>::new(0) };
    // SAFETY: the request only reads the integer that `Setter` owns; it changes no other memory.
    unsafe { ioctl(terminal, request) }?;
    Ok(())
}

#[expect(unsafe_code, reason = "rustix has a safe call only behind another feature")]
fn number(terminal: &File) -> io::Result<u32> {
    // SAFETY: `TIOCGPTN` writes one `unsigned int`, and `Getter` passes a pointer to a live `u32`.
    let request = unsafe { Getter::<TIOCGPTN, u32>::new() };
    // SAFETY: the request writes only the integer that `Getter` owns.
    Ok(unsafe { ioctl(terminal, request) }?)
}
