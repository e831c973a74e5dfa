//! The network of an instance, which consists of the granted addresses.
//!
//! ```text
//! grant ─▶ NetGrant ─▶ Names: each looked up once, before the first worker ─▶ Network
//!                                                                              │ per instance
//!              names (wasi:sockets/ip-name-lookup), sockets, http ◀── use it ──┘
//! ```
//!
//! The host looks up names when a pool is built, and never again. A plugin that looks up a granted
//! name gets the addresses that the host found. So a plugin cannot cause a DNS query, which could
//! carry data out of the sandbox. If the owner of a name changes its addresses during the run, the
//! new addresses are not granted.
//!
//! The owner of a name chooses its addresses, and could choose internal ones, such as loopback and
//! private addresses (`internal.rs`). A plugin may use an internal address only if the name is
//! `localhost` or the address itself is granted.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::{Arc, Mutex, PoisonError};

use wasmtime_wasi::sockets::SocketAddrUse;

use super::internal::is_internal;
use super::net_grant::{Host, NetGrant, is_of_one_host};
use crate::sandbox::guest_event::{Denial, GuestEvent, GuestSink};

/// The only name that stands for this machine.
const LOCALHOST: &str = "localhost";

/// The addresses of the granted names, and the reported denials, of one pool.
#[derive(Debug, Default)]
pub(crate) struct Names {
    addresses: BTreeMap<String, Vec<IpAddr>>,
    /// The denials that were reported, as text.
    reported: Mutex<BTreeSet<String>>,
}

impl Names {
    /// The maximum number of denials that are reported in a run. Each denial is reported once. A
    /// plugin that tries all ports of a host must not flood the host's standard error.
    const MAX_REPORTED: usize = 16;

    /// Looks up each name once.
    ///
    /// # Errors
    ///
    /// Fails with the first grant whose name has no address, and the system's error.
    pub(crate) fn look_up<'a>(
        grants: impl Iterator<Item = &'a NetGrant>,
    ) -> Result<Self, (NetGrant, io::Error)> {
        let mut addresses = BTreeMap::new();
        for grant in grants {
            let Host::Name(name) = &grant.host else { continue };
            if !addresses.contains_key(name) {
                let found = addresses_of(name).map_err(|error| (grant.clone(), error))?;
                addresses.insert(name.clone(), found);
            }
        }
        Ok(Self { addresses, reported: Mutex::default() })
    }

    /// Returns names that another process has looked up.
    pub(crate) fn known(addresses: BTreeMap<String, Vec<IpAddr>>) -> Self {
        Self { addresses, reported: Mutex::default() }
    }

    pub(crate) fn all(&self) -> &BTreeMap<String, Vec<IpAddr>> {
        &self.addresses
    }

    fn of(&self, name: &str) -> &[IpAddr] {
        self.addresses.get(name).map_or(&[], Vec::as_slice)
    }

    /// Returns the addresses that a worker with these grants gets for a name.
    fn granted_addresses(&self, name: &str, grants: &[NetGrant]) -> Vec<IpAddr> {
        let is_granted = |address: &IpAddr| {
            let itself = Host::Address(*address);
            grants.iter().any(|grant| grant.host == itself)
        };
        let is_open =
            |address: &&IpAddr| name == LOCALHOST || !is_internal(**address) || is_granted(address);
        self.of(name).iter().filter(is_open).copied().collect()
    }

    /// Checks that each name that is granted to a worker has an address that the worker may use.
    ///
    /// # Errors
    ///
    /// Fails with the first grant whose name has only internal addresses, and with these addresses.
    pub(crate) fn check(&self, grants: &[NetGrant]) -> Result<(), (NetGrant, Vec<IpAddr>)> {
        for grant in grants {
            let Host::Name(name) = &grant.host else { continue };
            if self.granted_addresses(name, grants).is_empty() {
                return Err((grant.clone(), self.of(name).to_vec()));
            }
        }
        Ok(())
    }

    /// Returns whether to report this denial, and notes it as reported.
    fn mark_reported(&self, denial: &Denial) -> bool {
        let mut reported = self.reported.lock().unwrap_or_else(PoisonError::into_inner);
        reported.len() < Self::MAX_REPORTED && reported.insert(denial.to_string())
    }
}

fn addresses_of(name: &str) -> io::Result<Vec<IpAddr>> {
    let mut addresses = Vec::new();
    for found in (name, 0).to_socket_addrs()? {
        let address = found.ip().to_canonical();
        if is_of_one_host(address) && !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    match addresses.is_empty() {
        true => Err(io::Error::new(io::ErrorKind::NotFound, "it has no address")),
        false => Ok(addresses),
    }
}

/// The part of the network that one instance may use.
#[derive(Debug)]
pub(crate) struct Network {
    grants: Vec<NetGrant>,
    names: Arc<Names>,
    sink: GuestSink,
}

/// Error of a name or host that is not granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotGranted;

impl Network {
    /// Returns the network of an instance with these grants. `sink` receives denials.
    pub(crate) fn new(grants: &[NetGrant], names: &Arc<Names>, sink: &GuestSink) -> Self {
        Self { grants: grants.to_vec(), names: Arc::clone(names), sink: sink.clone() }
    }

    /// Returns whether an address is granted.
    pub(crate) fn has_grants(&self) -> bool {
        !self.grants.is_empty()
    }

    /// Returns whether a socket may use the address in this way.
    pub(crate) fn allows_use(&self, address: SocketAddr, address_use: SocketAddrUse) -> bool {
        match address_use {
            // A socket is bound before it connects. Only a port that the system chooses is allowed.
            SocketAddrUse::TcpBind => address.ip().is_unspecified() && address.port() == 0,
            SocketAddrUse::TcpConnect => {
                self.allows_connect(address) || {
                    self.report_denial(&Denial::Connection(address));
                    false
                }
            }
            SocketAddrUse::TcpListen
            | SocketAddrUse::TcpAccept
            | SocketAddrUse::UdpBind
            | SocketAddrUse::UdpSend
            | SocketAddrUse::UdpReceive => false,
        }
    }

    fn allows_connect(&self, address: SocketAddr) -> bool {
        let ip = address.ip().to_canonical();
        // A grant of a name opens no internal address: the address itself must be granted, with this port.
        let is_it = |host: &Host| match host {
            Host::Address(granted) => *granted == ip,
            Host::Name(name) => {
                (name == LOCALHOST || !is_internal(ip)) && self.names.of(name).contains(&ip)
            }
        };
        self.grants.iter().any(|grant| grant.port.get() == address.port() && is_it(&grant.host))
    }

    /// Returns the addresses of a name, if the name is granted with any port. An address resolves
    /// to itself.
    pub(crate) fn resolve(&self, name: &str) -> Result<Vec<IpAddr>, NotGranted> {
        match Host::parse(name) {
            Some(Host::Address(address)) => return Ok(vec![address]),
            Some(host) if self.grants.iter().any(|grant| grant.host == host) => {
                return Ok(self.addresses(&host));
            }
            // An invalid name is not reported. The pool stores each report, and a guest could make the name very long.
            None => return Err(NotGranted),
            Some(_) => self.report_denial(&Denial::Name(name.into())),
        }
        Err(NotGranted)
    }

    /// Returns the addresses for a request to this host and port.
    pub(crate) fn destinations(
        &self,
        host: &str,
        port: u16,
    ) -> Result<Vec<SocketAddr>, NotGranted> {
        // The host in a URI may be invalid, such as `$(…)`. No grant can name it, so it is not reported.
        let parsed = Host::parse(host).ok_or(NotGranted)?;
        let is_granted = match &parsed {
            Host::Address(address) => self.allows_connect((*address, port).into()),
            Host::Name(_) => {
                self.grants.iter().any(|grant| grant.host == parsed && grant.port.get() == port)
            }
        };
        if is_granted {
            let addresses = self.addresses(&parsed).into_iter();
            let addresses = addresses.map(|address| SocketAddr::from((address, port)));
            return Ok(addresses.filter(|address| self.allows_connect(*address)).collect());
        }
        self.report_denial(&Denial::Request { host: host.into(), port });
        Err(NotGranted)
    }

    fn addresses(&self, host: &Host) -> Vec<IpAddr> {
        match host {
            Host::Address(address) => vec![*address],
            Host::Name(name) => self.names.granted_addresses(name, &self.grants),
        }
    }

    /// Reports a denial, unless it was reported before.
    pub(crate) fn report_denial(&self, denial: &Denial) {
        if self.names.mark_reported(denial) {
            self.sink.send(&GuestEvent::Denied(Cow::Borrowed(denial)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(grants: &[&str], names: &[(&str, &[&str])]) -> Network {
        let grants: Vec<NetGrant> = grants.iter().map(|grant| grant.parse().unwrap()).collect();
        let parsed = |all: &[&str]| all.iter().map(|text| text.parse().unwrap()).collect();
        let addresses = names.iter().map(|(name, all)| ((*name).to_owned(), parsed(all))).collect();
        let names = Names { addresses, reported: Mutex::default() };
        Network::new(&grants, &Arc::new(names), &GuestSink::default())
    }

    #[test]
    fn a_socket_may_only_connect_to_granted_addresses() {
        use SocketAddrUse::{TcpBind, TcpConnect, TcpListen, UdpBind, UdpSend};
        let network = network(
            &["name:80", "10.0.0.1:81", "[::1]:82", "other:83", "localhost:84", "10.0.0.4:85"],
            &[
                ("name", &["1.0.0.2", "2001:db8::2", "10.0.0.1", "127.0.0.1", "10.0.0.4"]),
                ("other", &["1.0.0.3"]),
                ("localhost", &["127.0.0.1"]),
            ],
        );
        #[rustfmt::skip]
        let cases = [
            ("10.0.0.1:81",            TcpConnect, true),
            ("[::ffff:10.0.0.1]:81",   TcpConnect, true),
            ("1.0.0.2:80",             TcpConnect, true),
            ("[2001:db8::2]:80",       TcpConnect, true),
            ("127.0.0.1:84",           TcpConnect, true),
            // A grant of a name does not open its internal addresses.
            ("127.0.0.1:80",           TcpConnect, false),
            ("10.0.0.4:80",            TcpConnect, false),
            ("10.0.0.4:85",            TcpConnect, true),
            ("[::1]:82",               TcpConnect, true),
            ("10.0.0.1:80",            TcpConnect, false),
            ("1.0.0.2:83",             TcpConnect, false),
            ("1.0.0.3:80",             TcpConnect, false),
            ("127.0.0.1:82",           TcpConnect, false),
            ("0.0.0.0:0",              TcpBind,    true),
            ("[::]:0",                 TcpBind,    true),
            ("0.0.0.0:81",             TcpBind,    false),
            ("10.0.0.1:0",             TcpBind,    false),
            ("0.0.0.0:0",              TcpListen,  false),
            ("10.0.0.1:81",            TcpListen,  false),
            ("0.0.0.0:0",              UdpBind,    false),
            ("10.0.0.1:81",            UdpSend,    false),
        ];
        for (address, address_use, expected) in cases {
            assert_eq!(
                network.allows_use(address.parse().unwrap(), address_use),
                expected,
                "{address_use:?} {address}"
            );
        }
    }

    #[test]
    fn only_granted_names_resolve() {
        let network = network(
            &["name:80", "10.0.0.1:81"],
            &[("name", &["1.0.0.2", "10.0.0.1", "fd00::2", "169.254.169.254"])],
        );
        let resolved = |name: &str| network.resolve(name).map(|found| format!("{found:?}"));
        #[rustfmt::skip]
        let cases = [
            ("name",      Ok("[1.0.0.2, 10.0.0.1]")),
            ("NAME.",     Ok("[1.0.0.2, 10.0.0.1]")),
            // An address causes no query to a name server.
            ("10.9.9.9",  Ok("[10.9.9.9]")),
            ("::1",       Ok("[::1]")),
            ("name.com",  Err(NotGranted)),
            ("a.name",    Err(NotGranted)),
            ("localhost", Err(NotGranted)),
            ("n ame",     Err(NotGranted)),
            ("",          Err(NotGranted)),
        ];
        for (name, expected) in cases {
            assert_eq!(resolved(name), expected.map(Into::into), "{name}");
        }
    }

    #[test]
    fn a_request_needs_a_granted_host_and_port() {
        let network = network(
            &["name:80", "[::1]:81", "10.0.0.3:80", "10.0.0.4:81"],
            &[("name", &["1.0.0.2", "10.0.0.2", "10.0.0.3", "10.0.0.4"])],
        );
        let resolved =
            |host: &str, port| network.destinations(host, port).map(|found| format!("{found:?}"));
        #[rustfmt::skip]
        let cases = [
            ("name",      80, Ok("[1.0.0.2:80, 10.0.0.3:80]")),
            ("1.0.0.2",   80, Ok("[1.0.0.2:80]")),
            ("10.0.0.2",  80, Err(NotGranted)),
            ("[::1]",     81, Ok("[[::1]:81]")),
            ("name",      81, Err(NotGranted)),
            ("other",     80, Err(NotGranted)),
            ("[::1]",     80, Err(NotGranted)),
            ("127.0.0.1", 81, Err(NotGranted)),
        ];
        for (host, port, expected) in cases {
            assert_eq!(resolved(host, port), expected.map(Into::into), "{host}:{port}");
        }
    }

    #[test]
    fn a_request_to_an_invalid_host_is_denied_silently() {
        let network = network(&["name:80"], &[("name", &["10.0.0.2"])]);
        for (host, is_reported) in [("other", true), ("$(curl evil)", false), ("a;b", false)] {
            assert_eq!(network.destinations(host, 80), Err(NotGranted));
            let denial = Denial::Request { host: host.into(), port: 80 };
            // `mark_reported` returns false for a denial that was reported before.
            assert_eq!(!network.names.mark_reported(&denial), is_reported, "{host}");
        }
    }

    #[test]
    fn a_name_with_only_internal_addresses_is_refused() {
        let addresses = |all: &[&str]| all.iter().map(|text| text.parse().unwrap()).collect();
        let names = Names::known(BTreeMap::from([
            ("inside".to_owned(), addresses(&["10.0.0.1", "fd00::1"])),
            ("both".to_owned(), addresses(&["127.0.0.1", "1.1.1.1"])),
            ("localhost".to_owned(), addresses(&["127.0.0.1"])),
        ]));
        #[rustfmt::skip]
        let cases: [(&[&str], Option<&str>); 6] = [
            (&["both:80", "localhost:80"],       None),
            (&["inside:80", "10.0.0.1:81"],      None),
            (&["inside:80", "[fd00::1]:80"],     None),
            (&["both:80", "inside:80"],          Some("inside:80 10.0.0.1 fd00::1")),
            (&["inside:80", "10.0.0.2:80"],      Some("inside:80 10.0.0.1 fd00::1")),
            (&["localhost:80", "inside:81"],     Some("inside:81 10.0.0.1 fd00::1")),
        ];
        for (grants, expected) in cases {
            let grants: Vec<NetGrant> = grants.iter().map(|text| text.parse().unwrap()).collect();
            let refused = names.check(&grants).err().map(|(grant, addresses)| {
                let addresses: Vec<_> = addresses.iter().map(ToString::to_string).collect();
                format!("{grant} {}", addresses.join(" "))
            });
            assert_eq!(refused.as_deref(), expected, "{grants:?}");
        }
    }

    #[test]
    fn each_denial_is_reported_once_up_to_a_limit() {
        let names = Names::default();
        let denial = |port| Denial::Connection(([127, 0, 0, 1], port).into());
        assert!(names.mark_reported(&denial(1)));
        assert!(!names.mark_reported(&denial(1)));
        let reported = (2..1000).filter(|port| names.mark_reported(&denial(*port))).count();
        assert_eq!(reported, Names::MAX_REPORTED - 1);
    }

    #[test]
    fn a_granted_name_without_an_address_is_an_error() {
        let grants = |text: &str| vec![text.parse::<NetGrant>().unwrap()];
        let names = Names::look_up(grants("localhost:1").iter()).unwrap();
        assert!(names.of("localhost").iter().all(IpAddr::is_loopback));
        assert!(!names.of("localhost").is_empty());
        let (grant, _) = Names::look_up(grants("no-such-name.invalid:1").iter()).unwrap_err();
        assert_eq!(grant.to_string(), "no-such-name.invalid:1");
    }
}
