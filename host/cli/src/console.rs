//! Standard error, which messages and the progress bar share.
//!
//! Each message is written above the bar, without interruption by another message. Control
//! characters in a message are escaped, except line feeds and tabs. Write errors are ignored,
//! because no other stream for error messages exists.

use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::escape;

/// Standard error, shared by messages and the progress bar.
pub(crate) struct Console(Mutex<State>);

struct State {
    out: Box<dyn Write + Send>,
    bar: Bar,
}

/// The progress bar on the last line.
enum Bar {
    Absent,
    /// A bar on a terminal.
    Drawn(ProgressBar),
    /// A bar elsewhere, redrawn with carriage returns. The line holds `width` characters.
    Written {
        width: usize,
    },
}

impl Console {
    /// Creates a console that writes to standard error.
    pub(crate) fn standard_error() -> Self {
        Self::to(io::stderr())
    }

    /// Creates a console that writes to `out`.
    pub(crate) fn to(out: impl Write + Send + 'static) -> Self {
        Self(Mutex::new(State { out: Box::new(out), bar: Bar::Absent }))
    }

    /// Writes a line, above the bar.
    pub(crate) fn print_line(&self, text: &str) {
        let mut state = self.state();
        let State { out, bar } = &mut *state;
        let whole = format!("{}\n", escape::lines(text));
        match bar {
            Bar::Absent => put(out, &whole),
            Bar::Drawn(bar) => bar.suspend(|| put(out, &whole)),
            Bar::Written { width } => {
                put(out, &format!("{}{whole}", erasure(*width)));
                *width = 0;
            }
        }
    }

    /// Shows a frame of the bar in place of the last one.
    pub(crate) fn draw_bar(&self, frame: &str) {
        let frame = &escape::line(frame);
        let mut state = self.state();
        if let Bar::Absent = state.bar {
            state.bar =
                if io::stderr().is_terminal() { drawn() } else { Bar::Written { width: 0 } };
        }
        let State { out, bar } = &mut *state;
        match bar {
            Bar::Absent => {}
            Bar::Drawn(bar) => bar.set_message(frame.clone()),
            Bar::Written { width } => {
                let (old, new) = (*width, frame.chars().count());
                put(out, &format!("\r{frame}{:1$}", "", old.saturating_sub(new)));
                *width = new;
            }
        }
    }

    /// Ends the bar: its last frame stays, and later output goes below it.
    pub(crate) fn finish_bar(&self, frame: &str) {
        let frame = &escape::line(frame);
        let mut state = self.state();
        let State { out, bar } = &mut *state;
        match std::mem::replace(bar, Bar::Absent) {
            Bar::Absent => put(out, &format!("{frame}\n")),
            Bar::Drawn(bar) => {
                bar.finish_and_clear();
                put(out, &format!("{frame}\n"));
            }
            Bar::Written { width } => put(out, &format!("{}{frame}\n", erasure(width))),
        }
    }

    /// Ends the line of the bar, so that later output begins on a new line.
    pub(crate) fn end_line(&self) {
        let mut state = self.state();
        if !matches!(state.bar, Bar::Absent) {
            put(&mut state.out, "\n");
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // After a panic, the worst state is a wrong width of the bar.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn drawn() -> Bar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    bar.set_style(ProgressStyle::with_template("{msg}").expect("the template is valid"));
    Bar::Drawn(bar)
}

/// Returns the text that erases `width` characters at the beginning of the line.
fn erasure(width: usize) -> String {
    if width == 0 { String::new() } else { format!("\r{:width$}\r", "") }
}

fn put(out: &mut impl Write, text: &str) {
    let _ = out.write_all(text.as_bytes());
    let _ = out.flush();
}

impl fmt::Debug for Console {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Console").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[derive(Clone, Default)]
    struct Memory(Arc<Mutex<Vec<u8>>>);

    impl Write for Memory {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn written(by: impl FnOnce(&Console)) -> String {
        let memory = Memory::default();
        let console = Console::to(memory.clone());
        console.state().bar = Bar::Written { width: 0 };
        by(&console);
        let bytes = memory.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_printed_line_replaces_the_bar() {
        let text = written(|console| {
            console.draw_bar("bar 10");
            console.draw_bar("bar 9");
            console.print_line("a line");
            console.draw_bar("bar 8");
            console.finish_bar("bar 7");
            console.print_line("the end");
        });
        assert_eq!(text, "\rbar 10\rbar 9 \r     \ra line\n\rbar 8\r     \rbar 7\nthe end\n");
    }

    #[test]
    fn the_console_escapes_control_characters() {
        let text = written(|console| {
            console.draw_bar("\u{1b}1\r");
            console.print_line("a\u{1b}[2J\tb\n\u{9b}c\r\u{202e}");
            console.finish_bar("\u{7}2\n");
        });
        let shown = text.replace('\r', "|");
        assert_eq!(
            shown,
            "|\\u{1b}1\\r|         |a\\u{1b}[2J\tb\n\\u{9b}c\\r\\u{202e}\n\\u{7}2\\n\n"
        );
    }
}
