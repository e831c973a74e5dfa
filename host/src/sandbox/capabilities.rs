//! What a plugin is granted. Without a grant it has nothing: no files, no variables, no network.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::net_grant::NetGrant;

/// A directory of the host that a plugin may use, and under which name it sees it. It is written
/// as `HOST::GUEST`, or as `HOST::GUEST:rw` if the plugin may change what is there.
///
/// ```
/// use mtl_host::DirGrant;
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
/// # Ok::<(), mtl_host::NotADirGrant>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirGrant {
    host: PathBuf,
    guest: String,
    access: Access,
}

/// What may be done with a granted directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    ReadWrite,
}

impl DirGrant {
    /// Grants reading of the directory `host`, which the plugin sees as `guest`.
    pub fn read(host: impl Into<PathBuf>, guest: impl Into<String>) -> Self {
        Self { host: host.into(), guest: guest.into(), access: Access::Read }
    }

    /// Grants reading and writing of the directory `host`, which the plugin sees as `guest`.
    pub fn read_write(host: impl Into<PathBuf>, guest: impl Into<String>) -> Self {
        Self { access: Access::ReadWrite, ..Self::read(host, guest) }
    }

    /// Where the directory is.
    #[must_use]
    pub fn host(&self) -> &Path {
        &self.host
    }

    /// Where the plugin sees it.
    #[must_use]
    pub fn guest(&self) -> &str {
        &self.guest
    }

    /// Whether the plugin may change it.
    #[must_use]
    pub fn is_writable(&self) -> bool {
        self.access == Access::ReadWrite
    }
}

/// Not of the form `HOST::GUEST` or `HOST::GUEST:rw`.
///
/// ```
/// let error = "./data:/data".parse::<mtl_host::DirGrant>().unwrap_err();
/// assert!(error.to_string().starts_with("not of the form `HOST::GUEST` or `HOST::GUEST:rw`"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not of the form `HOST::GUEST` or `HOST::GUEST:rw`, such as `./data::/data`")]
pub struct NotADirGrant;

impl FromStr for DirGrant {
    type Err = NotADirGrant;

    fn from_str(text: &str) -> Result<Self, NotADirGrant> {
        let (host, guest) = text.split_once("::").ok_or(NotADirGrant)?;
        let (guest, access) = match guest.strip_suffix(":rw") {
            Some(guest) => (guest, Access::ReadWrite),
            None => (guest, Access::Read),
        };
        if host.is_empty() || guest.is_empty() || guest.contains(':') {
            return Err(NotADirGrant);
        }
        Ok(Self { host: host.into(), guest: guest.into(), access })
    }
}

impl fmt::Display for DirGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rights = if self.is_writable() { ":rw" } else { "" };
        write!(f, "{}::{}{rights}", self.host.display(), self.guest)
    }
}

/// All that a plugin is granted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Grants {
    pub(crate) dirs: Vec<DirGrant>,
    pub(crate) env: Vec<(String, String)>,
    pub(crate) net: Vec<NetGrant>,
}

impl Grants {
    /// Grants a directory. The plugin sees one under each name: the one that came last.
    pub(crate) fn dir(&mut self, grant: DirGrant) {
        self.dirs.retain(|other| other.guest != grant.guest);
        self.dirs.push(grant);
    }

    /// Sets a variable. It has one value: the one that came last.
    pub(crate) fn env(&mut self, name: String, value: String) {
        self.env.retain(|(other, _)| *other != name);
        self.env.push((name, value));
    }

    /// Grants a port of a host.
    pub(crate) fn net(&mut self, grant: NetGrant) {
        if !self.net.contains(&grant) {
            self.net.push(grant);
        }
    }

    /// Adds what is granted beside this, and wins over it.
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
    fn a_grant_names_both_sides_and_is_read_only_unless_it_says_so() {
        #[rustfmt::skip]
        let cases = [
            ("data::/data",        Some(DirGrant::read("data", "/data"))),
            ("/a b::/c:rw",        Some(DirGrant::read_write("/a b", "/c"))),
            ("data",               None),
            ("data:/data",         None),
            ("::/data",            None),
            ("data::",             None),
            ("data:::rw",          None),
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
    fn what_is_granted_last_counts() {
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
