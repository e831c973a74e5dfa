//! `mtl-host cache`: shows or clears the cache of compiled plugins.

use clap::{Args, Subcommand};
use mtl_host::cache::{Cache, CacheError, CacheInfo, CacheUsage};
use serde_json::{Value, json};

use super::cache_args::CacheDirArgs;
use super::count_noun::count_noun;
use super::display_text::DisplayText;
use super::error::CliError;
use super::escape;

/// Show or clear the cache of compiled plugins
#[derive(Debug, Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct CacheCommand {
    #[command(subcommand)]
    action: CacheAction,
}

#[derive(Debug, Subcommand)]
enum CacheAction {
    /// Show the cache directory, and the number and size of compiled plugins
    Info {
        #[command(flatten)]
        dir: CacheDirArgs,

        /// Write one JSON object instead of text
        #[arg(long)]
        json: bool,
    },
    /// Remove everything from the cache
    ///
    /// Runs that use an entry keep it until they end.
    Clear {
        #[command(flatten)]
        dir: CacheDirArgs,

        /// Remove only the snapshots of `--snapshot-cache`
        ///
        /// A snapshot is a plugin's memory after `init`: it can hold arguments, variables, data that
        /// `init` has read, and random numbers.
        #[arg(long)]
        snapshots: bool,
    },
}

/// Executes the subcommand, and returns the text to show.
pub(super) fn cache(command: &CacheCommand) -> Result<String, CliError> {
    match &command.action {
        CacheAction::Info { dir, json: false } => info(dir, text),
        CacheAction::Info { dir, json: true } => info(dir, object),
        CacheAction::Clear { dir, snapshots: false } => clear(dir, "plugin", Cache::clear),
        CacheAction::Clear { dir, snapshots: true } => {
            clear(dir, "snapshot", Cache::clear_snapshots)
        }
    }
}

fn info(
    dir: &CacheDirArgs,
    render: impl Fn(&CacheDirArgs, &str, &CacheInfo) -> String,
) -> Result<String, CliError> {
    let path = dir.path()?;
    let cache = Cache::find(&path)?;
    let info = cache.map_or_else(|| Ok(CacheInfo::default()), |cache| cache.info())?;
    Ok(render(dir, &path.to_string_lossy(), &info))
}

fn clear(
    dir: &CacheDirArgs,
    action: &str,
    remove: impl Fn(&Cache) -> Result<CacheInfo, CacheError>,
) -> Result<String, CliError> {
    let cache = Cache::find(dir.path()?)?;
    let cleared = cache.map_or_else(|| Ok(CacheInfo::default()), |cache| remove(&cache))?;
    let CacheInfo { trusted, jailed, .. } = cleared;
    let entries = count_noun(trusted.entries + jailed.entries, action);
    Ok(format!("removed {entries}, {}\n", size(trusted.bytes + jailed.bytes)))
}

fn text(dir: &CacheDirArgs, path: &str, info: &CacheInfo) -> String {
    let share = |share: &CacheUsage| {
        format!("{}, {}", count_noun(share.entries, "plugin"), size(share.bytes))
    };
    format!(
        "cache    {}\nlimit    {}\ntrusted  {}\njailed   {}\n",
        DisplayText::of(path),
        dir.cache_size,
        share(&info.trusted),
        share(&info.jailed),
    )
}

fn object(dir: &CacheDirArgs, path: &str, info: &CacheInfo) -> String {
    let share =
        |share: &CacheUsage| -> Value { json!({ "entries": share.entries, "bytes": share.bytes }) };
    let object = json!({
        "path": path,
        "limit": dir.cache_size.bytes(),
        "trusted": share(&info.trusted),
        "jailed": share(&info.jailed),
    });
    format!("{}\n", escape::json(&object.to_string()))
}

/// Returns a size in a unit that leaves few digits, rounded up.
fn size(bytes: u64) -> String {
    const KIB: u64 = 1024;
    const MIB: u64 = 1024 * KIB;
    match bytes {
        ..KIB => count_noun(bytes, "byte"),
        KIB..MIB => format!("{} KiB", bytes.div_ceil(KIB)),
        _ => format!("{} MiB", bytes.div_ceil(MIB)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_rounded_up() {
        #[rustfmt::skip]
        let cases = [
            (0,         "0 bytes"),
            (1023,      "1023 bytes"),
            (1024,      "1 KiB"),
            (1025,      "2 KiB"),
            (1 << 20,   "1 MiB"),
            (10 << 30,  "10240 MiB"),
        ];
        for (bytes, expected) in cases {
            assert_eq!(size(bytes), expected);
        }
    }
}
