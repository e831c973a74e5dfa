//! Finds those exported functions of a component that a run calls. The loader's settings contain the name of the
//! function that takes items.
//!
//! ```text
//! NAME               the function of this name, in the world or in an interface
//! INTERFACE#NAME     the function of this interface: `acme:math/ops@1.0.0`, `acme:math/ops` or `ops`
//! #NAME              the function of the world
//!
//! init, finish       functions in the same place, if they exist
//! ```

use wasmtime::component::types::{ComponentFunc, ComponentItem};
use wasmtime::component::{Component, ComponentExportIndex};

use super::answer::ReturnType;
use super::arguments::Parameters;
use super::shape::ShapeBuilder;
use crate::engine::export_names::names;
use crate::engine::{Engine, LoadErrorKind};

/// The prefix of the names of this host's own interface, in all versions. Its functions are never called as JSON.
const WORKER_INTERFACE: &str = "mtl:plugin/worker@";

/// A function of a component, with the types that JSON is mapped to.
pub(crate) struct Function {
    /// The name, with the interface before a `#`.
    pub(crate) name: String,
    pub(crate) index: ComponentExportIndex,
    pub(crate) parameters: Parameters,
    pub(crate) returned: ReturnType,
}

/// The functions that a run calls.
pub(crate) struct Functions {
    pub(crate) call: Function,
    pub(crate) init: Option<Function>,
    pub(crate) finish: Option<Function>,
}

/// A function that a component exports.
struct Exported {
    interface: Option<String>,
    name: String,
    ty: ComponentFunc,
}

/// A search for functions among the exports of a component.
pub(super) struct Finder<'a> {
    pub(super) engine: &'a Engine,
    pub(super) component: &'a Component,
}

impl Functions {
    /// Returns the number of bytes that a result may take in the host for each byte that the engine counts.
    pub(crate) fn weight(&self) -> usize {
        let companions = [&self.init, &self.finish].into_iter().flatten();
        let all = companions.chain([&self.call]).map(|function| function.returned.weight());
        all.max().unwrap_or(1)
    }
}

impl Finder<'_> {
    /// Returns the functions that a run calls if `call` takes the items, or `None` if `call` does not exist.
    pub(crate) fn functions(&self, call: &str) -> Result<Option<Functions>, LoadErrorKind> {
        let all = self.all();
        let matching: Vec<_> = all.iter().filter(|one| one.is_named_by(call)).collect();
        let found = match matching.as_slice() {
            [] => return Ok(None),
            [found] => *found,
            _ => {
                let candidates = names(matching.iter().map(|one| one.unique_name()));
                return Err(LoadErrorKind::Ambiguous { call: call.to_owned(), candidates });
            }
        };
        let companion = |name: &str| {
            all.iter().find(|one| {
                one.name == name && one.interface == found.interface && one.name != found.name
            })
        };
        // A `finish` with parameters is an unrelated function, because the host has no arguments for it.
        let finish = companion("finish").filter(|finish| finish.ty.params().len() == 0);
        Ok(Some(Functions {
            call: self.function(found)?,
            init: companion("init").map(|init| self.function(init)).transpose()?,
            finish: finish.map(|finish| self.function(finish)).transpose()?,
        }))
    }

    /// Returns the names of all functions, as a message lists them.
    pub(crate) fn names(&self) -> String {
        names(self.all().iter().map(Exported::name))
    }

    fn all(&self) -> Vec<Exported> {
        let mut all = Vec::new();
        let ty = self.component.component_type();
        for (name, export) in ty.exports(self.engine.wasm()) {
            let name = name.to_owned();
            match export.ty {
                ComponentItem::ComponentFunc(ty) => {
                    all.push(Exported { interface: None, name, ty });
                }
                ComponentItem::ComponentInstance(instance) => {
                    for (own, export) in instance.exports(self.engine.wasm()) {
                        if let ComponentItem::ComponentFunc(ty) = export.ty {
                            let (interface, name) = (Some(name.clone()), own.to_owned());
                            all.push(Exported { interface, name, ty });
                        }
                    }
                }
                _ => {}
            }
        }
        all
    }

    fn function(&self, found: &Exported) -> Result<Function, LoadErrorKind> {
        let refused = |what: String| LoadErrorKind::Untyped { function: found.name(), what };
        if found.ty.async_() {
            return Err(refused("it is an async function".into()));
        }
        let mut builder = ShapeBuilder::default();
        let parameters = found.ty.params().map(|(name, ty)| match builder.build(&ty) {
            Ok(shape) => Ok((name.to_owned(), shape)),
            Err(part) => Err(refused(format!("its parameter `{name}` has {part}"))),
        });
        let parameters = Parameters::new(parameters.collect::<Result<_, _>>()?);
        let returned = ReturnType::of(found.ty.results().next().as_ref(), &mut builder);
        let returned = returned.map_err(|part| refused(format!("its result has {part}")))?;
        Ok(Function { name: found.name(), index: self.index(found), parameters, returned })
    }

    fn index(&self, found: &Exported) -> ComponentExportIndex {
        let find = |within, name: &str| {
            let index = self.component.get_export_index(within, name);
            index.expect("the component's type lists the export")
        };
        let interface = found.interface.as_deref().map(|interface| find(None, interface));
        find(interface.as_ref(), &found.name)
    }
}

impl Exported {
    fn name(&self) -> String {
        match &self.interface {
            None => self.name.clone(),
            Some(interface) => format!("{interface}#{}", self.name),
        }
    }

    /// Returns a name that matches no other function.
    fn unique_name(&self) -> String {
        if self.interface.is_some() { self.name() } else { format!("#{}", self.name) }
    }

    fn is_named_by(&self, call: &str) -> bool {
        let interface = self.interface.as_deref().unwrap_or_default();
        if interface.starts_with(WORKER_INTERFACE) {
            return false;
        }
        match call.rsplit_once('#') {
            None => self.name == call,
            Some((requested, name)) => self.name == name && is_interface(interface, requested),
        }
    }
}

/// Returns whether `requested` names this interface. It may lack the version, or the package and the version.
fn is_interface(interface: &str, requested: &str) -> bool {
    let plain = interface.split_once('@').map_or(interface, |(plain, _)| plain);
    let last = plain.rsplit_once('/').map_or(plain, |(_, last)| last);
    [interface, plain, last].contains(&requested)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interface_may_be_named_without_package_or_version() {
        #[rustfmt::skip]
        let cases = [
            ("acme:math/ops@1.0.0", "acme:math/ops@1.0.0", true),
            ("acme:math/ops@1.0.0", "acme:math/ops",       true),
            ("acme:math/ops@1.0.0", "ops",                 true),
            ("acme:math/ops@1.0.0", "acme:math/ops@2.0.0", false),
            ("acme:math/ops@1.0.0", "math/ops",            false),
            ("acme:math/ops@1.0.0", "",                    false),
            ("ops",                 "ops",                 true),
            ("",                    "",                    true),
            ("",                    "ops",                 false),
        ];
        for (interface, requested, is_named) in cases {
            assert_eq!(is_interface(interface, requested), is_named, "{requested} of {interface}");
        }
    }
}
