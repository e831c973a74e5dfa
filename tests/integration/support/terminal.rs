//! A pseudo-terminal: what a person sits at.

use std::fs::File;
use std::io::{self, Write};
use std::process::Stdio;

use rustix::ioctl::{Getter, Setter, ioctl};
use rustix::termios::{LocalModes, OptionalActions, Winsize, tcgetattr, tcsetattr, tcsetwinsize};

/// Lets the other side be opened; 0 unlocks.
const TIOCSPTLCK: rustix::ioctl::Opcode = rustix::ioctl::opcode::write::<i32>(b'T', 0x31);
/// Gives the number of the other side.
const TIOCGPTN: rustix::ioctl::Opcode = rustix::ioctl::opcode::read::<u32>(b'T', 0x30);

/// A terminal. The test has the person's side, and programs the other.
pub(crate) struct Terminal {
    person: File,
    program: File,
    path: String,
}

impl Terminal {
    /// A terminal of 80 columns that does not echo.
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

    /// The program's side, as one of its streams.
    pub(crate) fn stdio(&self) -> Stdio {
        self.program.try_clone().unwrap().into()
    }

    /// Types.
    pub(crate) fn type_in(&mut self, text: &str) {
        self.person.write_all(text.as_bytes()).unwrap();
    }

    /// What programs have written, all of it; they must have ended.
    pub(crate) fn shown(self) -> String {
        String::from_utf8(self.shown_bytes()).unwrap()
    }

    /// The name of the program's side.
    pub(crate) fn path(&self) -> String {
        self.path.clone()
    }

    /// The same, which need not be text.
    pub(crate) fn shown_bytes(self) -> Vec<u8> {
        let Self { mut person, program, .. } = self;
        // Only when nobody has it open any more, there is an end: on Linux it is an error.
        drop(program);
        let mut shown = Vec::new();
        let _ = io::copy(&mut person, &mut shown);
        shown
    }
}

#[expect(unsafe_code, reason = "there is no safe call for this without another feature of rustix")]
fn unlock(terminal: &File) -> io::Result<()> {
    // SAFETY: the request takes a pointer to an integer.
    let request = unsafe { Setter::<TIOCSPTLCK, i32>::new(0) };
    // SAFETY: as above; it changes nothing in memory.
    unsafe { ioctl(terminal, request) }?;
    Ok(())
}

#[expect(unsafe_code, reason = "there is no safe call for this without another feature of rustix")]
fn number(terminal: &File) -> io::Result<u32> {
    // SAFETY: the request writes an unsigned integer where it is told to.
    let request = unsafe { Getter::<TIOCGPTN, u32>::new() };
    // SAFETY: as above.
    Ok(unsafe { ioctl(terminal, request) }?)
}
