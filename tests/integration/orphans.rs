//! Checks that no worker's process outlives its program, however the program ends.

use std::io::{self, Write};
use std::process;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread;

use mtl_host::event::{Event, Observer};
use mtl_host::{Engine, Plugin, Pool};
use rustix::process::Signal;

use crate::support::{
    DEADLINE, Running, children_of, fixtures, host_in_processes, own_process_run, processes,
    wait_for_children, wait_for_some_children, wait_until_gone,
};

/// The activity of two workers: its name, a run that begins it, and a check that both workers have begun.
type Activity = (&'static str, fn() -> Running, fn(&Running));

const WORKERS: usize = 2;

#[rustfmt::skip]
const AT_WORK: [Activity; 4] = [
    ("idle",      || start("upper.wat", &[], "one\n"),             |run| run.wait_for_stdout("ONE\n")),
    ("computing", || start("linger.wat", &[], "c\nc\n"),           receiver),
    ("sleeping",  || start("linger.wat", &[], "s\ns\n"),           receiver),
    ("starting",  || start("spin-init.wat", &["--init", "x"], ""), receiver),
];

fn start(plugin: &str, args: &[&'static str], items: &str) -> Running {
    let host = host_in_processes().plugin(plugin).args(["--jobs", "2"]);
    let mut running = host.args(args.iter().copied()).stdin_open().start();
    running.send(items);
    running
}

fn receiver(running: &Running) {
    running.wait_for_stderr_times("begun", WORKERS);
}

#[test]
fn workers_end_if_the_command_is_killed() {
    for (_, start, is_at_work) in AT_WORK {
        let running = start();
        is_at_work(&running);
        let children = wait_for_children(running.id(), WORKERS);
        running.signal(Signal::KILL);
        wait_until_gone(&children);
    }
}

#[test]
fn workers_end_if_ctrl_c_is_pressed_twice() {
    for (_, start, is_at_work) in AT_WORK {
        let running = start();
        is_at_work(&running);
        let children = wait_for_children(running.id(), WORKERS);
        running.signal(Signal::INT);
        // The kernel merges two signals that arrive at the same time, so the test sends them apart.
        running.wait_for_stderr("interrupted");
        running.signal(Signal::INT);
        wait_until_gone(&children);
        running.finish_with_stdin_open().code(130);
    }
}

/// Checks a command that is killed while it starts its workers' processes.
#[test]
fn workers_end_if_the_command_is_killed_at_their_start() {
    for _ in 0..20 {
        let host = host_in_processes().plugin("upper.wat").args(["--jobs", "8"]);
        let running = host.stdin_open().start();
        let first = wait_for_some_children(running.id());
        // The command is stopped during the count, so that it starts no further process.
        running.signal(Signal::STOP);
        let children = children_of(running.id());
        running.signal(Signal::KILL);
        wait_until_gone(&first);
        wait_until_gone(&children);
    }
}

type End = fn(Pool);

/// The ways in which a program with a busy pool can end.
#[rustfmt::skip]
const ENDS: [(&str, End); 6] = [
    ("it exits",            |_pool| exit()),
    ("it panics",           |_pool| panic!("to end so is what this is for")),
    ("it aborts",           |_pool| process::abort()),
    ("the pool is dropped", |pool| { drop(pool); stay() }),
    ("it forgets the pool", |pool| { std::mem::forget(pool); exit() }),
    ("it exits elsewhere",  |pool| {
        let elsewhere = thread::Builder::new().spawn(exit).unwrap();
        elsewhere.join().unwrap();
        drop(pool);
    }),
];

#[expect(clippy::exit, clippy::disallowed_methods, reason = "the test is about exiting")]
fn exit() {
    process::exit(0);
}

/// Waits until the test closes standard input or writes a line.
fn stay() {
    io::stdin().read_line(&mut String::new()).unwrap();
}

#[test]
fn workers_end_with_their_program() {
    for (ending, _) in ENDS {
        let name = "workers_end_with_their_program";
        let Some(program) = own_process_run(module_path!(), name, end_as_asked) else { return };
        let mut running = program.stdin_open().start();
        running.wait_for_stdout("at work\n");
        let children = wait_for_children(running.id(), WORKERS);
        running.send(format!("{ending}\n"));
        wait_until_gone(&children);
        drop(running.finish());
    }
}

/// Builds a busy pool, and ends in the way that standard input names.
fn end_as_asked() {
    // The kernel can end a child with the thread that started it, so the test starts the pool on a thread that ends.
    let maker = thread::Builder::new().spawn(at_work).unwrap();
    let pool = maker.join().unwrap();
    io::stdout().write_all(b"at work\n").unwrap();
    let mut ending = String::new();
    io::stdin().read_line(&mut ending).unwrap();
    let (_, end) = ENDS.into_iter().find(|(name, _)| *name == ending.trim_end()).unwrap();
    end(pool);
}

/// Returns a pool whose workers compute for ever.
fn at_work() -> Pool {
    let plugin = Plugin::load(&Engine::new().unwrap(), fixtures().join("linger.wat")).unwrap();
    let (sender, receiver) = channel();
    let mut pool = Pool::builder(&plugin)
        .isolation(processes())
        .jobs(WORKERS.to_string().parse().unwrap())
        .observer(Arc::new(OutputSignal(sender)))
        .build()
        .unwrap();
    let results = pool.map(["c", "c"]);
    for _ in 0..WORKERS {
        receiver.recv_timeout(DEADLINE).unwrap();
    }
    std::mem::forget(results);
    pool
}

/// An observer that signals when a plugin writes output.
struct OutputSignal(Sender<()>);

impl Observer for OutputSignal {
    fn notify(&self, event: &Event<'_>) {
        if let Event::Output { .. } = event {
            // The test may have ended.
            let _ = self.0.send(());
        }
    }
}

/// Checks that workers continue after the thread that built their pool has ended.
#[test]
fn workers_outlive_the_thread_that_built_their_pool() {
    let name = "workers_outlive_the_thread_that_built_their_pool";
    crate::support::run_in_own_process(module_path!(), name, || {
        let plugin = Plugin::load(&Engine::new().unwrap(), fixtures().join("upper.wat")).unwrap();
        let make = move || Pool::builder(&plugin).isolation(processes()).build().unwrap();
        let mut pool = thread::Builder::new().spawn(make).unwrap().join().unwrap();
        for _ in 0..3 {
            let records = pool.map(["a", "b", "c"]).try_collect::<Vec<_>>().unwrap();
            assert_eq!(records[2].bytes(), Some(&b"C"[..]));
        }
        assert!(pool.close().iter().all(|report| report.failed_instances == 0));
        assert!(crate::support::own_children().is_empty());
    });
}
