//! Embeds the SDKs and the project templates in the program, for `mtl-host new`.
//!
//! `kits/LANG` links to the SDK of a language, so that `cargo package` includes the SDK. The files of an SDK are those
//! of `kits/LANG/mtl-plugin` if this folder exists, otherwise those of `kits/LANG` without its tests.
//!
//! In `kits/rust` each file has its own link, and `Cargo.toml` is named `Cargo.toml.kit`, because cargo excludes a
//! folder with a `Cargo.toml` from a package.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// The files next to an SDK that are not part of it, or that tools generate.
const LEFT_OUT: [&str; 7] =
    ["template", "tests", "build", "target", "node_modules", "zig-out", "__pycache__"];

fn main() -> io::Result<()> {
    let variable = |name| PathBuf::from(env::var_os(name).expect("cargo sets it"));
    let mut kits = String::from("[\n");
    for sdk in sorted(&variable("CARGO_MANIFEST_DIR").join("kits"))? {
        let template = sdk.join("template");
        if template.is_dir() {
            kit(&mut kits, &sdk, &template)?;
        }
    }
    kits.push(']');
    fs::write(variable("OUT_DIR").join("kits.rs"), kits)
}

/// Writes the template of one language, as an expression.
fn kit(text: &mut String, sdk: &Path, template: &Path) -> io::Result<()> {
    let language = sdk.file_name().expect("it is in a folder").display();
    let own = sdk.join("mtl-plugin");
    let files = if own.is_dir() { own } else { sdk.to_owned() };
    let is_left_out = |name: &str| LEFT_OUT.contains(&name) || name.ends_with("_test.go");
    write!(text, "Template {{ language: \"{language}\",").expect("writing to a string cannot fail");
    table(text, "files", template, &|_| false)?;
    table(text, "sdk", &files, &is_left_out)?;
    text.push_str("},\n");
    Ok(())
}

/// Writes a field with all files below a folder, each with its path in the folder.
fn table(
    text: &mut String,
    field: &str,
    folder: &Path,
    is_left_out: &dyn Fn(&str) -> bool,
) -> io::Result<()> {
    let mut files = Vec::new();
    collect(folder, is_left_out, &mut files)?;
    write!(text, "{field}: &[").expect("writing to a string cannot fail");
    for file in files {
        let name = file.strip_prefix(folder).expect("it is below").to_string_lossy();
        let name = name.strip_suffix(".kit").unwrap_or(&name);
        write!(text, "({name:?}, include_bytes!({file:?})),")
            .expect("writing to a string cannot fail");
    }
    text.push_str("],\n");
    Ok(())
}

/// Collects the files below a folder, and has cargo watch them.
///
/// Cargo watches a folder with everything below it. A folder with tests changes whenever they run, and would cause
/// the host to be compiled again. In such a folder, cargo therefore watches the files one by one.
fn collect(
    folder: &Path,
    is_left_out: &dyn Fn(&str) -> bool,
    files: &mut Vec<PathBuf>,
) -> io::Result<()> {
    let mut leaves_out = false;
    for path in sorted(folder)? {
        let name = path.file_name().expect("it is in a folder").to_string_lossy().into_owned();
        if name.starts_with('.') || is_left_out(&name) {
            leaves_out = true;
            continue;
        }
        // A link counts as its target.
        if path.is_dir() {
            collect(&path, is_left_out, files)?;
        } else {
            println!("cargo::rerun-if-changed={}", path.display());
            files.push(path);
        }
    }
    if !leaves_out {
        println!("cargo::rerun-if-changed={}", folder.display());
    }
    Ok(())
}

/// Returns the sorted paths of the entries of a folder.
fn sorted(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder)?.map(|entry| Ok(entry?.path()));
    let mut paths = entries.collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}
