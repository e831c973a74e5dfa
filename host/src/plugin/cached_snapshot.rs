//! Snapshots in a cache, for later runs.
//!
//! The key of a snapshot is a digest of all inputs of `init` except files: plugin, arguments, argument passing,
//! variables, directories, limits and engine. The snapshot also lists the paths that `init` accessed, each with a stamp
//! of the file's state. If a file's current state differs from its stamp, the host makes a new snapshot.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::snapshot_group::Snapshot;
use crate::cache::{Cache, EntryKind, Key};
use crate::engine::origin::Origin;
use crate::engine::snapshot::Dependency;
use crate::engine::snapshot::dependencies::Stamp;
use crate::engine::snapshot::{SnapshotOutcome, Verdict};
use crate::engine::{InstanceParts, PluginKind, SnapshotImage};
use crate::executor::start_error::StartError;
use crate::isolation::remote_plugin::RemotePlugin;
use crate::item::format::Format;
use crate::item::instance_config::InstanceConfig;
use crate::item::limits::Fuel;
use crate::jail::sealed_file::SealedFile;
use crate::plugin::Plugin;
use crate::sandbox::granted::GrantedDir;

/// The size limit of a snapshot's metadata in bytes, which is enough for some thousand files.
const MAX_METADATA: usize = 512 * 1024;

/// The metadata of a snapshot in a cache.
#[derive(Debug, Serialize, Deserialize)]
struct SnapshotMetadata {
    has_json_results: bool,
    has_random: bool,
    /// The reading of the monotonic clock when the snapshot was taken.
    clock: Duration,
    dependencies: Vec<(Dependency, Stamp)>,
}

/// The processes that may use a snapshot. A snapshot from a jailed process is used only in jailed processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SnapshotScope {
    Local,
    Jailed,
}

/// Loads the snapshot from the cache. If the cache lacks it, makes the snapshot with `freeze` and stores it.
pub(crate) fn load_or_freeze(
    cache: Option<&Cache>,
    plugin: &Plugin,
    parts: &InstanceParts,
    scope: SnapshotScope,
    freeze: impl FnOnce() -> Result<SnapshotOutcome<Snapshot>, StartError>,
) -> Result<SnapshotOutcome<Snapshot>, StartError> {
    let (Some(cache), Some(origin)) = (cache, plugin.origin()) else { return freeze() };
    let key = key(plugin, origin, parts, scope);
    let cached = match scope {
        SnapshotScope::Local => load_local(cache, &key, origin, parts),
        SnapshotScope::Jailed => load_jailed(cache, &key, origin, parts),
    };
    if let Some(cached) = cached {
        return Ok(cached);
    }
    let started_at = SystemTime::now();
    let outcome = freeze()?;
    if let SnapshotOutcome::Frozen { snapshot, verdict, .. } = &outcome
        && let Some(metadata) = SnapshotMetadata::of(snapshot, verdict, parts, started_at)
    {
        store(cache, &key, snapshot, &metadata);
    }
    Ok(outcome)
}

/// Stores a snapshot in the cache. A failure is only logged, because a later run makes the snapshot again.
fn store(cache: &Cache, key: &Key, snapshot: &Snapshot, metadata: &SnapshotMetadata) {
    let metadata = serde_json::to_vec(metadata).expect("text and numbers serialize");
    if metadata.len() > MAX_METADATA {
        return;
    }
    let result = match snapshot {
        Snapshot::Local(image) => {
            image.read().map(|code| cache.keep_trusted(key, &code, &metadata))
        }
        Snapshot::Remote(remote) => {
            remote.read().map(|code| cache.keep_jailed(key, &code, &metadata))
        }
    };
    if let Err(error) = result {
        tracing::debug!(%key, %error, "a snapshot is not stored in the cache");
    }
}

fn load_local(
    cache: &Cache,
    key: &Key,
    origin: &Origin,
    parts: &InstanceParts,
) -> Option<SnapshotOutcome<Snapshot>> {
    let entry = cache.trusted(key)?;
    let Some(metadata) = SnapshotMetadata::read(entry.metadata(), parts) else {
        cache.mark_outdated(key);
        return None;
    };
    let bytes = entry.length();
    let image = SnapshotImage::of_cache(&origin.settings, &entry, metadata.format());
    let image = image.inspect_err(|error| cache.mark_damaged(key, error)).ok()?;
    Some(metadata.into_outcome(Snapshot::Local(Arc::new(image)), bytes, parts))
}

fn load_jailed(
    cache: &Cache,
    key: &Key,
    origin: &Origin,
    parts: &InstanceParts,
) -> Option<SnapshotOutcome<Snapshot>> {
    let entry = cache.jailed(key)?;
    let Some(metadata) = SnapshotMetadata::read(entry.metadata(), parts) else {
        cache.mark_outdated(key);
        return None;
    };
    let (bytes, code) = (entry.length(), SealedFile::copy(entry.file(), entry.length()));
    let code = code.inspect_err(|error| cache.mark_damaged(key, error)).ok()?;
    let remote = RemotePlugin::from_file(code, PluginKind::CoreModule, &origin.settings)
        .into_snapshot(metadata.format());
    Some(metadata.into_outcome(Snapshot::Remote(Arc::new(remote)), bytes, parts))
}

impl SnapshotMetadata {
    /// Returns the metadata of a snapshot, or `None` if a later change of a dependency could go unnoticed.
    fn of(
        snapshot: &Snapshot,
        verdict: &Verdict,
        parts: &InstanceParts,
        started_at: SystemTime,
    ) -> Option<Self> {
        let dirs = &parts.grants.dirs;
        let stamped = |dependency: &Dependency| {
            Some((dependency.clone(), dependency.stamp_if_unchanged(dirs, started_at)?))
        };
        let format = match snapshot {
            Snapshot::Local(image) => image.format(),
            Snapshot::Remote(remote) => remote.snapshot_format()?,
        };
        Some(Self {
            has_json_results: format == Format::Json,
            has_random: verdict.has_random,
            clock: parts.clock.elapsed(),
            dependencies: verdict
                .dependencies
                .as_ref()?
                .iter()
                .map(stamped)
                .collect::<Option<_>>()?,
        })
    }

    /// Reads metadata, if no dependency has changed.
    fn read(bytes: &[u8], parts: &InstanceParts) -> Option<Self> {
        let metadata: Self = serde_json::from_slice(bytes).ok()?;
        let dirs = &parts.grants.dirs;
        let is_current = metadata
            .dependencies
            .iter()
            .all(|(dependency, stamp)| dependency.stamp(dirs).as_ref() == Some(stamp));
        is_current.then_some(metadata)
    }

    fn format(&self) -> Format {
        if self.has_json_results { Format::Json } else { Format::Text }
    }

    fn into_outcome(
        self,
        snapshot: Snapshot,
        bytes: u64,
        parts: &InstanceParts,
    ) -> SnapshotOutcome<Snapshot> {
        parts.clock.advance_to(self.clock);
        let verdict = Verdict { has_random: self.has_random, dependencies: None };
        SnapshotOutcome::Frozen { snapshot, bytes, verdict }
    }
}

/// Returns the key of a snapshot, which covers everything that `init` can see except files.
fn key(plugin: &Plugin, origin: &Origin, parts: &InstanceParts, scope: SnapshotScope) -> Key {
    let InstanceParts { grants, config, .. } = parts;
    // The pattern names all fields, so that the author of a new field must decide whether the key includes it. `init`
    // cannot read the limits of results, files or time, so the key omits these limits.
    let InstanceConfig {
        memory,
        max_result: _,
        fuel,
        disk: _,
        timeout: _,
        init_timeout: _,
        item_format,
        passing,
        retry_on: _,
    } = config;
    let dirs = grants.dirs.iter().map(|GrantedDir { grant, .. }| {
        let host = std::path::absolute(grant.host());
        let host = host.unwrap_or_else(|_| grant.host().to_owned());
        (host.into_os_string().into_encoded_bytes(), grant.guest(), grant.access())
    });
    let (settings, engine) = (&origin.settings, plugin.engine());
    // The loader parses a file with this suffix as text, even if it does not look like text.
    let is_text = plugin.name().extension().is_some_and(|extension| extension == "wat");
    let inputs = (
        (&settings.call_export, settings.host_functions.numbered(), is_text),
        (dirs.collect::<Vec<_>>(), &grants.env),
        (memory.bytes(), fuel.map(Fuel::units)),
        (*item_format == Format::Json, passing.name()),
    );
    let inputs = serde_json::to_vec(&inputs).expect("text and numbers serialize");
    let scope: &[u8] = match scope {
        SnapshotScope::Local => b"trusted",
        SnapshotScope::Jailed => b"jailed",
    };
    Key::builder(EntryKind::Snapshot)
        .part(scope)
        .part(env!("CARGO_PKG_VERSION").as_bytes())
        .part(engine.settings_digest().bytes())
        .part(&inputs)
        .part(&parts.init)
        .part(&origin.bytes)
        .build()
}
