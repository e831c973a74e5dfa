use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::*;

/// How a child ends whose program is this script.
fn end_of(script: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("program");
    fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let bell = Arc::new(Bell::new().unwrap());
    Child::start(&Processes::new().program(program), &bell).unwrap().wait().to_string()
}

#[test]
fn what_a_terminal_sends_to_all_is_for_the_parent() {
    for signal in ["HUP", "INT", "QUIT", "TERM", "TSTP"] {
        let end = end_of(&format!("kill -{signal} $$; exit 7"));
        assert_eq!(end, "its process exited with code 7", "{signal}");
    }
}

#[test]
fn how_it_ended_is_said() {
    assert_eq!(end_of("kill -SEGV $$"), "its process was killed by signal 11 (SIGSEGV)");
    assert_eq!(end_of("echo first; echo 'last\t' >&2"), "its process exited with code 0: last\\t");
}

#[test]
fn this_thread_blocks_nothing_afterwards() {
    let blocked = || {
        let status = fs::read_to_string("/proc/thread-self/status").unwrap();
        status.lines().find(|line| line.starts_with("SigBlk")).unwrap().to_owned()
    };
    let before = blocked();
    end_of("exit 0");
    assert_eq!(blocked(), before);
}
