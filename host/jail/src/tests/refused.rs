//! Tests of a jail without grants: each misdeed is refused.

use std::thread;

use super::{Task, alone, bare, begin, ends_by, enter, misdeeds, not_refused, seal};

#[test]
fn misdeeds_are_refused_before_and_after_the_seal() {
    alone("refused::misdeeds_are_refused_before_and_after_the_seal", |parent| {
        begin(parent).unwrap();
        enter(&bare(Task::Work)).unwrap();
        let parent = parent.as_raw_nonzero().get();
        all_are_refused(parent);
        // A new thread is in the jail.
        thread::scope(|scope| scope.spawn(|| all_are_refused(parent)).join().unwrap());
        seal().unwrap();
        all_are_refused(parent);
    });
}

#[test]
fn a_compiler_jail_refuses_misdeeds() {
    alone("refused::a_compiler_jail_refuses_misdeeds", |parent| {
        begin(parent).unwrap();
        enter(&bare(Task::Compile)).unwrap();
        let parent = parent.as_raw_nonzero().get();
        all_are_refused(parent);
        seal().unwrap();
        all_are_refused(parent);
        let done =
            [not_refused(misdeeds::on_code()), not_refused(misdeeds::on_resources())].concat();
        // The engine of a compiler may make code read-only. No code runs there.
        assert_eq!(done.len(), 1, "{done:#?}");
        assert!(done[0].contains("read-only"), "{done:#?}");
    });
}

fn all_are_refused(parent: i32) {
    let groups = [
        misdeeds::on_processes(parent),
        misdeeds::on_the_system(),
        misdeeds::on_files(),
        misdeeds::on_file_metadata(c"/tmp"),
        misdeeds::on_the_network(),
        misdeeds::on_other_sockets(),
        misdeeds::on_memory(),
    ];
    for group in groups {
        assert!(group.len() > 3);
        let done = not_refused(group);
        assert!(done.is_empty(), "{done:#?}");
    }
}

#[test]
fn no_thread_creates_code_after_the_seal() {
    let test = "refused::no_thread_creates_code_after_the_seal";
    alone(test, |parent| {
        begin(parent).unwrap();
        enter(&bare(Task::Work)).unwrap();
        thread::scope(|scope| {
            let (sealed, is_sealed) = std::sync::mpsc::channel();
            let (starts, has_started) = std::sync::mpsc::channel();
            let before = scope.spawn(move || {
                starts.send(()).unwrap();
                is_sealed.recv().unwrap();
                not_refused(misdeeds::on_code())
            });
            let done_before = not_refused(misdeeds::on_code());
            assert!(!done_before.is_empty(), "the engine loads code before the seal");
            has_started.recv().unwrap();
            seal().unwrap();
            sealed.send(()).unwrap();
            let done = [before.join().unwrap(), not_refused(misdeeds::on_code())].concat();
            assert!(done.is_empty(), "{done:#?}");
        });
    });
}

#[test]
fn the_seal_forbids_new_threads_and_hidden_memory() {
    let test = "refused::the_seal_forbids_new_threads_and_hidden_memory";
    alone(test, |parent| {
        begin(parent).unwrap();
        enter(&bare(Task::Work)).unwrap();
        assert!(!not_refused(misdeeds::on_resources()).is_empty(), "threads start before the seal");
        seal().unwrap();
        let done = not_refused(misdeeds::on_resources());
        assert!(done.is_empty(), "{done:#?}");
    });
}

#[test]
fn alternative_syscall_numbers_are_refused() {
    alone("refused::alternative_syscall_numbers_are_refused", |parent| {
        begin(parent).unwrap();
        enter(&bare(Task::Work)).unwrap();
        let done = not_refused(misdeeds::by_x32_numbers());
        assert!(done.is_empty(), "{done:#?}");
    });
}

#[cfg(target_arch = "x86_64")]
#[test]
fn a_32_bit_syscall_kills_the_process() {
    // A kernel without 32-bit calls treats the instruction as invalid.
    let signals = [libc::SIGSYS, libc::SIGSEGV];
    ends_by(&signals, "refused::a_32_bit_syscall_kills_the_process", |parent| {
        begin(parent).unwrap();
        enter(&bare(Task::Work)).unwrap();
        call_as_32_bits();
    });
}

#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "only assembly makes such a call")]
fn call_as_32_bits() {
    const GETPID: u32 = 20;
    // SAFETY: the call has no arguments and accesses no memory; it returns a number in `eax`. The assembly declares
    // every register that the kernel may change.
    unsafe {
        std::arch::asm!(
            "int 0x80", inout("eax") GETPID => _,
            out("r8") _, out("r9") _, out("r10") _, out("r11") _,
        );
    }
}
