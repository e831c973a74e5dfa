//! Snapshots in a cache, for later runs.
//!
//! The key of a snapshot covers everything that its `init` could see except files: plugin, arguments, argument passing,
//! variables, directories, limits and engine. For files, the snapshot lists the paths that `init` has looked at, each
//! with a stamp. If a stamp differs, the snapshot is made again.

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

/// The most bytes of metadata of a snapshot: enough for some thousand files.
const MAX_METADATA: usize = 512 * 1024;

/// The facts about a snapshot in a cache, without its code.
#[derive(Debug, Serialize, Deserialize)]
struct SnapshotMetadata {
    has_json_results: bool,
    has_random: bool,
    /// The reading of the monotonic clock.
    clock: Duration,
    dependencies: Vec<(Dependency, Stamp)>,
}

/// The place where a snapshot may be used. A snapshot from a jailed process is never used elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SnapshotScope {
    Local,
    Jailed,
}

/// Takes the snapshot from the cache, or makes it with `freeze` and puts it into the cache.
pub(crate) fn load_or_freeze(
    cache: Option<&Cache>,
    plugin: &Plugin,
    parts: &InstanceParts,
    used: SnapshotScope,
    freeze: impl FnOnce() -> Result<SnapshotOutcome<Snapshot>, StartError>,
) -> Result<SnapshotOutcome<Snapshot>, StartError> {
    let (Some(cache), Some(origin)) = (cache, plugin.origin()) else { return freeze() };
    let key = key(plugin, origin, parts, used);
    let recalled = match used {
        SnapshotScope::Local => load_local(cache, &key, origin, parts),
        SnapshotScope::Jailed => load_jailed(cache, &key, origin, parts),
    };
    if let Some(recalled) = recalled {
        return Ok(recalled);
    }
    let begun = SystemTime::now();
    let frozen = freeze()?;
    if let SnapshotOutcome::Frozen { snapshot, verdict, .. } = &frozen
        && let Some(metadata) = SnapshotMetadata::of(snapshot, verdict, parts, begun)
    {
        keep(cache, &key, snapshot, &metadata);
    }
    Ok(frozen)
}

/// Keeps a snapshot. This may fail silently, since a missing snapshot is made again.
fn keep(cache: &Cache, key: &Key, snapshot: &Snapshot, metadata: &SnapshotMetadata) {
    let metadata = serde_json::to_vec(metadata).expect("text and numbers serialize");
    if metadata.len() > MAX_METADATA {
        return;
    }
    let kept = match snapshot {
        Snapshot::Local(frozen) => {
            frozen.read().map(|code| cache.keep_trusted(key, &code, &metadata))
        }
        Snapshot::Remote(remote) => {
            remote.read().map(|code| cache.keep_jailed(key, &code, &metadata))
        }
    };
    if let Err(error) = kept {
        tracing::debug!(%key, %error, "a snapshot is not kept");
    }
}

fn load_local(
    cache: &Cache,
    key: &Key,
    origin: &Origin,
    parts: &InstanceParts,
) -> Option<SnapshotOutcome<Snapshot>> {
    let own = cache.trusted(key)?;
    let Some(metadata) = SnapshotMetadata::read(own.metadata(), parts) else {
        cache.mark_outdated(key);
        return None;
    };
    let bytes = own.length();
    let frozen = SnapshotImage::of_cache(&origin.settings, &own, metadata.format());
    let frozen = frozen.inspect_err(|error| cache.mark_damaged(key, error)).ok()?;
    Some(metadata.into_outcome(Snapshot::Local(Arc::new(frozen)), bytes, parts))
}

fn load_jailed(
    cache: &Cache,
    key: &Key,
    origin: &Origin,
    parts: &InstanceParts,
) -> Option<SnapshotOutcome<Snapshot>> {
    let jailed = cache.jailed(key)?;
    let Some(metadata) = SnapshotMetadata::read(jailed.metadata(), parts) else {
        cache.mark_outdated(key);
        return None;
    };
    let (bytes, code) = (jailed.length(), SealedFile::copy(jailed.file(), jailed.length()));
    let code = code.inspect_err(|error| cache.mark_damaged(key, error)).ok()?;
    let remote = RemotePlugin::from_file(code, PluginKind::CoreModule, &origin.settings)
        .into_snapshot(metadata.format());
    Some(metadata.into_outcome(Snapshot::Remote(Arc::new(remote)), bytes, parts))
}

impl SnapshotMetadata {
    /// Returns the metadata of a snapshot, or `None` if later changes of its dependencies could not be detected.
    fn of(
        snapshot: &Snapshot,
        verdict: &Verdict,
        parts: &InstanceParts,
        begun: SystemTime,
    ) -> Option<Self> {
        let dirs = &parts.grants.dirs;
        let stamped = |dependency: &Dependency| {
            Some((dependency.clone(), dependency.stamp_if_unchanged(dirs, begun)?))
        };
        let format = match snapshot {
            Snapshot::Local(frozen) => frozen.format(),
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
        let holds = metadata
            .dependencies
            .iter()
            .all(|(dependency, then)| dependency.stamp(dirs).as_ref() == Some(then));
        holds.then_some(metadata)
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
fn key(plugin: &Plugin, origin: &Origin, parts: &InstanceParts, used: SnapshotScope) -> Key {
    let InstanceParts { grants, config, .. } = parts;
    // The pattern names all fields, so that each new field needs a decision. `init` cannot see limits of results, files
    // or time.
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
    // By this suffix, the loader parses bytes as text even if they do not look like text.
    let is_text = plugin.name().extension().is_some_and(|extension| extension == "wat");
    let said = (
        (&settings.call_export, settings.host_functions.numbered(), is_text),
        (dirs.collect::<Vec<_>>(), &grants.env),
        (memory.bytes(), fuel.map(Fuel::units)),
        (*item_format == Format::Json, passing.name()),
    );
    let said = serde_json::to_vec(&said).expect("text and numbers serialize");
    let used: &[u8] = match used {
        SnapshotScope::Local => b"trusted",
        SnapshotScope::Jailed => b"jailed",
    };
    Key::builder(EntryKind::Snapshot)
        .part(used)
        .part(env!("CARGO_PKG_VERSION").as_bytes())
        .part(engine.settings_digest().bytes())
        .part(&said)
        .part(&parts.init)
        .part(&origin.bytes)
        .build()
}
