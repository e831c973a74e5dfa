//! Limits the work of compiling a component, because a small component can require very much work. The check runs
//! before the host validates or compiles any part of a plugin.
//!
//! Two kinds of copies multiply the work:
//!
//! * For each instance of a component, the engine copies the component's content. If each component instantiates the
//!   previous one twice, a kilobyte of components expands to gigabytes.
//! * For each nested component, the engine copies the definitions of all enclosing components. The work therefore grows
//!   with the square of the nesting depth.
//!
//! If a section is unreadable, the check stops counting there, because the compiler refuses such a binary.

use std::fmt;

use serde::{Deserialize, Serialize};
use wasmparser::{
    ComponentAlias, ComponentExternalKind, ComponentInstance, ComponentOuterAliasKind,
    ComponentTypeRef, Parser, Payload,
};

use super::functions::{PREAMBLE, section};

/// A measure of complexity whose limit a component exceeds. Each variant contains the component's value.
///
/// The limits are fixed. Each limit is several times the complexity of the components that real compilers produce.
///
/// ```
/// use mtl_host::inspect::Complexity;
///
/// let depth = Complexity::Depth(20_000);
/// assert_eq!(depth.to_string(), "nests components 20000 deep; the limit is 32");
/// assert_eq!(depth.limit(), Complexity::MAX_DEPTH);
/// assert_eq!(Complexity::Parts(2000).limit(), Complexity::MAX_PARTS);
/// assert_eq!(Complexity::Definitions(u64::MAX).limit(), Complexity::MAX_DEFINITIONS);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Complexity {
    /// The nesting depth of components and modules, including the outermost one.
    Depth(u64),
    /// The number of components and modules.
    Parts(u64),
    /// The number of definitions in all instances of components. An import, an alias, an instance or an export counts
    /// once for each instance of its component. `u64::MAX` stands for a number that is unknown before linking.
    Definitions(u64),
}

impl Complexity {
    /// The largest nesting depth. A composed component from several languages is 4 deep.
    pub const MAX_DEPTH: u64 = 32;
    /// The largest number of components and modules. A component with a Python interpreter has 17.
    pub const MAX_PARTS: u64 = 1000;
    /// The largest number of definitions in all instances. A component with a Python interpreter has some hundreds.
    pub const MAX_DEFINITIONS: u64 = 100_000;

    /// Returns the limit of this measure.
    #[must_use]
    pub const fn limit(self) -> u64 {
        match self {
            Self::Depth(_) => Self::MAX_DEPTH,
            Self::Parts(_) => Self::MAX_PARTS,
            Self::Definitions(_) => Self::MAX_DEFINITIONS,
        }
    }

    /// Returns the first measure that a binary exceeds, if any.
    pub(crate) fn exceeded(binary: &[u8]) -> Option<Self> {
        let (depth, parts) = nesting(binary);
        // The order matters: counting definitions is cheap only if there are few components.
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
                write!(f, "nests components {depth} deep; the limit is {limit}")
            }
            Self::Parts(parts) => {
                write!(f, "has {parts} components and modules; the limit is {limit}")
            }
            Self::Definitions(u64::MAX) => {
                f.write_str("has instances of a component that is unknown before linking")
            }
            Self::Definitions(found) => {
                write!(f, "has {found} definitions in its instances; the limit is {limit}")
            }
        }
    }
}

/// Returns the nesting depth of the components and modules in a binary, and the number of components and modules. Reads
/// only the headers of sections.
fn nesting(binary: &[u8]) -> (u64, u64) {
    let (mut deepest, mut parts) = (0, 0);
    let mut binaries = vec![(binary, 1)];
    while let Some((binary, depth)) = binaries.pop() {
        deepest = deepest.max(depth);
        parts += 1;
        let is_component = binary.get(6) == Some(&1);
        let mut rest = binary.get(PREAMBLE..).unwrap_or_default();
        while let Some((id, content, after)) = section(rest) {
            if is_component && matches!(id, 1 | 4) {
                // Parts beyond the limit are counted without being read.
                if binaries.len() as u64 <= Complexity::MAX_PARTS {
                    binaries.push((content, depth + 1));
                } else {
                    parts += 1;
                }
            }
            rest = after;
        }
    }
    (deepest, parts)
}

/// The count of one component's definitions.
#[derive(Debug, Default)]
struct ComponentCount {
    is_component: bool,
    /// The number of definitions in one instance of the component, including its inner instances.
    definitions: u64,
    /// For each component in this component's index space, the number of its definitions. If the component is an import
    /// or the export of an instance, the number is unknown (`None`).
    components: Vec<Option<u64>>,
}

impl ComponentCount {
    fn add(&mut self, definitions: impl Into<u64>) {
        self.definitions = self.definitions.saturating_add(definitions.into());
    }

    fn component(&self, index: u32) -> Option<u64> {
        self.components.get(index as usize).copied().flatten()
    }
}

/// Returns the number of definitions in all instances of components in a binary.
fn definitions(binary: &[u8]) -> u64 {
    // The stack of the components and modules that are being read, from the outermost to the current one. The count of
    // a module stays zero.
    let mut open = vec![ComponentCount::default()];
    for payload in Parser::new(0).parse_all(binary) {
        let read = payload.and_then(|payload| read(&payload, &mut open));
        let is_excessive = |open: &ComponentCount| open.definitions > Complexity::MAX_DEFINITIONS;
        if read.is_err() || open.iter().any(is_excessive) {
            break;
        }
    }
    // If the loop ended early, the components that are still open hold the largest count.
    open.iter().map(|component| component.definitions).max().unwrap_or_default()
}

/// Reads one section, or the beginning or end of a component or module.
fn read(payload: &Payload<'_>, open: &mut Vec<ComponentCount>) -> wasmparser::Result<()> {
    let last = open.len() - 1;
    match payload {
        Payload::ModuleSection { .. } => open.push(ComponentCount::default()),
        Payload::ComponentSection { .. } => {
            open.push(ComponentCount { is_component: true, ..ComponentCount::default() });
        }
        Payload::End(_) if last > 0 => {
            let ended = open.pop().expect("the outermost component is never popped");
            // Modules have their own index space.
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
