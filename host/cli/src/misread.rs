//! Keeps a run from reading a plugin as its items: whoever names two, and only one can be it, means
//! something else.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use mtl_host::Opener;

use super::shown::Shown;

/// What WebAssembly begins with, and no text does.
const MAGIC: &[u8; 4] = b"\0asm";

/// A plugin is named where an input is.
#[derive(Debug, thiserror::Error)]
#[error("cannot read items `{}`: they are WebAssembly", Shown::of(path))]
pub(crate) struct Misread {
    path: PathBuf,
    /// Whether the plugin of the run is, or may be, named by a configuration.
    by_configuration: bool,
}

impl Misread {
    /// Returns what the user can do about it.
    pub(crate) fn hint(&self) -> &'static str {
        if self.by_configuration {
            "the plugin is named already, so that this is an input; `--plugin FILE` takes the place of what the \
             configuration names, and of several that work together each has its `--worker`"
        } else {
            "the plugin is named already, so that this is an input; of several that work together each has its \
             `--worker`"
        }
    }
}

/// Checks that no input is a plugin. What cannot be read says so when it is read. A configuration
/// may be what names the plugin of the run.
pub(crate) fn check(
    opener: &Opener,
    inputs: &[PathBuf],
    config: Option<&Path>,
) -> Result<(), Misread> {
    match inputs.iter().find(|path| is_wasm(opener, path).unwrap_or(false)) {
        Some(path) => {
            let by_configuration = config.is_some();
            Err(Misread { path: path.clone(), by_configuration })
        }
        None => Ok(()),
    }
}

fn is_wasm(opener: &Opener, path: &Path) -> io::Result<bool> {
    let Some(mut file) = opener.open_regular(path)? else { return Ok(false) };
    // What some files of the kernel say is gone when it was read: they have no length.
    if file.metadata()?.len() < MAGIC.len() as u64 {
        return Ok(false);
    }
    let mut begins = [0; MAGIC.len()];
    file.read_exact(&mut begins)?;
    Ok(begins == *MAGIC)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::process::CommandExt;
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn a_plugin_is_known_by_how_it_begins() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("it");
        #[rustfmt::skip]
        let cases: [(&[u8], bool); 5] = [
            (b"\0asm\x01\0\0\0", true),
            (b"\0asm",           true),
            (b"\0as",            false),
            (b"",                false),
            (b"an item\n",       false),
        ];
        for (content, refused) in cases {
            fs::write(&path, content).unwrap();
            let inputs = [PathBuf::from("-"), "/dev/null".into(), "missing".into(), path.clone()];
            assert_eq!(check(&Opener::new(), &inputs, None).is_err(), refused, "{content:?}");
        }
    }

    #[test]
    fn what_the_kernel_says_is_left_to_whoever_reads_items() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("asm"), "echo begun\nread line\n").unwrap();
        // Its command line is read as `\0asm`.
        let mut shell = Command::new("/bin/sh")
            .arg0("")
            .arg("asm")
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // Before, it may have no command line yet.
        let mut begun = [0; 6];
        shell.stdout.take().unwrap().read_exact(&mut begun).unwrap();
        let path = PathBuf::from(format!("/proc/{}/cmdline", shell.id()));
        let begins = fs::read(&path).unwrap().starts_with(MAGIC);
        let checked = check(&Opener::new(), &[path], None);
        // The end of its input is its end.
        shell.wait().unwrap();
        assert!(begins);
        checked.unwrap();
    }
}
