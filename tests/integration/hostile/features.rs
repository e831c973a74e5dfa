//! Checks misdeeds with features of WebAssembly that are off by default: garbage-collected objects and exceptions.

use super::good_run::good_run;
use super::{ISOLATIONS, isolated};
use crate::support::host;

/// Each plugin with the reason for its refusal, and the flag that allows the feature.
#[rustfmt::skip]
const PLUGINS: [(&str, &str, &str); 5] = [
    ("hostile/gc-bomb.wat",           "garbage collection", "gc"),
    ("hostile/gc-bomb-component.wat", "garbage collection", "gc"),
    ("hostile/throw.wat",             "exceptions",         "exceptions"),
    ("hostile/throw-for-ever.wat",    "exceptions",         "exceptions"),
    ("hostile/throw-component.wat",   "exceptions",         "exceptions"),
];

#[test]
fn a_feature_that_is_not_allowed_is_refused_by_name() {
    for (plugin, feature, flag) in PLUGINS {
        let other = if flag == "gc" { "exceptions" } else { "gc" };
        for isolation in ISOLATIONS {
            for (allowed, advice) in [("none", flag), (other, "gc,exceptions")] {
                let run = isolated(host(), isolation).plugin(plugin).args(["--wasm", allowed]);
                let name = plugin.strip_prefix("hostile/").unwrap();
                run.stdin("x\n").run().code(3).stdout("").stderr(&format!(
                    "error: plugin `{name}` uses WebAssembly {feature}\n \
                     hint: allow it, if you trust the engine's garbage collector with this plugin: \
                     `--wasm {advice}`\n"
                ));
            }
        }
    }
}

#[test]
fn objects_on_the_engine_heap_count_as_memory() {
    let message = "the plugin asked for more memory than the 4MiB of `memory`";
    #[rustfmt::skip]
    let plugins = [
        "hostile/gc-bomb.wat", "hostile/gc-bomb-component.wat", "hostile/throw-for-ever.wat",
    ];
    for plugin in plugins {
        let run = good_run(plugin).args(["--memory", "4MiB", "--wasm", "gc,exceptions"]);
        run.fault("!", "out-of-memory", message).run();
    }
}

#[test]
fn an_uncaught_exception_is_a_fault_of_its_item() {
    for plugin in ["hostile/throw.wat", "hostile/throw-component.wat"] {
        let run = good_run(plugin).args(["--wasm", "exceptions"]);
        run.fault("!", "trap", "uncaught exception, in `misdeed`").run();
    }
}
