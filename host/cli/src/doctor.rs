//! `mtl-host doctor`: shows the layers of the jail that this machine has.

use std::fmt::Write as _;

use clap::Args;
use mtl_host::isolation::{JailLayer, JailLayers, LayerNeed, LayerStatus, Processes};
use serde_json::{Value, json};

use super::error::CliError;
use super::escape;
use super::exit::Exit;
use super::refuse::refuse;

const AFTER_HELP: &str = "\
A process enters the jail that `run --isolation process` puts around a worker,
and reports the layers that hold. `--jail required` needs the required layers,
and uses the others if the machine has them; `--jail strict` needs both the
required and the strict layers.

Exit codes:
    0  the machine has all required layers
    6  a required layer is missing";

/// Show the layers of the jail that this machine supports
///
/// `--isolation process` runs each worker in this jail.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct DoctorArgs {
    /// Write one JSON object instead of text
    #[arg(long)]
    json: bool,
}

/// Tries the layers, and passes the answers to `show`.
pub(super) fn doctor(args: &DoctorArgs, show: impl Fn(&str) -> Exit) -> Exit {
    let layers = match Processes::new().layers().map_err(CliError::from) {
        Ok(layers) => layers,
        Err(error) => return refuse(&error),
    };
    let text = if args.json { object(&layers) } else { table(&layers) };
    match show(&text) {
        Exit::Success if is_missing(&layers, LayerNeed::Required) => Exit::CheckFailed,
        shown => shown,
    }
}

fn is_missing(layers: &JailLayers, need: LayerNeed) -> bool {
    layers.missing(need).next().is_some()
}

/// Returns one line for each layer, and the values of `--jail` that run here.
fn table(layers: &JailLayers) -> String {
    let mut text = format!("{:20} {:9} {:7} PROTECTS FROM\n", "LAYER", "NEED", "HERE");
    for (layer, answer) in layers.iter() {
        let (name, need, protects) = (layer.name(), layer.need(), protects(layers, layer));
        let _ = writeln!(text, "{name:20} {need:9} {:7} {protects}", word(answer));
        if let Some(reason) = reason(answer) {
            let _ = writeln!(text, "{:38} the answer: {}", "", escape::line(reason));
        }
    }
    text + verdict(layers)
}

/// Returns what a layer protects from, in terms of the flags that grant directories and addresses.
fn protects(layers: &JailLayers, layer: JailLayer) -> String {
    const FLAGS: [(&str, &str); 4] = [
        ("if an address is granted", "with `--net`"),
        ("if no address is granted", "without `--net`"),
        ("if a directory is granted", "with `--dir`"),
        ("if no directory is granted", "without `--dir`"),
    ];
    let text = layers.protects(layer).to_owned();
    FLAGS.iter().fold(text, |text, (grant, flag)| text.replace(grant, flag))
}

fn verdict(layers: &JailLayers) -> &'static str {
    let is_layer_missing = |need| is_missing(layers, need);
    match (is_layer_missing(LayerNeed::Required), is_layer_missing(LayerNeed::Strict)) {
        (true, _) => "\nonly `--jail best-effort` runs here\n",
        (false, true) => "\n`--jail required` runs here, `--jail strict` does not\n",
        (false, false) if layers.missing_with_dirs(LayerNeed::Strict).next().is_some() => {
            "\n`--jail required` runs here, `--jail strict` only without `--dir`\n"
        }
        (false, false) => "\n`--jail required` and `--jail strict` run here\n",
    }
}

const fn word(answer: &LayerStatus) -> &'static str {
    match answer {
        LayerStatus::Present => "yes",
        LayerStatus::Unused(_) => "unused",
        LayerStatus::WithoutDirs(_) => "partly",
        _ => "no",
    }
}

/// Returns the reason of an answer other than `yes`.
const fn reason(answer: &LayerStatus) -> Option<&String> {
    match answer {
        LayerStatus::Missing(reason)
        | LayerStatus::Unused(reason)
        | LayerStatus::WithoutDirs(reason) => Some(reason),
        _ => None,
    }
}

fn object(layers: &JailLayers) -> String {
    let layer = |(layer, answer): (JailLayer, &LayerStatus)| -> Value {
        json!({
            "layer": layer.name(),
            "need": layer.need().to_string(),
            "here": word(answer),
            "answer": reason(answer),
            "protects_from": protects(layers, layer),
        })
    };
    let has_required = !is_missing(layers, LayerNeed::Required);
    let has_strict_with_dirs = layers.missing_with_dirs(LayerNeed::Strict).next().is_none();
    let object = json!({
        "layers": layers.iter().map(layer).collect::<Vec<_>>(),
        "required": has_required,
        "strict": has_required && !is_missing(layers, LayerNeed::Strict),
        "strict_with_dirs": has_required && has_strict_with_dirs,
    });
    format!("{}\n", escape::json(&object.to_string()))
}
