//! The grants of a plugin. A plugin without grants has no files, no variables and no network.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::granted::OpenDir;
use super::net_grant::NetGrant;
use crate::files::Opener;
use crate::item::parse_error::ParseError;
use crate::jail::Access;

/// A directory of the host that a plugin may use, and the path by which the plugin sees it.
///
/// As text, a grant has one of these forms:
///
/// - `HOST::GUEST`: the plugin may read the directory.
/// - `HOST::GUEST:rw`: the plugin may read and change it.
/// - `HOST::GUEST:rw+symlinks`: the plugin may read it, change it and make symbolic links in it.
///
/// A grant refers to the directory that is at `HOST` when the pool is built. Renaming or replacing
/// the directory later does not change the grant. Each grant needs a mounted `/proc`, through which
/// WASI gets the open directory ([`BuildError::Preopen`](crate::BuildError::Preopen)).
///
/// ```
/// use mtl_host::grants::DirGrant;
///
/// let grant: DirGrant = "./data::/data".parse()?;
/// assert_eq!(grant, DirGrant::read("./data", "/data"));
/// assert_eq!(grant.host(), "./data");
/// assert_eq!(grant.guest(), "/data");
/// assert!(!grant.is_writable());
///
/// let grant = DirGrant::read_write("./out", "/out");
/// assert!(grant.is_writable());
/// assert_eq!(grant.to_string(), "./out::/out:rw");
/// assert_eq!(grant.symlinks().to_string(), "./out::/out:rw+symlinks");
/// # Ok::<(), mtl_host::ParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirGrant {
    host: PathBuf,
    guest: String,
    access: Access,
    opened: Option<OpenDir>,
}

/// Returns the suffix of a grant's text for this access.
const fn suffix(access: Access) -> &'static str {
    match access {
        Access::Read => "",
        Access::ReadWrite => ":rw",
        Access::ReadWriteSymlinks => ":rw+symlinks",
    }
}

impl DirGrant {
    /// Grants reading of the directory `host`, which the plugin sees as `guest`.
    pub fn read(host: impl Into<PathBuf>, guest: impl Into<String>) -> Self {
        Self::new(host.into(), guest.into(), Access::Read)
    }

    /// Grants reading and writing of the directory `host`, which the plugin sees as `guest`.
    pub fn read_write(host: impl Into<PathBuf>, guest: impl Into<String>) -> Self {
        Self::new(host.into(), guest.into(), Access::ReadWrite)
    }

    /// Grants reading, writing, and making symbolic links.
    ///
    /// Without the right to make symbolic links, a plugin cannot make, move or hard-link a symbolic
    /// link. A link never leads the plugin out of a granted directory. But other programs that read
    /// the directory later would follow the link, which may point to any file. A plugin that moves
    /// a directory moves the links in that directory with it. Therefore either all writable
    /// directories of a worker have this right, or none has it.
    ///
    /// ```
    /// # use mtl_host::grants::DirGrant;
    /// let grant = DirGrant::read_write("./unpacked", "/out").symlinks();
    /// assert_eq!(grant, "./unpacked::/out:rw+symlinks".parse()?);
    /// # Ok::<(), mtl_host::ParseError>(())
    /// ```
    #[must_use]
    pub fn symlinks(mut self) -> Self {
        self.access = Access::ReadWriteSymlinks;
        self
    }

    /// Opens the directory now instead of when a pool is built. All pools that are built with this
    /// grant, or with a clone of it, use the directory that is at the path now.
    ///
    /// ```
    /// # use mtl_host::grants::DirGrant;
    /// let folder = tempfile::tempdir()?;
    /// let grant = DirGrant::read(folder.path(), "/data").open()?;
    /// assert!(DirGrant::read("no-such-directory", "/data").open().is_err());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the system cannot open the directory.
    pub fn open(mut self) -> io::Result<Self> {
        self.opened = Some(OpenDir::at(&self.host)?);
        Ok(self)
    }

    /// Returns an [`Opener`] for the host's own files, safe against plugins that have these grants.
    /// The opener follows no symbolic link in a directory that is granted for writing.
    ///
    /// Open the grants by [`open`](Self::open) before this call, and give the same grants to the
    /// pool. Otherwise the pool may open another directory at the same path.
    ///
    /// ```
    /// # use mtl_host::grants::DirGrant;
    /// # let folder = tempfile::tempdir()?;
    /// let grant = DirGrant::read_write(folder.path(), "/data").open()?;
    /// let results = DirGrant::opener([&grant])?.create(&folder.path().join("results"))?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the system cannot open a directory that is not open yet.
    pub fn opener<'a>(grants: impl IntoIterator<Item = &'a Self>) -> io::Result<Opener> {
        let writable = grants.into_iter().filter(|grant| grant.is_writable());
        let open = |grant: &Self| {
            let dir = grant.opened().map_or_else(|| OpenDir::at(&grant.host), Ok)?;
            Ok((grant.host.clone(), dir))
        };
        Opener::with_writable_dirs(writable.map(open).collect::<io::Result<Vec<_>>>()?)
    }

    pub(crate) fn new(host: PathBuf, guest: String, access: Access) -> Self {
        Self { host, guest, access, opened: None }
    }

    /// Returns the directory, if it is open.
    pub(super) fn opened(&self) -> Option<OpenDir> {
        self.opened.clone()
    }

    pub(crate) fn access(&self) -> Access {
        self.access
    }

    /// Returns the path of the directory in the host.
    #[must_use]
    pub fn host(&self) -> &Path {
        &self.host
    }

    /// Returns the path by which the plugin sees the directory.
    #[must_use]
    pub fn guest(&self) -> &str {
        &self.guest
    }

    /// Returns whether the plugin may change the directory.
    #[must_use]
    pub fn is_writable(&self) -> bool {
        self.access != Access::Read
    }

    /// Returns whether the plugin may make symbolic links in the directory.
    ///
    /// ```
    /// # use mtl_host::grants::DirGrant;
    /// assert!(!DirGrant::read_write("./out", "/out").may_hold_symlinks());
    /// ```
    #[must_use]
    pub fn may_hold_symlinks(&self) -> bool {
        self.access == Access::ReadWriteSymlinks
    }
}

/// The error of a text that has none of the three forms.
const NOT_A_GRANT: ParseError =
    ParseError::new("not of the form `HOST::GUEST[:rw|:rw+symlinks]`, such as `./data::/data`");

impl FromStr for DirGrant {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let (host, guest) = text.split_once("::").ok_or(NOT_A_GRANT)?;
        let writable = [Access::ReadWriteSymlinks, Access::ReadWrite];
        let suffixed = |access: Access| Some((guest.strip_suffix(suffix(access))?, access));
        let (guest, access) =
            writable.into_iter().find_map(suffixed).unwrap_or((guest, Access::Read));
        if host.is_empty() || guest.is_empty() || guest.contains(':') {
            return Err(NOT_A_GRANT);
        }
        Ok(Self::new(host.into(), guest.into(), access))
    }
}

impl fmt::Display for DirGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}::{}{}", self.host.display(), self.guest, suffix(self.access))
    }
}

/// The grants of one plugin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Grants {
    pub(crate) dirs: Vec<DirGrant>,
    pub(crate) env: Vec<(String, String)>,
    pub(crate) net: Vec<NetGrant>,
}

impl Grants {
    /// Adds a directory. It replaces an earlier one at the same path of the guest.
    pub(crate) fn dir(&mut self, grant: DirGrant) {
        self.dirs.retain(|other| other.guest != grant.guest);
        self.dirs.push(grant);
    }

    /// Sets a variable. The value replaces an earlier one.
    pub(crate) fn env(&mut self, name: String, value: String) {
        self.env.retain(|(other, _)| *other != name);
        self.env.push((name, value));
    }

    /// Adds a port of a host.
    pub(crate) fn net(&mut self, grant: NetGrant) {
        if !self.net.contains(&grant) {
            self.net.push(grant);
        }
    }

    /// Adds the grants of `own`, which replace earlier ones in a conflict.
    pub(crate) fn add(&mut self, own: Self) {
        own.dirs.into_iter().for_each(|grant| self.dir(grant));
        own.env.into_iter().for_each(|(name, value)| self.env(name, value));
        own.net.into_iter().for_each(|grant| self.net(grant));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_grant_is_read_only_by_default() {
        #[rustfmt::skip]
        let cases = [
            ("data::/data",        Some(DirGrant::read("data", "/data"))),
            ("/a b::/c:rw",        Some(DirGrant::read_write("/a b", "/c"))),
            ("data",               None),
            ("data:/data",         None),
            ("::/data",            None),
            ("data::",             None),
            ("a::/b:rw+symlinks",  Some(DirGrant::read_write("a", "/b").symlinks())),
            ("data:::rw",          None),
            ("data:::rw+symlinks", None),
            ("a::/b:symlinks",     None),
            ("data::/data:ro",     None),
        ];
        for (text, grant) in cases {
            assert_eq!(text.parse().ok(), grant, "{text}");
            if let Some(grant) = grant {
                assert_eq!(grant.to_string(), text);
            }
        }
    }

    #[test]
    fn the_last_grant_of_a_name_wins() {
        let mut grants = Grants::default();
        grants.dir(DirGrant::read("a", "/data"));
        grants.env("A".into(), "1".into());
        grants.env("B".into(), "2".into());
        let mut own = Grants::default();
        own.dir(DirGrant::read("b", "/data"));
        own.dir(DirGrant::read("c", "/more"));
        own.env("A".into(), "3".into());
        let net = |text: &str| text.parse::<NetGrant>().unwrap();
        grants.net(net("a:1"));
        own.net(net("A:1"));
        own.net(net("a:2"));
        grants.add(own);
        assert_eq!(grants.dirs, [DirGrant::read("b", "/data"), DirGrant::read("c", "/more")]);
        assert_eq!(grants.net, [net("a:1"), net("a:2")]);
        assert_eq!(grants.env, [("B".into(), "2".into()), ("A".into(), "3".into())]);
    }
}
