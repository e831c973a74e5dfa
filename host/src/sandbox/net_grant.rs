//! Network grants: `HOST:PORT`, one address that a plugin may connect to.
//!
//! There are no wildcards, neither for names nor for ports.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU16;
use std::str::FromStr;

use crate::item::parse_error::ParseError;

/// One port of one host that a plugin may connect to by TCP, or send HTTP requests to.
///
/// A host is a name or an address. A name stands for the addresses that it has when the pool is
/// built. These addresses do not change until the pool ends.
///
/// ```
/// use mtl_host::grants::NetGrant;
///
/// let grant: NetGrant = "Example.com:443".parse().unwrap();
/// assert_eq!(grant.to_string(), "example.com:443");
/// assert!("[::1]:8080".parse::<NetGrant>().is_ok());
/// assert!("example.com".parse::<NetGrant>().is_err());
/// assert!("*.example.com:443".parse::<NetGrant>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetGrant {
    pub(super) host: Host,
    pub(super) port: NonZeroU16,
}

/// A name or an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Host {
    /// A name in lower case without a final dot.
    Name(String),
    /// An address. It is never an IPv4 address mapped to IPv6.
    Address(IpAddr),
}

/// The error of a text without a port or a host.
const FORM: ParseError = ParseError::new(
    "not of the form `HOST:PORT`, such as `example.com:443`, `127.0.0.1:80` or `[::1]:80`",
);
/// The error of an invalid port.
const PORT: ParseError = ParseError::new("its port is not a number from 1 to 65535");
/// The error of a host that is neither a name nor an address.
const HOST: ParseError =
    ParseError::new("its host is neither a name of letters, digits, `-` and `.` nor an address");
/// The error of an address that no socket can connect to.
const ADDRESS: ParseError = ParseError::new("its address is that of no single host");

impl NetGrant {
    /// Returns the port.
    ///
    /// ```
    /// # use mtl_host::grants::NetGrant;
    /// let grant: NetGrant = "example.com:443".parse()?;
    /// assert_eq!(grant.port(), 443);
    /// # Ok::<(), mtl_host::ParseError>(())
    /// ```
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.get()
    }
}

impl Host {
    /// Parses a host as plugins and users write it.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if let Some(address) = address(text) {
            return Some(Self::Address(address));
        }
        let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        is_name(&name).then_some(Self::Name(name))
    }
}

/// Returns whether `text` is only a name or an address, and contains nothing like a command.
pub(crate) fn is_host(text: &str) -> bool {
    Host::parse(text).is_some()
}

/// Parses an address; an IPv6 address may have brackets.
fn address(text: &str) -> Option<IpAddr> {
    let inner = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let address = match inner {
        Some(inner) => inner.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        None => text.parse().ok(),
    };
    address.map(|address| address.to_canonical())
}

/// Returns whether `text` is a name that the system does not read as an address. The system reads
/// `127.1` and `0x7f000001` as addresses.
fn is_name(text: &str) -> bool {
    let is_label = |label: &str| {
        let is_valid_byte = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        (1..=63).contains(&label.len())
            && label.bytes().all(is_valid_byte)
            && !label.starts_with('-')
    };
    let is_number = |label: &str| {
        label.bytes().all(|byte| byte.is_ascii_digit())
            || label
                .strip_prefix("0x")
                .is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    let last = text.rsplit('.').next().unwrap_or_default();
    text.len() <= 253 && text.split('.').all(is_label) && !is_number(last)
}

/// Returns whether the address is that of one host, so that a socket can connect to it.
pub(super) fn is_of_one_host(address: IpAddr) -> bool {
    !(address.is_unspecified()
        || address.is_multicast()
        || address == IpAddr::V4(Ipv4Addr::BROADCAST))
}

impl FromStr for NetGrant {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let (host, port) = text.rsplit_once(':').ok_or(FORM)?;
        // `::1` is a host without a port, and not the host `:` with the port 1.
        if host.is_empty() || host.contains(':') != (host.starts_with('[') && host.ends_with(']')) {
            return Err(FORM);
        }
        let is_number = port.bytes().all(|byte| byte.is_ascii_digit());
        let port = port.parse().ok().filter(|_| is_number).ok_or(PORT)?;
        let host = Host::parse(host).ok_or(HOST)?;
        match host {
            Host::Address(address) if !is_of_one_host(address) => Err(ADDRESS),
            host => Ok(Self { host, port }),
        }
    }
}

impl fmt::Display for NetGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(IpAddr::V4(address)) => write!(f, "{address}"),
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_is_one_port_of_one_host() {
        #[rustfmt::skip]
        let cases = [
            ("example.com:443",        Ok("example.com:443")),
            ("EXAMPLE.com.:80",        Ok("example.com:80")),
            ("localhost:8080",         Ok("localhost:8080")),
            ("a_b-c.d1:1",             Ok("a_b-c.d1:1")),
            ("127.0.0.1:80",           Ok("127.0.0.1:80")),
            ("[::1]:80",               Ok("[::1]:80")),
            ("[::ffff:127.0.0.1]:80",  Ok("127.0.0.1:80")),
            ("example.com",            Err(FORM)),
            (":80",                    Err(FORM)),
            ("::1",                    Err(FORM)),
            ("::1:80",                 Err(FORM)),
            ("http://example.com:80",  Err(FORM)),
            ("",                       Err(FORM)),
            ("a:",                     Err(PORT)),
            ("a:0",                    Err(PORT)),
            ("a:+80",                  Err(PORT)),
            ("a:65536",                Err(PORT)),
            ("a:*",                    Err(PORT)),
            ("a:http",                 Err(PORT)),
            ("*:80",                   Err(HOST)),
            ("*.example.com:80",       Err(HOST)),
            ("a..b:80",                Err(HOST)),
            ("-a:80",                  Err(HOST)),
            ("a b:80",                 Err(HOST)),
            ("a/b:80",                 Err(HOST)),
            ("b\u{fc}cher.de:80",      Err(HOST)),
            ("127.1:80",               Err(HOST)),
            ("2130706433:80",          Err(HOST)),
            ("0x7f000001:80",          Err(HOST)),
            ("[fe80::1%eth0]:80",      Err(HOST)),
            ("[127.0.0.1]:80",         Err(FORM)),
            ("0.0.0.0:80",             Err(ADDRESS)),
            ("[::]:80",                Err(ADDRESS)),
            ("224.0.0.1:80",           Err(ADDRESS)),
            ("255.255.255.255:80",     Err(ADDRESS)),
        ];
        for (text, expected) in cases {
            let grant = text.parse::<NetGrant>().map(|grant| grant.to_string());
            assert_eq!(grant, expected.map(Into::into), "{text}");
        }
    }
}
