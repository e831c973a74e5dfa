//! Workers that start from one snapshot: the first that gets there makes it, the others wait.

use std::sync::{Arc, PoisonError};
use std::time::Instant;

use crate::cache::Cache;
use crate::control::alarm::{Alarm, Ring};
use crate::control::deadline::Phase;
use crate::control::sync::Mutex;
use crate::engine::snapshot::freezing::Freezing;
use crate::engine::{Frozen, InstanceParts};
use crate::event::Event;
use crate::executor::Executor;
use crate::executor::start_error::StartError;
use crate::isolation::remote_plugin::RemotePlugin;
use crate::item::instance_config::InstanceConfig;
use crate::plugin::Plugin;
use crate::sandbox::granted::Granted;

/// What a worker starts from.
pub(crate) enum Taken {
    /// The snapshot of all.
    Snapshot(Snapshot),
    /// There is none; but this one's instance is there already.
    Started(Box<dyn Executor>),
    /// There is none.
    Nothing,
}

/// What is shared by the workers of a group.
#[derive(Clone, Debug)]
pub(crate) enum Snapshot {
    /// A plugin of this process.
    Here(Arc<Frozen>),
    /// Code for jailed processes.
    Elsewhere(Arc<RemotePlugin>),
}

/// Workers that are alike in all that their `init` can see.
#[derive(Debug)]
pub(crate) struct Group {
    state: Mutex<State>,
    /// Where its snapshot is kept.
    cache: Option<Cache>,
}

#[derive(Debug)]
enum State {
    /// Nobody has made a snapshot.
    New,
    /// Somebody is about to; these wait.
    Freezing(Vec<Arc<Alarm>>),
    /// There is one, or there cannot be one.
    Settled(Option<Snapshot>),
}

impl Group {
    fn new(cache: Option<Cache>) -> Self {
        Self { state: Mutex::new(State::New), cache }
    }

    /// Where its snapshot is kept.
    pub(crate) fn cache(&self) -> Option<&Cache> {
        self.cache.as_ref()
    }

    /// What the worker that `parts` describes starts from. The first one makes it, by `freeze`; if
    /// that fails, it is the next one's turn.
    pub(crate) fn take(
        &self,
        plugin: &Plugin,
        parts: &InstanceParts,
        freeze: impl FnOnce() -> Result<Freezing<Snapshot>, StartError>,
    ) -> Result<Taken, StartError> {
        let alarm = Arc::new(Alarm::default());
        loop {
            match &mut *self.lock() {
                State::Settled(Some(snapshot)) => return Ok(Taken::Snapshot(snapshot.clone())),
                State::Settled(None) => return Ok(Taken::Nothing),
                State::Freezing(waiting) => waiting.push(Arc::clone(&alarm)),
                state @ State::New => {
                    *state = State::Freezing(Vec::new());
                    break;
                }
            }
            // As long as others are at it, no time of this one's is running.
            parts.watch.begin(Phase::Preparing);
            parts.watch.rings(&alarm);
            let overdue = |overdue: crate::control::deadline::Overdue| StartError::Timeout {
                message: overdue.to_string(),
            };
            parts.watch.check().map_err(overdue)?;
            alarm.wait(parts.watch.end());
        }
        let turn = Turn(self);
        let begun = Instant::now();
        let frozen = match plugin.cannot_be_frozen() {
            Some(why) => Freezing::Refused { why, started: None },
            None => freeze()?,
        };
        let plugin = plugin.name();
        let (worker, audience) = (parts.index, &parts.audience);
        match frozen {
            Freezing::Frozen { snapshot, bytes, verdict } => {
                let (took, has_random) = (begun.elapsed(), verdict.has_random);
                audience.tell(&Event::SnapshotTaken { worker, plugin, took, bytes, has_random });
                turn.settle(Some(snapshot.clone()));
                Ok(Taken::Snapshot(snapshot))
            }
            Freezing::Refused { why, started } => {
                audience.tell(&Event::SnapshotRefused { worker, plugin, why: &why });
                turn.settle(None);
                Ok(started.map_or(Taken::Nothing, Taken::Started))
            }
        }
    }
}

impl Group {
    fn lock(&self) -> impl std::ops::DerefMut<Target = State> + '_ {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn become_state(&self, state: State) {
        if let State::Freezing(waiting) = std::mem::replace(&mut *self.lock(), state) {
            waiting.iter().for_each(|alarm| alarm.ring());
        }
    }
}

/// Whose turn it is to make the snapshot. However that ends, nobody waits for it in vain.
struct Turn<'a>(&'a Group);

impl Turn<'_> {
    fn settle(self, snapshot: Option<Snapshot>) {
        self.0.become_state(State::Settled(snapshot));
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if matches!(*self.0.lock(), State::Freezing(_)) {
            self.0.become_state(State::New);
        }
    }
}

/// All groups of a pool.
#[derive(Debug)]
pub(crate) struct Groups {
    all: Vec<(Alike, Arc<Group>)>,
    cache: Option<Cache>,
}

/// What workers of one group have in common, beside what all of a pool have.
#[derive(Debug)]
struct Alike {
    plugin: Plugin,
    init: Vec<u8>,
    grants: Granted,
    config: InstanceConfig,
}

impl Groups {
    /// None yet; snapshots are kept in `cache`.
    pub(crate) fn new(cache: Option<Cache>) -> Self {
        Self { all: Vec::new(), cache }
    }

    /// The group of a worker.
    pub(crate) fn of(&mut self, plugin: &Plugin, parts: &InstanceParts) -> Arc<Group> {
        let InstanceParts { init, grants, config, .. } = parts;
        let found = self.all.iter().find(|(alike, _)| {
            alike.plugin.is(plugin)
                && alike.init == *init
                && alike.grants == *grants
                && alike.config.initialises_as(config)
        });
        if let Some((_, group)) = found {
            return Arc::clone(group);
        }
        let (init, grants) = (init.clone(), grants.clone());
        let alike = Alike { plugin: plugin.clone(), init, grants, config: *config };
        let group = Arc::new(Group::new(self.cache.clone()));
        self.all.push((alike, Arc::clone(&group)));
        group
    }
}
