//! Groups of workers that start from one snapshot. The first worker makes the snapshot, and the
//! others wait for it.

use std::sync::{Arc, PoisonError};
use std::time::Instant;

use crate::cache::Cache;
use crate::control::alarm::{Alarm, Notify};
use crate::control::deadline::Phase;
use crate::control::sync::Mutex;
use crate::engine::snapshot::snapshot_outcome::SnapshotOutcome;
use crate::engine::{InstanceParts, SnapshotImage};
use crate::event::Event;
use crate::executor::Executor;
use crate::executor::start_error::StartError;
use crate::isolation::remote_plugin::RemotePlugin;
use crate::item::instance_config::InstanceConfig;
use crate::plugin::Plugin;
use crate::sandbox::granted::OpenGrants;

/// The way in which a worker of a group starts.
pub(crate) enum GroupStart {
    /// The worker starts from the snapshot of its group.
    Snapshot(Snapshot),
    /// The group cannot have a snapshot, but the attempt to make one started an instance for this worker.
    Started(Box<dyn Executor>),
    /// The group cannot have a snapshot.
    Nothing,
}

/// The snapshot that the workers of a group share.
#[derive(Clone, Debug)]
pub(crate) enum Snapshot {
    /// A snapshot for instances in this process.
    Local(Arc<SnapshotImage>),
    /// A snapshot for jailed processes.
    Remote(Arc<RemotePlugin>),
}

/// A group of workers that are identical in everything that their `init` can see.
#[derive(Debug)]
pub(crate) struct Group {
    state: Mutex<State>,
    /// The cache that keeps the snapshot of the group.
    cache: Option<Cache>,
}

#[derive(Debug)]
enum State {
    /// No snapshot exists, and no worker is making one.
    New,
    /// A worker is making the snapshot, and these workers wait.
    Freezing(Vec<Arc<Alarm>>),
    /// The group has a snapshot, or cannot have one.
    Settled(Option<Snapshot>),
}

impl Group {
    fn new(cache: Option<Cache>) -> Self {
        Self { state: Mutex::new(State::New), cache }
    }

    /// Returns the cache that keeps the snapshot of the group.
    pub(crate) fn cache(&self) -> Option<&Cache> {
        self.cache.as_ref()
    }

    /// Decides how the worker with these `parts` starts. The first worker makes the snapshot with `freeze`. If the
    /// first worker fails, the next worker makes the snapshot.
    pub(crate) fn start(
        &self,
        plugin: &Plugin,
        parts: &InstanceParts,
        freeze: impl FnOnce() -> Result<SnapshotOutcome<Snapshot>, StartError>,
    ) -> Result<GroupStart, StartError> {
        let alarm = Arc::new(Alarm::default());
        loop {
            match &mut *self.lock() {
                State::Settled(Some(snapshot)) => {
                    return Ok(GroupStart::Snapshot(snapshot.clone()));
                }
                State::Settled(None) => return Ok(GroupStart::Nothing),
                State::Freezing(waiting) => waiting.push(Arc::clone(&alarm)),
                state @ State::New => {
                    *state = State::Freezing(Vec::new());
                    break;
                }
            }
            // The time limit of this worker does not run while it waits for another worker.
            parts.watch.begin(Phase::Preparing);
            parts.watch.add_alarm(&alarm);
            let overdue = |overdue: crate::control::deadline::Overdue| StartError::Timeout {
                message: overdue.to_string(),
            };
            parts.watch.check().map_err(overdue)?;
            alarm.wait(parts.watch.end());
        }
        let turn = Turn(self);
        let started_at = Instant::now();
        let outcome = match plugin.snapshot_refusal() {
            Some(why) => SnapshotOutcome::Refused { why, started: None },
            None => freeze()?,
        };
        let plugin = plugin.name();
        let (worker, observers) = (parts.index, &parts.observers);
        match outcome {
            SnapshotOutcome::Frozen { snapshot, bytes, verdict } => {
                let (took, has_random) = (started_at.elapsed(), verdict.has_random);
                observers.notify(&Event::SnapshotTaken { worker, plugin, took, bytes, has_random });
                turn.settle(Some(snapshot.clone()));
                Ok(GroupStart::Snapshot(snapshot))
            }
            SnapshotOutcome::Refused { why, started } => {
                observers.notify(&Event::SnapshotRefused { worker, plugin, reason: &why });
                turn.settle(None);
                Ok(started.map_or(GroupStart::Nothing, GroupStart::Started))
            }
        }
    }
}

impl Group {
    fn lock(&self) -> impl std::ops::DerefMut<Target = State> + '_ {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_state(&self, state: State) {
        if let State::Freezing(waiting) = std::mem::replace(&mut *self.lock(), state) {
            waiting.iter().for_each(|alarm| alarm.notify());
        }
    }
}

/// The turn of one worker to make the snapshot. If a worker drops its turn without settling it, the next worker gets a
/// turn.
struct Turn<'a>(&'a Group);

impl Turn<'_> {
    fn settle(self, snapshot: Option<Snapshot>) {
        self.0.set_state(State::Settled(snapshot));
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if matches!(*self.0.lock(), State::Freezing(_)) {
            self.0.set_state(State::New);
        }
    }
}

/// All groups of a pool.
#[derive(Debug)]
pub(crate) struct Groups {
    all: Vec<(GroupKey, Arc<Group>)>,
    cache: Option<Cache>,
}

/// The properties that the workers of one group share, in addition to the settings of the pool.
#[derive(Debug)]
struct GroupKey {
    plugin: Plugin,
    init: Vec<u8>,
    grants: OpenGrants,
    config: InstanceConfig,
}

impl Groups {
    /// Returns a set without groups. The groups keep their snapshots in `cache`.
    pub(crate) fn new(cache: Option<Cache>) -> Self {
        Self { all: Vec::new(), cache }
    }

    /// Returns the group of a worker, and creates it if needed.
    pub(crate) fn group_for(&mut self, plugin: &Plugin, parts: &InstanceParts) -> Arc<Group> {
        let InstanceParts { init, grants, config, .. } = parts;
        let found = self.all.iter().find(|(key, _)| {
            key.plugin.is_same(plugin)
                && key.init == *init
                && key.grants == *grants
                && key.config.initialises_as(config)
        });
        if let Some((_, group)) = found {
            return Arc::clone(group);
        }
        let (init, grants) = (init.clone(), grants.clone());
        let key = GroupKey { plugin: plugin.clone(), init, grants, config: *config };
        let group = Arc::new(Group::new(self.cache.clone()));
        self.all.push((key, Arc::clone(&group)));
        group
    }
}
