//! Limits the lists of a plugin's exports and imports to a size that people and programs can read.
//!
//! A file of some megabytes can have hundreds of thousands of exports, each with a name of a hundred kilobytes. Entries
//! that do not fit are counted instead of listed.

use std::collections::{HashMap, HashSet};

use super::{Export, Findings, Import, ImportProvider};

/// The largest number of listed exports that the host does not know, and of listed names of imports.
pub(crate) const MAX_LISTED: usize = 1000;
/// The largest number of listed exports that the host knows.
pub(crate) const MAX_KNOWN: usize = 100;

/// The exports that the host looks for. Each is listed, however many other exports precede it.
const KNOWN: [&str; 9] = [
    "memory",
    "mtl_abi_version",
    "mtl_alloc",
    "init",
    "call",
    "call_batch",
    "finish",
    "after_restore",
    "cabi_realloc",
];

/// A builder of the lists of one plugin's exports and imports.
pub(crate) struct Lister<'a> {
    findings: &'a mut Findings,
    exports: ListBudget,
    known: ListBudget,
    imports: ListBudget,
    /// The listed modules, each with its index among the imports and its listed names.
    listed: HashMap<String, (usize, HashSet<String>)>,
}

impl<'a> Lister<'a> {
    pub(crate) fn new(findings: &'a mut Findings) -> Self {
        let (exports, known, imports) =
            (ListBudget::of_all(), ListBudget::of_known(), ListBudget::of_all());
        Self { findings, exports, known, imports, listed: HashMap::new() }
    }

    /// Lists an export. Calls `signature` only if the list has space.
    pub(crate) fn export(&mut self, name: &str, signature: impl FnOnce() -> String) {
        let budget = match is_known(name) && !self.known.is_full() {
            true => &mut self.known,
            false => &mut self.exports,
        };
        if !budget.is_full() {
            let signature = signature();
            if budget.take(name.len() + signature.len()) {
                self.findings.exports.push(Export { name: name.to_owned(), signature });
                return;
            }
        }
        self.findings.exports_left_out += 1;
    }

    /// Lists an imported name once. `provider` returns the provider of the module `from`.
    pub(crate) fn import(
        &mut self,
        from: &str,
        name: &str,
        provider: impl FnOnce() -> ImportProvider,
    ) {
        let listed = self.listed.get(from);
        if listed.is_some_and(|(_, names)| names.contains(name)) {
            return;
        }
        let bytes = name.len() + if listed.is_none() { from.len() } else { 0 };
        if !self.imports.take(bytes) {
            self.findings.imports_left_out += 1;
            return;
        }
        if listed.is_none() {
            self.findings.imports.push(Import {
                from: from.to_owned(),
                provider: provider(),
                names: Vec::new(),
            });
            let entry = (self.findings.imports.len() - 1, HashSet::new());
            self.listed.insert(from.to_owned(), entry);
        }
        let (at, names) = self.listed.get_mut(from).expect("the module is listed above");
        names.insert(name.to_owned());
        self.findings.imports[*at].names.push(name.to_owned());
    }

    /// Lists an import of a component: an interface with these functions, or a single function.
    pub(crate) fn interface(&mut self, from: &str, names: Vec<String>, provider: ImportProvider) {
        if !self.imports.take(from.len()) {
            self.findings.imports_left_out += names.len().max(1);
            return;
        }
        let all = names.len();
        let fitting = names.into_iter().filter(|name| self.imports.take(name.len()));
        let names: Vec<_> = fitting.collect();
        self.findings.imports_left_out += all - names.len();
        self.findings.imports.push(Import { from: from.to_owned(), provider, names });
    }
}

/// The remaining space of one list: a number of entries, and a number of bytes of text.
#[derive(Debug)]
struct ListBudget {
    entries: usize,
    bytes: usize,
}

impl ListBudget {
    /// Returns the space for imports, and for exports that the host does not know.
    fn of_all() -> Self {
        Self { entries: MAX_LISTED, bytes: 256 * 1024 }
    }

    /// Returns the space for exports that the host knows.
    fn of_known() -> Self {
        Self { entries: MAX_KNOWN, bytes: 64 * 1024 }
    }

    /// Takes the space for an entry of `bytes` bytes. Returns false if it does not fit.
    fn take(&mut self, bytes: usize) -> bool {
        let fits = self.entries > 0 && bytes <= self.bytes;
        if fits {
            self.entries -= 1;
            self.bytes -= bytes;
        }
        fits
    }

    /// Returns whether no further entry fits, however short it is.
    fn is_full(&self) -> bool {
        self.entries == 0
    }
}

/// Returns whether the host looks for an export of this name, with or without an interface before a `#`.
fn is_known(name: &str) -> bool {
    let own = name.rsplit_once('#').map_or(name, |(_, own)| own);
    KNOWN.contains(&own)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::PluginKind;

    fn findings() -> Findings {
        Findings::empty(PluginKind::CoreModule)
    }

    #[test]
    fn a_listing_is_bounded_and_counts_the_rest() {
        let mut findings = findings();
        let mut lister = Lister::new(&mut findings);
        for number in 0..5000 {
            lister.export(&format!("e{number}"), || "()".into());
            lister.import(&format!("m{number}"), "n", || ImportProvider::Unknown);
            lister.interface(&format!("i{number}"), vec!["n".into()], ImportProvider::Unknown);
        }
        lister.export("call", || "(i32, i32) -> (i64)".into());
        lister.export("an:interface/it#call", || "()".into());
        assert_eq!((findings.exports.len(), findings.exports_left_out), (MAX_LISTED + 2, 4000));
        let names =
            |findings: &Findings| findings.imports.iter().map(|it| it.names.len()).sum::<usize>();
        assert!(names(&findings) <= MAX_LISTED && findings.imports.len() <= MAX_LISTED);
        assert_eq!(names(&findings) + findings.imports_left_out, 10_000);
    }

    #[test]
    fn long_names_shorten_the_listing() {
        let mut findings = findings();
        let mut lister = Lister::new(&mut findings);
        for number in 0..10 {
            lister.export(&format!("{number}{}", "x".repeat(99_999)), String::new);
            lister.import(&"m".repeat(99_999), &number.to_string(), || ImportProvider::Unknown);
        }
        assert_eq!((findings.exports.len(), findings.exports_left_out), (2, 8));
        assert_eq!((findings.imports[0].names.len(), findings.imports_left_out), (10, 0));
    }

    #[test]
    fn a_repeated_import_is_listed_once() {
        let mut findings = findings();
        let mut lister = Lister::new(&mut findings);
        for _ in 0..5000 {
            lister.import("wasi_snapshot_preview1", "fd_write", || ImportProvider::Wasi);
        }
        lister.import("wasi_snapshot_preview1", "path_open", || ImportProvider::Wasi);
        assert_eq!(findings.imports[0].names, ["fd_write", "path_open"]);
        assert_eq!((findings.imports.len(), findings.imports_left_out), (1, 0));
    }
}
