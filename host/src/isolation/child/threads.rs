//! The threads of a jailed process. All of them start before the seal, because a sealed jail
//! refuses new threads.
//!
//! ```text
//! a worker      main, watchdog; for WASI: 1 async thread, 1 blocking thread (4 with a directory)
//! a compiler    main, watchdog, 1 for each processor
//! ```

use std::io;
use std::sync::{Arc, Barrier, OnceLock};
use std::time::Duration;

use tokio::runtime::{Builder, EnterGuard, Runtime};

use crate::engine::{Engine, EngineError, PluginCode, start_compilers};

/// The number of threads for blocking calls, such as reads of files, if a directory is granted. A
/// plugin makes one call at a time. But if a file never answers, the call occupies its thread
/// forever.
const BLOCKING_THREADS: usize = 4;
/// The number of threads for blocking calls if no directory is granted. The asynchronous runtime
/// needs at least one such thread. If that thread did not exist before the seal, the runtime would
/// start it later, and the sealed jail would end the process.
const WITHOUT_FILES: usize = 1;

/// The time that an idle thread waits for work. It is longer than any run, so that no idle thread
/// ends.
const FOR_EVER: Duration = Duration::from_secs(u32::MAX as u64);

/// The asynchronous runtime of the process. It is never dropped, because a drop would wait for
/// calls on files that never answer.
static RUNTIME: OnceLock<Runtime> = OnceLock::new();

/// Starts the threads that a worker needs, and waits until they run.
///
/// If the plugin can wait, returns a guard. While the guard exists, the thread has entered the
/// asynchronous runtime.
///
/// # Errors
///
/// Fails if the system refuses a thread.
pub(super) fn start_working(
    engine: &Engine,
    plugin: &dyn PluginCode,
    has_files: bool,
) -> io::Result<Option<EnterGuard<'static>>> {
    engine.watchdog().wait_until_running();
    if !plugin.can_block() {
        return Ok(None);
    }
    let blocking = if has_files { BLOCKING_THREADS } else { WITHOUT_FILES };
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .max_blocking_threads(blocking)
        .thread_keep_alive(FOR_EVER)
        .enable_io()
        .enable_time()
        .build()?;
    let runtime = RUNTIME.get_or_init(|| runtime);
    runtime.block_on(runtime.spawn(async {})).map_err(io::Error::other)?;
    let all = Arc::new(Barrier::new(blocking + 1));
    for _ in 0..blocking {
        let all = Arc::clone(&all);
        runtime.spawn_blocking(move || all.wait());
    }
    all.wait();
    Ok(Some(runtime.enter()))
}

/// Starts the threads that a compiler needs, and waits until they run.
///
/// # Errors
///
/// Fails if the system refuses a thread.
pub(super) fn start_compiling(engine: &Engine) -> Result<(), EngineError> {
    engine.watchdog().wait_until_running();
    start_compilers()?;
    rayon::broadcast(|_| ());
    Ok(())
}
