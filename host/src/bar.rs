//! A bar that shows how far a run is, for programs that want one without drawing it.

use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use indicatif::ProgressBar;

use crate::stats::{Progress, Snapshot};

/// Shows how far a pool's runs are, until it is dropped. Only with the feature `cli`.
///
/// ```
/// # use mtl_host::{Engine, Plugin, Pool};
/// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/upper.wat")?;
/// let mut pool = Pool::builder(&plugin).build()?;
/// let bar = pool.progress().bar();
/// let results = pool.map(["one", "two"]).count();
/// drop(bar);
/// # assert_eq!(results, 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use = "a bar is shown until it is dropped"]
pub struct Bar {
    thread: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Progress {
    /// Shows a bar on standard error, if that is a terminal.
    ///
    /// ```
    /// # use mtl_host::{Engine, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/upper.wat")?;
    /// let mut pool = Pool::builder(&plugin).build()?;
    /// let _bar = pool.progress().bar();
    /// assert_eq!(pool.map(["one", "two"]).count(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Panics
    ///
    /// When the operating system refuses a thread, as [`std::thread::spawn`] does.
    pub fn bar(&self) -> Bar {
        Bar::on(self, ProgressBar::no_length())
    }
}

impl Bar {
    /// As often as people see that something changes.
    const EVERY: Duration = Duration::from_millis(100);

    /// Shows progress on a bar of your own: its style, its message and its target stay.
    ///
    /// ```
    /// # use mtl_host::{Bar, Engine, Plugin, Pool};
    /// # let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/upper.wat")?;
    /// let mut pool = Pool::builder(&plugin).build()?;
    /// let shown = indicatif::ProgressBar::hidden().with_message("upper");
    /// let bar = Bar::on(&pool.progress(), shown.clone());
    /// pool.map(["one", "two"]).try_collect::<Vec<_>>()?;
    /// drop(bar);
    /// assert_eq!((shown.position(), shown.length()), (2, Some(2)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Panics
    ///
    /// When the operating system refuses a thread, as [`std::thread::spawn`] does.
    pub fn on(progress: &Progress, bar: ProgressBar) -> Self {
        let (end, ended) = bounded(0);
        let progress = progress.clone();
        let thread = thread::Builder::new().name("mtl-bar".into());
        let thread = thread.spawn(move || follow(&progress, &bar, &ended));
        Self { thread: Some((end, thread.expect("the system has a thread for the bar"))) }
    }
}

fn follow(progress: &Progress, bar: &ProgressBar, ended: &Receiver<()>) {
    loop {
        let end = ended.recv_timeout(Bar::EVERY) != Err(RecvTimeoutError::Timeout);
        show(progress.snapshot(), bar);
        if end {
            // What was shown last stays.
            return bar.abandon();
        }
    }
}

fn show(now: Snapshot, bar: &ProgressBar) {
    match now.total {
        Some(total) => bar.set_length(total),
        None => bar.unset_length(),
    }
    bar.set_position(now.done);
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some((end, thread)) = self.thread.take() {
            drop(end);
            // A panic has been reported on its own thread.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use indicatif::ProgressDrawTarget;

    use super::*;
    use crate::source::Size;

    #[test]
    fn a_bar_ends_where_the_run_has_ended() {
        let progress = Progress::default();
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        let shown = Bar::on(&progress, bar.clone());
        progress.begin(Size { items: (3, Some(3)), bytes: None });
        progress.advance(2, 1, 10);
        drop(shown);
        assert_eq!((bar.position(), bar.length()), (2, Some(3)));
        assert!(bar.is_finished());
    }
}
