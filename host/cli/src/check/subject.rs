//! The plugin under test, with its settings.

use std::cell::OnceCell;
use std::path::Path;

use mtl_host::cache::Cache;
use mtl_host::grants::DirGrant;
use mtl_host::inspect::Inspection;
use mtl_host::isolation::Isolation;
use mtl_host::load::{CompilerError, LoadErrorKind};
use mtl_host::{ArgumentPassing, Engine, LoadError, Plugin, PluginLoader};

use super::args::CheckArgs;
use super::items;
use crate::build::{self, DigestGiven};
use crate::error::CliError;
use crate::grants;
use crate::guest_writable;
use crate::init_arg::InitArg;
use crate::overwrite::FileUse;
use crate::report::Report;

/// A plugin under test, with its settings and items.
#[derive(Debug)]
pub(super) struct Subject<'a> {
    pub(super) args: &'a CheckArgs,
    pub(super) loaded: Result<LoadedPlugin, LoadError>,
    pub(super) init: Option<Vec<u8>>,
    pub(super) init_other: Option<Vec<u8>>,
    /// The granted directories, opened once for all trials.
    pub(super) dirs: Vec<DirGrant>,
    pub(super) env: Vec<(String, String)>,
    /// The items that the flags name.
    given_items: Vec<Vec<u8>>,
    passing: OnceCell<ArgumentPassing>,
}

/// A loaded plugin.
#[derive(Debug)]
pub(super) struct LoadedPlugin {
    plugin: Plugin,
    found: Inspection,
}

impl<'a> Subject<'a> {
    /// Reads the files that the arguments name, and tries to load the plugin.
    pub(super) fn new(args: &'a CheckArgs, report: &Report) -> Result<Self, CliError> {
        let read = |init: &Option<InitArg>| init.as_ref().map(InitArg::read).transpose();
        let env = args.env.iter().map(|grant| grant.resolve(|name| std::env::var_os(name)));
        let dirs = args.dir.iter().map(grants::open).collect::<Result<Vec<_>, _>>()?;
        let opener = grants::opener(&dirs)?;
        let inits = [&args.init, &args.init_other].into_iter().flatten().filter_map(InitArg::file);
        let mut files = vec![FileUse { name: "the plugin", path: &args.plugin }];
        files.extend(inits.map(|path| FileUse { name: "an init argument", path }));
        guest_writable::check(&opener, &files)?;
        let path = build::plugin_of(&args.plugin, DigestGiven::No)?;
        guest_writable::check(&opener, &[FileUse { name: "the plugin", path: &path }])?;
        guest_writable::check_cache(&opener, args.cache.path().as_deref())?;
        let cache = report.cache(args.cache.cache());
        let loader = loader(args, cache.as_ref())?;
        let loaded = match load(&loader, &path) {
            Err(error) if is_unrelated_to_plugin(&error) => return Err(error.into()),
            loaded => loaded,
        };
        if let Some(error) = cache.as_ref().and_then(Cache::full_error) {
            report.no_cache(error);
        }
        Ok(Self {
            args,
            loaded,
            init: read(&args.init)?,
            init_other: read(&args.init_other)?,
            dirs,
            env: env.collect::<Result<_, _>>()?,
            given_items: items::from_flags(args, &opener)?,
            passing: OnceCell::new(),
        })
    }

    pub(super) fn plugin(&self) -> &Plugin {
        &self.ready().plugin
    }

    pub(super) fn found(&self) -> &Inspection {
        &self.ready().found
    }

    fn ready(&self) -> &LoadedPlugin {
        self.loaded.as_ref().expect("this check runs only if the plugin could be loaded")
    }

    pub(super) fn isolation(&self) -> Isolation {
        self.args.isolation.isolation(self.args.jail)
    }

    /// Returns the way in which items fill the parameters.
    pub(super) fn passing(&self) -> ArgumentPassing {
        self.passing.get().copied().or(self.args.args).unwrap_or_default()
    }

    /// Returns the first way in which items can fill the parameters of a typed function.
    pub(super) fn typed_passing(&self) -> ArgumentPassing {
        let typed = self.found().typed.as_ref();
        typed.and_then(|typed| typed.items.first()).map_or(self.passing(), |(passing, _)| *passing)
    }

    /// Records the way to pass items with which the plugin starts.
    pub(super) fn set_passing(&self, passing: ArgumentPassing) {
        // The check `start` sets it once.
        let _ = self.passing.set(passing);
    }

    /// Returns whether the host parses items from JSON into values.
    pub(super) fn takes_json(&self) -> bool {
        let typed = self.loaded.as_ref().ok().and_then(|loaded| loaded.found.typed.as_ref());
        // A single parameter of text or bytes gets the whole item: its example is not JSON.
        let is_json = |item: &str| serde_json::from_str::<serde::de::IgnoredAny>(item).is_ok();
        typed.is_some_and(|typed| {
            let mut items = typed.items.iter().filter(|(passing, _)| *passing == self.passing());
            items.all(|(_, item)| is_json(item))
        })
    }

    /// Returns whether the plugin exports `finish`.
    pub(super) fn has_finish(&self) -> bool {
        let found = self.found();
        let Some(typed) = &found.typed else { return found.has_export("finish") };
        let finish = match typed.call.rsplit_once('#') {
            Some((interface, _)) => format!("{interface}#finish"),
            None => "finish".into(),
        };
        let mut exports = found.exports.iter();
        exports.any(|export| export.name == finish && export.signature.starts_with("()"))
    }

    /// Returns items that the plugin is likely to accept. If the flags name items, returns the
    /// named items. Otherwise, returns examples of the plugin's parameter types. Adds typical
    /// items, unless the plugin takes JSON and has examples.
    pub(super) fn samples(&self) -> Vec<Vec<u8>> {
        if !self.given_items.is_empty() {
            return self.given_items.clone();
        }
        let typed = self.found().typed.iter().flat_map(|typed| &typed.items);
        let examples = typed.filter(|(passing, _)| *passing == self.passing());
        let examples = examples.map(|(_, item)| item.clone().into_bytes());
        let examples: Vec<_> = examples.collect();
        // The host would refuse most typical items, and the others may be invalid for this plugin.
        if self.takes_json() && !examples.is_empty() {
            return examples;
        }
        examples.into_iter().chain(items::samples(self.passing())).collect()
    }
}

fn loader(args: &CheckArgs, cache: Option<&Cache>) -> Result<PluginLoader, CliError> {
    let isolation = args.isolation.isolation(args.jail);
    let mut loader = Plugin::loader(&Engine::new()?).isolation(isolation).wasm_features(args.wasm);
    if let Some(cache) = cache {
        loader = loader.cache(cache);
    }
    Ok(match &args.call {
        Some(call) => loader.call(call),
        None => loader,
    })
}

fn load(loader: &PluginLoader, path: &Path) -> Result<LoadedPlugin, LoadError> {
    let plugin = loader.load(path)?;
    let found = plugin.inspection().map_or_else(|| loader.inspect(path), Ok)?;
    Ok(LoadedPlugin { plugin, found })
}

/// Returns whether an error is not about the plugin, or is about something that no check covers.
fn is_unrelated_to_plugin(error: &LoadError) -> bool {
    matches!(
        error.kind(),
        LoadErrorKind::Read { .. }
            | LoadErrorKind::Code { .. }
            | LoadErrorKind::Engine(_)
            | LoadErrorKind::HostFunction(_)
            | LoadErrorKind::Precompiled
            | LoadErrorKind::Compiler(CompilerError::Jail { .. } | CompilerError::Process { .. })
    )
}
