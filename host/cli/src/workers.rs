//! Turns the flags about workers into a pool: identical workers with one plugin, or a list of workers.

use std::path::PathBuf;

use mtl_host::cache::Cache;
use mtl_host::load::{Sha256, WasmFeatures};
use mtl_host::{Engine, EngineError, Plugin, PluginLoader, Pool, PoolBuilder, WorkerSpec};

use super::build::{self, DigestGiven, ProjectError};
use super::env_grant::{EnvError, EnvGrant};
use super::error::CliError;
use super::init_arg::{self, InitArg};
use super::limit_args::LimitArgs;
use super::overwrite::FileUse;
use super::run_args::WorkerArgs;
use super::worker_arg::WorkerArg;

impl WorkerArgs {
    /// Builds each plugin whose name is a folder of sources.
    pub(super) fn build(&mut self) -> Result<(), ProjectError> {
        let listed = self.worker.iter_mut().map(|worker| (&mut worker.plugin, worker.sha256));
        let sole = self.plugin.iter_mut().map(|plugin| (plugin, self.sha256));
        let mut plugins: Vec<_> = listed.chain(sole).collect();
        // If one plugin is refused, no compiler runs.
        for (plugin, sha256) in &plugins {
            build::check(plugin, DigestGiven::by(*sha256))?;
        }
        for (plugin, sha256) in &mut plugins {
            **plugin = build::plugin_of(plugin, DigestGiven::by(*sha256))?;
        }
        Ok(())
    }

    /// Returns the files of the plugins and of their `init` arguments.
    pub(super) fn files(&self) -> Vec<FileUse<'_>> {
        let plugins = self.worker.iter().map(|worker| &worker.plugin).chain(&self.plugin);
        let plugins = plugins.map(|path| FileUse { name: "the plugin", path });
        let inits = self.worker.iter().filter_map(|worker| worker.init.as_ref()).chain(&self.init);
        let inits = inits.filter_map(InitArg::file);
        let inits = inits.map(|path| FileUse { name: "an init argument", path });
        plugins.chain(inits).collect()
    }

    /// Creates the engine. It counts fuel only if a flag limits it, because counting costs speed.
    fn engine(&self, limits: &LimitArgs) -> Result<Engine, EngineError> {
        match limits.fuel.or(self.worker.iter().find_map(|worker| worker.limits.fuel)) {
            Some(_) => Engine::with_fuel(),
            None => Engine::new(),
        }
    }

    /// Lets the loader accept machine code, if the user has set the flag for it.
    #[expect(unsafe_code, reason = "the user has set a flag that documents the risk")]
    fn apply_trust(&self, loader: PluginLoader) -> PluginLoader {
        if !self.trust_precompiled {
            return loader;
        }
        // SAFETY: `trust_precompiled` requires that each precompiled file comes from a trusted source. With
        // `--trust-precompiled`, the user asserts that this is true.
        unsafe { loader.trust_precompiled() }
    }

    /// Loads the plugins, and returns a builder with the settings of the workers.
    pub(super) fn pool(
        &self,
        limits: &LimitArgs,
        cache: Option<&Cache>,
    ) -> Result<PoolBuilder, CliError> {
        let isolation = self.isolation.isolation(self.jail);
        let loader = Plugin::loader(&self.engine(limits)?).isolation(isolation.clone());
        let loader = self.apply_trust(limits.limit_loader(loader));
        let loader = match cache {
            Some(cache) => loader.cache(cache),
            None => loader,
        };
        let mut loaded = PluginSet { loader, plugins: Vec::new() };
        let mut builder = match (&self.plugin, self.worker.as_slice()) {
            (None, []) => return Err(CliError::NoPlugin),
            (Some(path), []) => {
                let plugin = loaded.plugin(&PluginRequest {
                    path: path.clone(),
                    sha256: self.sha256,
                    call: self.call.clone(),
                    wasm: self.wasm,
                })?;
                Pool::builder(&plugin).init(init_arg::init(&self.init)?)
            }
            (_, workers) => {
                let specs = workers.iter().map(|worker| spec(worker, self.wasm, &mut loaded));
                Pool::builder_from_workers(specs.collect::<Result<Vec<_>, _>>()?)
            }
        };
        builder = limits.limit(builder).isolation(isolation);
        builder = self.snapshot.describe(builder, cache);
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

/// Returns the worker that an argument describes. `wasm` has the features for an argument that names no features.
fn spec(
    worker: &WorkerArg,
    wasm: WasmFeatures,
    loaded: &mut PluginSet,
) -> Result<WorkerSpec, CliError> {
    let plugin = loaded.plugin(&PluginRequest {
        path: worker.plugin.clone(),
        sha256: worker.sha256,
        call: worker.call.clone(),
        wasm: worker.wasm.unwrap_or(wasm),
    })?;
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
    Ok(worker.limits.limit_worker(spec))
}

fn resolve(grant: &EnvGrant) -> Result<(String, String), EnvError> {
    grant.resolve(|name| std::env::var_os(name))
}

/// The loaded plugins. Each is loaded once, for any number of workers.
struct PluginSet {
    loader: PluginLoader,
    plugins: Vec<(PluginRequest, Plugin)>,
}

/// A plugin to load, with its settings.
#[derive(Clone, PartialEq, Eq)]
struct PluginRequest {
    path: PathBuf,
    sha256: Option<Sha256>,
    call: Option<String>,
    wasm: WasmFeatures,
}

impl PluginSet {
    fn plugin(&mut self, request: &PluginRequest) -> Result<Plugin, CliError> {
        if let Some((_, plugin)) = self.plugins.iter().find(|(other, _)| other == request) {
            return Ok(plugin.clone());
        }
        let mut loader = self.loader.clone().wasm_features(request.wasm);
        if let Some(digest) = request.sha256 {
            loader = loader.sha256(digest);
        }
        if let Some(export) = &request.call {
            loader = loader.call(export);
        }
        let plugin = loader.load(&request.path)?;
        self.plugins.push((request.clone(), plugin.clone()));
        Ok(plugin)
    }
}

#[cfg(test)]
mod tests {
    use mtl_host::cache::Cache;

    use super::*;

    #[test]
    fn workers_share_one_compiled_plugin() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path()).unwrap();
        let loader = Plugin::loader(&Engine::new().unwrap()).cache(&cache);
        let mut loaded = PluginSet { loader, plugins: Vec::new() };
        let mut request = PluginRequest {
            path: "../../tests/fixtures/upper.wat".into(),
            sha256: None,
            call: None,
            wasm: WasmFeatures::NONE,
        };
        for _ in 0..3 {
            loaded.plugin(&request).unwrap();
        }
        let uses = cache.stats();
        assert_eq!((uses.misses, uses.hits), (1, 0), "the cache is not queried again");
        // With other settings, it is another plugin with the same code.
        request.call = Some("call".into());
        loaded.plugin(&request).unwrap();
        assert_eq!((cache.stats().misses, cache.stats().hits), (1, 1));
        // With other features, the plugin has other code.
        request.wasm = WasmFeatures::GC;
        loaded.plugin(&request).unwrap();
        assert_eq!((cache.stats().misses, cache.stats().hits), (2, 1));
    }
}
