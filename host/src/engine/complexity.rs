//! Measures how much a component makes the compiler do beyond what its size tells: by components that nest, and by components
//! that are instantiated again and again. It is bounded before anything of a plugin is validated or compiled.
//!
//! The engine puts the content of a component in place of each of its instances, so that a kilobyte of components, each
//! of which instantiates the one before it twice, is as much as gigabytes. It copies what it knows of all components
//! around each nested one, so that depth costs by its square.
//!
//! A section that cannot be read ends the count: the compiler will refuse such a binary.

use std::fmt;

use serde::{Deserialize, Serialize};
use wasmparser::{
    ComponentAlias, ComponentExternalKind, ComponentInstance, ComponentOuterAliasKind,
    ComponentTypeRef, Parser, Payload,
};

use super::functions::{PREAMBLE, section};

/// A measure by which a component is too complex. Several times what any compiler makes is allowed, so that nothing
/// sets these limits.
///
/// ```
/// use mtl_host::Complexity;
///
/// let depth = Complexity::Depth(20_000);
/// assert_eq!(depth.to_string(), "nests components 20000 deep, and may nest them 32 deep");
/// assert_eq!(depth.limit(), Complexity::MOST_DEPTH);
/// assert_eq!(Complexity::Parts(2000).limit(), Complexity::MOST_PARTS);
/// assert_eq!(Complexity::Definitions(u64::MAX).limit(), Complexity::MOST_DEFINITIONS);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Complexity {
    /// The depth to which components and modules are nested in one another, the outermost one counted.
    Depth(u64),
    /// The number of components and modules.
    Parts(u64),
    /// The number of definitions in all instances of components: an import, an alias, an instance or an export counts once
    /// for each instance of its component. `u64::MAX` if nobody can tell.
    Definitions(u64),
}

impl Complexity {
    /// The largest depth: a composed component of several languages nests them 4 deep.
    pub const MOST_DEPTH: u64 = 32;
    /// The largest number of components and modules: one with a Python interpreter has 17.
    pub const MOST_PARTS: u64 = 1000;
    /// The largest number of definitions in all instances: one with a Python interpreter has some hundreds.
    pub const MOST_DEFINITIONS: u64 = 100_000;

    /// The most that is allowed by this measure.
    #[must_use]
    pub const fn limit(self) -> u64 {
        match self {
            Self::Depth(_) => Self::MOST_DEPTH,
            Self::Parts(_) => Self::MOST_PARTS,
            Self::Definitions(_) => Self::MOST_DEFINITIONS,
        }
    }

    /// Returns by what a binary is too complex, if it is.
    pub(crate) fn excess(binary: &[u8]) -> Option<Self> {
        let (depth, parts) = nesting(binary);
        // In this order: to count definitions is cheap only where there are few components.
        let nesting = [Self::Depth(depth), Self::Parts(parts)].into_iter();
        let definitions = || Self::Definitions(definitions(binary));
        nesting.chain(std::iter::once_with(definitions)).find(|found| found.is_excess())
    }

    fn is_excess(self) -> bool {
        let (Self::Depth(found) | Self::Parts(found) | Self::Definitions(found)) = self;
        found > self.limit()
    }
}

impl fmt::Display for Complexity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let limit = self.limit();
        match self {
            Self::Depth(depth) => {
                write!(f, "nests components {depth} deep, and may nest them {limit} deep")
            }
            Self::Parts(parts) => {
                write!(f, "has {parts} components and modules, and may have {limit}")
            }
            Self::Definitions(u64::MAX) => {
                f.write_str("has instances of a component that is known only when it is linked")
            }
            Self::Definitions(found) => {
                write!(f, "has {found} definitions in its instances, and may have {limit}")
            }
        }
    }
}

/// Returns how deep components and modules are nested in a binary, and how many there are. Reads the heads of sections alone.
fn nesting(binary: &[u8]) -> (u64, u64) {
    let (mut deepest, mut parts) = (0, 0);
    let mut binaries = vec![(binary, 1)];
    while let Some((binary, depth)) = binaries.pop() {
        deepest = deepest.max(depth);
        parts += 1;
        let is_component = binary.get(6) == Some(&1);
        let mut rest = binary.get(PREAMBLE..).unwrap_or_default();
        while let Some((id, content, behind)) = section(rest) {
            if is_component && matches!(id, 1 | 4) {
                // Beyond the limit they are counted, and not looked into.
                if binaries.len() as u64 <= Complexity::MOST_PARTS {
                    binaries.push((content, depth + 1));
                } else {
                    parts += 1;
                }
            }
            rest = behind;
        }
    }
    (deepest, parts)
}

/// A component whose definitions are counted.
#[derive(Debug, Default)]
struct Counted {
    is_component: bool,
    /// The number of definitions in an instance of it, those of its instances included.
    definitions: u64,
    /// The same of each component that it can name, by its index. None if it is handed over from elsewhere.
    components: Vec<Option<u64>>,
}

impl Counted {
    fn add(&mut self, definitions: impl Into<u64>) {
        self.definitions = self.definitions.saturating_add(definitions.into());
    }

    fn component(&self, index: u32) -> Option<u64> {
        self.components.get(index as usize).copied().flatten()
    }
}

/// Returns the number of definitions in all instances of components in a binary.
fn definitions(binary: &[u8]) -> u64 {
    // From the outermost to the one at hand. A module is one without definitions.
    let mut open = vec![Counted::default()];
    for payload in Parser::new(0).parse_all(binary) {
        let read = payload.and_then(|payload| read(&payload, &mut open));
        let is_too_much = |open: &Counted| open.definitions > Complexity::MOST_DEFINITIONS;
        if read.is_err() || open.iter().any(is_too_much) {
            break;
        }
    }
    // If it ends early: what is outer has no less.
    open.iter().map(|component| component.definitions).max().unwrap_or_default()
}

/// Reads one section, or the begin or the end of a component or module.
fn read(payload: &Payload<'_>, open: &mut Vec<Counted>) -> wasmparser::Result<()> {
    let last = open.len() - 1;
    match payload {
        Payload::ModuleSection { .. } => open.push(Counted::default()),
        Payload::ComponentSection { .. } => {
            open.push(Counted { is_component: true, ..Counted::default() });
        }
        Payload::End(_) if last > 0 => {
            let ended = open.pop().expect("it is not the outermost");
            // Modules have indices of their own.
            if ended.is_component {
                open[last - 1].components.push(Some(ended.definitions));
            }
        }
        Payload::InstanceSection(instances) => open[last].add(instances.count()),
        Payload::ComponentCanonicalSection(functions) => open[last].add(functions.count()),
        Payload::ComponentInstanceSection(instances) => {
            for instance in instances.clone() {
                let definitions = match instance? {
                    ComponentInstance::Instantiate { component_index, args } => {
                        let inner = open[last].component(component_index).unwrap_or(u64::MAX);
                        inner.saturating_add(args.len() as u64 + 1)
                    }
                    ComponentInstance::FromExports(exports) => exports.len() as u64 + 1,
                };
                open[last].add(definitions);
            }
        }
        Payload::ComponentAliasSection(aliases) => {
            open[last].add(aliases.count());
            for alias in aliases.clone() {
                let named = match alias? {
                    ComponentAlias::Outer {
                        kind: ComponentOuterAliasKind::Component,
                        count,
                        index,
                    } => {
                        let outer = last.checked_sub(count as usize).map(|outer| &open[outer]);
                        outer.and_then(|outer| outer.component(index))
                    }
                    ComponentAlias::InstanceExport {
                        kind: ComponentExternalKind::Component,
                        ..
                    } => None,
                    _ => continue,
                };
                open[last].components.push(named);
            }
        }
        Payload::ComponentImportSection(imports) => {
            open[last].add(imports.count());
            for import in imports.clone() {
                if matches!(import?.ty, ComponentTypeRef::Component(_)) {
                    open[last].components.push(None);
                }
            }
        }
        Payload::ComponentExportSection(exports) => {
            open[last].add(exports.count());
            for export in exports.clone() {
                let export = export?;
                if export.kind == ComponentExternalKind::Component {
                    let exported = open[last].component(export.index);
                    open[last].components.push(exported);
                }
            }
        }
        _ => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests;
