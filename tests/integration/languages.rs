//! Tests workers in every language: `mtl-host build` builds each SDK's plugins, and they give the same results for the
//! same items.
//!
//! ```text
//! plugin-sdk/README.md: the table of SDK features ──────┐
//! plugin-sdk/…/probe ─▶ mtl-host build ─▶ probe.wasm ───┴▶ each feature in the table works; others are refused
//! examples-plugins/… ─▶ mtl-host build ─▶ tests/fixtures/languages: the same bytes
//! ```
//!
//! `examples-plugins/languages` installs the compilers. If a compiler is missing, the tests of its language are skipped
//! with a message. Under `CI`, these tests fail.

mod conformance;
mod examples;
mod others;
mod power;
mod probe;
mod project;
mod table;

use crate::new::from_nothing_to_results;

/// A language with the paths of its plugins in this repository.
#[derive(Clone, Copy, Debug)]
struct Language {
    /// The language's column in the table.
    column: &'static str,
    /// The project of the plugin that answers commands.
    probe: &'static str,
    /// The directory with `square`, `word-count` and `greet`.
    examples: Option<&'static str>,
    /// The source of `greet` in that directory.
    greet: Option<&'static str>,
    /// The project of the plugin whose `call` has parameters.
    power: Option<&'static str>,
}

/// Defines the tests of each language, in a module of its name, and the list of all languages.
macro_rules! languages {
    ($($name:ident $(, new $new:literal)? = $language:expr;)*) => {
        $(mod $name {
            use super::*;

            #[test]
            fn its_sdk_matches_the_feature_table() {
                probe::has_what_the_table_says(&$language);
            }

            #[test]
            fn its_plugins_pass_the_conformance_check() {
                conformance::passes(&$language);
            }

            #[test]
            fn its_examples_give_the_same_bytes() {
                examples::give_the_same_bytes(&$language);
            }

            #[test]
            fn its_greet_in_the_readme_runs() {
                examples::greet_as_the_readme_shows(&$language);
            }

            #[test]
            fn it_passes_arguments_by_the_rules() {
                power::spreads_arguments(&$language);
            }

            $(#[test]
            fn a_new_project_is_built_and_run() {
                from_nothing_to_results($new);
            })?
        })*

        const LANGUAGES: &[Language] = &[$($language),*];
        /// The names of the languages for `mtl-host new --lang`.
        const NEW: &[&str] = &[$($($new,)?)*];
    };
}

languages! {
    rust, new "rust" = Language {
        column: "Rust",
        probe: "plugin-sdk/rust/tests/probe",
        examples: Some("examples-plugins/rust"),
        greet: Some("greet/src/lib.rs"),
        power: Some("examples-plugins/rust/power"),
    };
    c, new "c" = Language {
        column: "C",
        probe: "plugin-sdk/c/tests/probe",
        examples: Some("examples-plugins/c"),
        greet: Some("greet/greet.c"),
        power: None,
    };
    cpp = Language {
        column: "C++",
        probe: "plugin-sdk/c/tests/probe-cpp",
        examples: None,
        greet: None,
        power: None,
    };
    zig, new "zig" = Language {
        column: "Zig",
        probe: "plugin-sdk/zig/tests/probe",
        examples: Some("examples-plugins/zig"),
        greet: Some("greet/greet.zig"),
        power: None,
    };
    go, new "go" = Language {
        column: "Go",
        probe: "plugin-sdk/go/tests/probe",
        examples: Some("examples-plugins/go"),
        greet: Some("greet/main.go"),
        power: Some("plugin-sdk/go/tests/power"),
    };
    assemblyscript, new "assemblyscript" = Language {
        column: "AssemblyScript",
        probe: "plugin-sdk/assemblyscript/tests/probe",
        examples: Some("examples-plugins/assemblyscript"),
        greet: Some("greet/assembly/index.ts"),
        power: Some("plugin-sdk/assemblyscript/tests/power"),
    };
    javascript, new "javascript" = Language {
        column: "JavaScript",
        probe: "plugin-sdk/javascript/tests/probe",
        examples: Some("examples-plugins/javascript"),
        greet: Some("greet/greet.js"),
        power: Some("plugin-sdk/javascript/tests/power"),
    };
    quickjs = Language {
        column: "JavaScript, QuickJS",
        probe: "plugin-sdk/javascript/tests/probe-qjs",
        examples: None,
        greet: None,
        power: Some("plugin-sdk/javascript/tests/power-qjs"),
    };
    python, new "python" = Language {
        column: "Python",
        probe: "plugin-sdk/python/tests/probe",
        examples: Some("examples-plugins/python"),
        greet: Some("greet/greet.py"),
        power: Some("plugin-sdk/python/tests/power"),
    };
}

#[test]
fn the_table_covers_every_language_and_feature() {
    let table = table::read();
    let columns: Vec<_> = LANGUAGES.iter().map(|language| language.column).collect();
    assert_eq!(table.columns(), columns);
    let rows: Vec<_> = probe::FEATURES.iter().map(|(name, _)| *name).collect();
    assert_eq!(table.rows(), rows);
}

#[test]
fn every_language_of_the_new_command_is_tested() {
    let mut tested = NEW.to_vec();
    tested.sort_unstable();
    assert_eq!(tested, crate::new::languages());
}
