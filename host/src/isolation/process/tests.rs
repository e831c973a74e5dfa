use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::*;
use crate::control::alarm::Notify as _;
use crate::control::deadline::Overdue;

/// Writes a shell script as a program in this directory.
fn script(folder: &Path, script: &str) -> PathBuf {
    let program = folder.join("program");
    fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    program
}

/// Runs a script as a child, and returns how it ended.
fn end_of(script: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let (program, event_fd) =
        (self::script(folder.path(), script), Arc::new(EventFd::new().unwrap()));
    let mut child = Child::start(&Processes::new().program(program), &event_fd).unwrap();
    child.wait(&mut Forever).to_string()
}

/// A wait without a limit.
struct Forever;

impl WaitPolicy for Forever {
    fn next_deadline(&mut self) -> Result<Option<Instant>, Overdue> {
        Ok(None)
    }
}

/// A policy that ends a wait at its second call. The first call signals the eventfd. Without this
/// signal, the wait would never call the policy again.
struct UntilNotified<'a>(&'a EventFd, bool);

impl WaitPolicy for UntilNotified<'_> {
    fn next_deadline(&mut self) -> Result<Option<Instant>, Overdue> {
        if std::mem::replace(&mut self.1, true) {
            return Err(Overdue::Cancelled);
        }
        self.0.notify();
        Ok(None)
    }
}

#[test]
fn a_child_that_does_not_exit_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let (program, event_fd) =
        (script(folder.path(), "exec sleep 1000"), Arc::new(EventFd::new().unwrap()));
    let mut child = Child::start(&Processes::new().program(program), &event_fd).unwrap();
    let exit = child.wait(&mut UntilNotified(&event_fd, false));
    assert_eq!(exit.to_string(), "its process closed its socket, and was killed");
}

#[test]
fn a_child_ignores_terminal_signals() {
    for signal in ["HUP", "INT", "QUIT", "TERM", "TSTP"] {
        let end = end_of(&format!("kill -{signal} $$; exit 7"));
        assert_eq!(end, "its process exited with code 7", "{signal}");
    }
}

#[test]
fn the_end_of_a_child_names_its_signal_or_exit_code() {
    assert_eq!(end_of("kill -SEGV $$"), "its process was killed by signal 11 (SIGSEGV)");
    assert_eq!(end_of("echo first; echo 'last\t' >&2"), "its process exited with code 0: last\\t");
}

#[test]
fn starting_a_child_leaves_the_signal_mask_unchanged() {
    let blocked = || {
        let status = fs::read_to_string("/proc/thread-self/status").unwrap();
        status.lines().find(|line| line.starts_with("SigBlk")).unwrap().to_owned()
    };
    let before = blocked();
    end_of("exit 0");
    assert_eq!(blocked(), before);
}
