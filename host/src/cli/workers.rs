//! Who works: any number of workers with one plugin, or those that are listed.

use std::path::{Path, PathBuf};

use mtl_host::{Engine, Plugin, Pool, PoolBuilder, Sha256, WorkerSpec};

use super::env_grant::EnvGrant;
use super::error::CliError;
use super::init_arg::{self, InitArg};
use super::overwrite::Used;
use super::run_args::WorkerArgs;
use super::worker_arg::WorkerArg;

impl WorkerArgs {
    /// Checks what the flags say of workers together.
    pub(super) fn check(&self) -> Result<(), CliError> {
        let beside = [
            ("plugin", self.plugin.is_some()),
            ("jobs", self.jobs.is_some()),
            ("init", !self.init.is_empty()),
            ("sha256", self.sha256.is_some()),
            ("call", self.call.is_some()),
        ];
        match beside.into_iter().find(|(_, is_given)| *is_given && !self.worker.is_empty()) {
            Some((flag, _)) => Err(CliError::BesideWorkers { flag }),
            None => Ok(()),
        }
    }

    /// The files that workers are made of.
    pub(super) fn files(&self) -> Vec<Used<'_>> {
        let plugins = self.worker.iter().map(|worker| &worker.plugin).chain(&self.plugin);
        let plugins = plugins.map(|path| Used { what: "the plugin", path });
        let inits = self.worker.iter().filter_map(|worker| worker.init.as_ref()).chain(&self.init);
        let inits = inits.filter_map(|init| match init {
            InitArg::File(path) => Some(Used { what: "an init argument", path }),
            InitArg::Text(_) => None,
        });
        plugins.chain(inits).collect()
    }

    /// Loads the plugins, and begins to describe the pool.
    pub(super) fn pool(&self) -> Result<PoolBuilder, CliError> {
        let mut loaded = Loaded { engine: Engine::new()?, plugins: Vec::new() };
        let mut builder = match (&self.plugin, self.worker.as_slice()) {
            (None, []) => return Err(CliError::NoPlugin),
            (Some(path), []) => {
                let plugin = loaded.plugin(path, self.sha256, self.call.as_deref())?;
                Pool::builder(&plugin).init(init_arg::init(&self.init)?)
            }
            (_, workers) => {
                let specs = workers.iter().map(|worker| spec(worker, &mut loaded));
                Pool::of(specs.collect::<Result<Vec<_>, _>>()?)
            }
        };
        builder = builder.memory(self.memory);
        if let Some(jobs) = self.jobs {
            builder = builder.jobs(jobs);
        }
        for grant in &self.dir {
            builder = builder.dir(grant.clone());
        }
        for grant in &self.net {
            builder = builder.net(grant.clone());
        }
        for grant in &self.env {
            let (name, value) = resolve(grant)?;
            builder = builder.env(name, value);
        }
        Ok(builder)
    }
}

fn spec(worker: &WorkerArg, loaded: &mut Loaded) -> Result<WorkerSpec, CliError> {
    let plugin = loaded.plugin(&worker.plugin, worker.sha256, worker.call.as_deref())?;
    let mut spec = WorkerSpec::plugin(&plugin);
    if let Some(init) = &worker.init {
        spec = spec.init(init.read()?);
    }
    for grant in &worker.dirs {
        spec = spec.dir(grant.clone());
    }
    for grant in &worker.net {
        spec = spec.net(grant.clone());
    }
    for grant in &worker.env {
        let (name, value) = resolve(grant)?;
        spec = spec.env(name, value);
    }
    if let Some(limit) = worker.memory {
        spec = spec.memory(limit);
    }
    if let Some(timeout) = worker.timeout {
        spec = spec.timeout(timeout.get());
    }
    Ok(match worker.init_timeout {
        Some(timeout) => spec.init_timeout(timeout.get()),
        None => spec,
    })
}

fn resolve(grant: &EnvGrant) -> Result<(String, String), CliError> {
    grant.resolve(|name| std::env::var_os(name))
}

/// Plugins, each loaded once, however many workers have it.
struct Loaded {
    engine: Engine,
    plugins: Vec<(Asked, Plugin)>,
}

/// A plugin as it is asked for.
#[derive(PartialEq, Eq)]
struct Asked {
    path: PathBuf,
    sha256: Option<Sha256>,
    call: Option<String>,
}

impl Loaded {
    fn plugin(
        &mut self,
        path: &Path,
        sha256: Option<Sha256>,
        call: Option<&str>,
    ) -> Result<Plugin, CliError> {
        let asked = Asked { path: path.to_owned(), sha256, call: call.map(Into::into) };
        if let Some((_, plugin)) = self.plugins.iter().find(|(other, _)| *other == asked) {
            return Ok(plugin.clone());
        }
        let mut loader = Plugin::loader(&self.engine);
        if let Some(digest) = sha256 {
            loader = loader.sha256(digest);
        }
        if let Some(export) = call {
            loader = loader.call(export);
        }
        let plugin = loader.load(path)?;
        self.plugins.push((asked, plugin.clone()));
        Ok(plugin)
    }
}
