//! The optional features of WebAssembly, which a plugin may use only if they are allowed.
//!
//! Each feature needs the engine's heap for garbage collection. This heap is a security risk, because its code is large
//! and new, and guests control its inputs. No SDK produces plugins that need the heap. Therefore an engine contains the
//! heap only if a feature is requested.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use wasmparser::Validator;

use crate::item::parse_error::ParseError;

/// A set of optional WebAssembly features: garbage collection and exceptions. Plugins may use only the features that
/// are allowed.
///
/// The text form is a list, such as `gc,exceptions`; the empty set is `none`.
///
/// ```
/// use mtl_host::load::WasmFeatures;
///
/// let features: WasmFeatures = "gc,exceptions".parse()?;
/// assert_eq!(features, WasmFeatures::ALL);
/// assert!(features.contains(WasmFeatures::GC));
/// assert_eq!(WasmFeatures::default().to_string(), "none");
/// assert!("threads".parse::<WasmFeatures>().is_err());
/// # Ok::<(), mtl_host::ParseError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct WasmFeatures {
    gc: bool,
    exceptions: bool,
}

impl WasmFeatures {
    /// Neither feature (the default).
    pub const NONE: Self = Self { gc: false, exceptions: false };
    /// Garbage collection: structs, arrays, `i31`, typed function references, and references to host values
    /// (`externref`).
    pub const GC: Self = Self { gc: true, exceptions: false };
    /// Exceptions: tags, `throw` and `try_table`.
    pub const EXCEPTIONS: Self = Self { gc: false, exceptions: true };
    /// Both features.
    pub const ALL: Self = Self { gc: true, exceptions: true };

    /// All sets, in the order of their [index](Self::index).
    pub(crate) const SETS: [Self; 4] = [Self::NONE, Self::GC, Self::EXCEPTIONS, Self::ALL];

    /// Returns whether no feature is in this set.
    ///
    /// ```
    /// # use mtl_host::load::WasmFeatures;
    /// assert!(WasmFeatures::NONE.is_empty());
    /// ```
    #[must_use]
    pub const fn is_empty(self) -> bool {
        !self.gc && !self.exceptions
    }

    /// Returns whether each feature of `other` is in this set.
    ///
    /// ```
    /// # use mtl_host::load::WasmFeatures;
    /// assert!(!WasmFeatures::GC.contains(WasmFeatures::ALL));
    /// ```
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        (self.gc || !other.gc) && (self.exceptions || !other.exceptions)
    }

    /// Returns the features of both sets.
    ///
    /// ```
    /// # use mtl_host::load::WasmFeatures;
    /// assert_eq!(WasmFeatures::GC.union(WasmFeatures::EXCEPTIONS), WasmFeatures::ALL);
    /// ```
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self { gc: self.gc || other.gc, exceptions: self.exceptions || other.exceptions }
    }

    /// Returns the names of the features in this set.
    ///
    /// ```
    /// # use mtl_host::load::WasmFeatures;
    /// assert!(WasmFeatures::ALL.names().eq(["gc", "exceptions"]));
    /// ```
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        let names = [(self.gc, "gc"), (self.exceptions, "exceptions")];
        names.into_iter().filter_map(|(is_present, name)| is_present.then_some(name))
    }

    /// Returns the features of this set that are not in `other`.
    pub(crate) const fn without(self, other: Self) -> Self {
        Self { gc: self.gc && !other.gc, exceptions: self.exceptions && !other.exceptions }
    }

    /// Returns the smallest set of features with which `binary` is valid. `binary` is a module or a component. Returns
    /// `None` if `binary` is invalid even with both features.
    pub(crate) fn used_by(binary: &[u8]) -> Option<Self> {
        let is_valid_with = |features: &Self| {
            let features = features.of_validator();
            Validator::new_with_features(features).validate_all(binary).is_ok()
        };
        Self::SETS.into_iter().find(is_valid_with)
    }

    /// Returns the features that the engine accepts if it allows this set, for the validator.
    fn of_validator(self) -> wasmparser::WasmFeatures {
        use wasmparser::WasmFeatures as Known;
        let mut features = Known::WASM3 | Known::COMPONENT_MODEL;
        features.remove(Known::MEMORY64 | Known::THREADS);
        for (known, is_allowed) in [
            (Known::GC, self.gc),
            (Known::EXCEPTIONS, self.exceptions),
            (Known::FUNCTION_REFERENCES, self.gc),
            (Known::GC_TYPES, self.needs_heap()),
        ] {
            features.set(known, is_allowed);
        }
        features
    }

    /// Allows these features in the engine's settings, and no others that need the same heap.
    pub(crate) fn allow(self, config: &mut wasmtime::Config) {
        config
            .wasm_gc(self.gc)
            .wasm_exceptions(self.exceptions)
            .wasm_function_references(self.gc)
            .gc_support(self.needs_heap());
    }

    /// Returns whether instances need the heap for garbage collection. Exceptions are stored there, like objects.
    const fn needs_heap(self) -> bool {
        !self.is_empty()
    }

    /// Returns the index of this set in [`SETS`](Self::SETS).
    pub(crate) fn index(self) -> usize {
        usize::from(self.gc) + 2 * usize::from(self.exceptions)
    }

    /// Returns the name of these features in messages.
    pub(crate) const fn described(self) -> &'static str {
        match (self.gc, self.exceptions) {
            (false, false) => "no optional features",
            (true, false) => "garbage collection",
            (false, true) => "exceptions",
            (true, true) => "garbage collection and exceptions",
        }
    }
}

impl FromStr for WasmFeatures {
    type Err = ParseError;

    /// Reads names that are separated by `,` or `+`, or `none`.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        if text == "none" {
            return Ok(Self::NONE);
        }
        text.split([',', '+']).try_fold(Self::NONE, |features, name| match name {
            "gc" => Ok(features.union(Self::GC)),
            "exceptions" => Ok(features.union(Self::EXCEPTIONS)),
            _ => Err(ParseError::of(format!(
                "unknown feature `{}`: there are `gc`, `exceptions` and `none`",
                name.escape_debug()
            ))),
        })
    }
}

impl fmt::Display for WasmFeatures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.gc, self.exceptions) {
            (false, false) => "none",
            (true, false) => "gc",
            (false, true) => "exceptions",
            (true, true) => "gc,exceptions",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feature_set_round_trips_as_text() {
        for (at, set) in WasmFeatures::SETS.into_iter().enumerate() {
            assert_eq!((set.to_string().parse(), set.index()), (Ok(set), at), "{set}");
        }
        #[rustfmt::skip]
        let cases = [
            ("exceptions,gc", Some(WasmFeatures::ALL)),
            ("gc+exceptions", Some(WasmFeatures::ALL)),
            ("gc,gc",         Some(WasmFeatures::GC)),
            ("",              None),
            ("gc,",           None),
            ("none,gc",       None),
            ("GC",            None),
            ("all",           None),
        ];
        for (text, expected) in cases {
            assert_eq!(text.parse().ok(), expected, "{text}");
        }
    }

    #[test]
    fn a_binary_reports_the_fewest_sufficient_features() {
        const NONE: Option<WasmFeatures> = Some(WasmFeatures::NONE);
        const GC: Option<WasmFeatures> = Some(WasmFeatures::GC);
        const EXCEPTIONS: Option<WasmFeatures> = Some(WasmFeatures::EXCEPTIONS);
        #[rustfmt::skip]
        let cases = [
            ("(module (func (result i32)))",                                           None),
            ("(module (table 1 funcref) (func))",                                      NONE),
            ("(module (memory 1) (memory 1))",                                         NONE),
            ("(module (memory i64 1))",                                                None),
            ("(module (type (struct (field i32))))",                                   GC),
            ("(module (table 1 externref))",                                           GC),
            ("(module (type $f (func)) (func (param (ref $f)) (call_ref $f (local.get 0))))", GC),
            ("(module (func (result i32) (i31.get_s (ref.i31 (i32.const 1)))))",       GC),
            ("(module (tag))",                                                         EXCEPTIONS),
            ("(module (tag $t) (func (throw $t)))",                                    EXCEPTIONS),
            ("(module (tag $t) (func (block (result exnref) (try_table (catch_all_ref 0)) unreachable) drop))", EXCEPTIONS),
            ("(module (tag) (table 1 externref))",                                     EXCEPTIONS),
            ("(module (tag) (type (struct)))",                                         Some(WasmFeatures::ALL)),
            ("(module (func try catch_all end))",                                      None),
            ("(component (core module (tag)))",                                        EXCEPTIONS),
            ("(component (core module (type (array i8))))",                            GC),
            ("(component (core module (func)))",                                       NONE),
        ];
        for (text, expected) in cases {
            let binary = wat::parse_str(text).unwrap();
            let used = WasmFeatures::used_by(&binary);
            assert_eq!(used, expected, "{text}");
            for set in WasmFeatures::SETS {
                let mut config = wasmtime::Config::new();
                config.wasm_memory64(false).concurrency_support(false);
                set.allow(&mut config);
                let engine = wasmtime::Engine::new(&config).unwrap();
                let compiled = match binary[4..8] {
                    [1, 0, 0, 0] => engine.precompile_module(&binary),
                    _ => engine.precompile_component(&binary),
                };
                let is_expected = used.is_some_and(|used| {
                    set.contains(used)
                        || (!set.is_empty()
                            && used == WasmFeatures::GC
                            && is_about_references(text))
                });
                assert_eq!(compiled.is_ok(), is_expected, "{text} with {set}");
            }
        }
    }

    /// Returns whether the module uses references to host values, which each of the two features allows.
    fn is_about_references(text: &str) -> bool {
        text.contains("externref")
    }
}
