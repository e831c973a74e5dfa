//! Checks that no input is a WebAssembly file. Such an input is probably a second plugin that the
//! user named by mistake.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use mtl_host::files::Opener;

use super::display_text::DisplayText;

/// The first bytes of every WebAssembly file, and of no text.
const MAGIC: &[u8; 4] = b"\0asm";

/// Error of an input that is a WebAssembly file.
#[derive(Debug, thiserror::Error)]
#[error("cannot read items `{}`: they are WebAssembly", DisplayText::of(path))]
pub(crate) struct WasmInputError {
    path: PathBuf,
    /// Is true if a configuration may have named the plugin of the run.
    by_configuration: bool,
}

impl WasmInputError {
    /// Returns a hint for the user.
    pub(crate) fn hint(&self) -> &'static str {
        if self.by_configuration {
            "the plugin is already named, so this file is an input; to replace the plugin of the configuration, use \
             `--plugin FILE`; to run several plugins together, use one `--worker` for each"
        } else {
            "the plugin is already named, so this file is an input; to run several plugins together, use one \
             `--worker` for each"
        }
    }
}

/// Checks that no input is a WebAssembly file. An input that cannot be read passes this check,
/// because the run later reports the read error. `config` selects the hint of the error, because a
/// configuration file may already name the plugin of the run.
pub(crate) fn check(
    opener: &Opener,
    inputs: &[PathBuf],
    config: Option<&Path>,
) -> Result<(), WasmInputError> {
    match inputs.iter().find(|path| is_wasm(opener, path).unwrap_or(false)) {
        Some(path) => {
            let by_configuration = config.is_some();
            Err(WasmInputError { path: path.clone(), by_configuration })
        }
        None => Ok(()),
    }
}

fn is_wasm(opener: &Opener, path: &Path) -> io::Result<bool> {
    let Some(mut file) = opener.open_regular(path)? else { return Ok(false) };
    // Some files of the kernel can be read only once. Their length is 0, so they are not read here.
    if file.metadata()?.len() < MAGIC.len() as u64 {
        return Ok(false);
    }
    let mut first_bytes = [0; MAGIC.len()];
    file.read_exact(&mut first_bytes)?;
    Ok(first_bytes == *MAGIC)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::process::CommandExt;
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn a_wasm_input_is_refused_by_its_magic_bytes() {
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
    fn the_wasm_input_check_skips_proc_files() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("asm"), "echo begun\nread line\n").unwrap();
        // The command line of this process reads as `\0asm`.
        let mut shell = Command::new("/bin/sh")
            .arg0("")
            .arg("asm")
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // Before this line, the process may have no command line yet.
        let mut started = [0; 6];
        shell.stdout.take().unwrap().read_exact(&mut started).unwrap();
        let path = PathBuf::from(format!("/proc/{}/cmdline", shell.id()));
        let first_bytes = fs::read(&path).unwrap().starts_with(MAGIC);
        let checked = check(&Opener::new(), &[path], None);
        // The process ends at the end of its input.
        shell.wait().unwrap();
        assert!(first_bytes);
        checked.unwrap();
    }
}
