//! The network of an instance: the addresses that are granted, and nothing else.
//!
//! ```text
//! grant ─▶ NetGrant ─▶ Names: each looked up once, before the first worker ─▶ Network
//!                                                                              │ per instance
//!              names (wasi:sockets/ip-name-lookup), sockets, http ◀── asked by ┘
//! ```
//!
//! Names are looked up when a pool is built, and never again: a plugin that asks for a granted
//! name gets what was found then. So nothing that a plugin does causes a question to a name
//! server, which could carry data away, and a name whose owner changes its addresses during the
//! run does not open others. What a name is at the start, its owner decides, but for one thing: the
//! addresses of the loopback and of private networks (`internal.rs`) are left out, unless the name is
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

/// The one name that means this machine.
const LOCALHOST: &str = "localhost";

/// The addresses of the granted names, and what of the denied was told: once for a pool.
#[derive(Debug, Default)]
pub(crate) struct Names {
    addresses: BTreeMap<String, Vec<IpAddr>>,
    /// What plugins were denied, as it was told.
    told: Mutex<BTreeSet<String>>,
}

impl Names {
    /// How many denials are told of a run. Each is told once; a plugin that tries all the ports of
    /// a host must not fill the host's standard error.
    const MOST_TOLD: usize = 16;

    /// Looks each name up, once.
    ///
    /// # Errors
    ///
    /// Gives back the first grant whose name has no address, and what the system said.
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
        Ok(Self { addresses, told: Mutex::default() })
    }

    /// Those that were looked up by another process.
    pub(crate) fn known(addresses: BTreeMap<String, Vec<IpAddr>>) -> Self {
        Self { addresses, told: Mutex::default() }
    }

    pub(crate) fn all(&self) -> &BTreeMap<String, Vec<IpAddr>> {
        &self.addresses
    }

    fn of(&self, name: &str) -> &[IpAddr] {
        self.addresses.get(name).map_or(&[], Vec::as_slice)
    }

    /// The addresses that a worker with these grants has of a name.
    fn granted(&self, name: &str, grants: &[NetGrant]) -> Vec<IpAddr> {
        let is_granted = |address: &IpAddr| {
            let itself = Host::Address(*address);
            grants.iter().any(|grant| grant.host == itself)
        };
        let is_open =
            |address: &&IpAddr| name == LOCALHOST || !is_internal(**address) || is_granted(address);
        self.of(name).iter().filter(is_open).copied().collect()
    }

    /// Checks that of each name that is granted to a worker, an address is left.
    ///
    /// # Errors
    ///
    /// Gives back the first grant whose name has internal addresses alone, and these.
    pub(crate) fn check(&self, grants: &[NetGrant]) -> Result<(), (NetGrant, Vec<IpAddr>)> {
        for grant in grants {
            let Host::Name(name) = &grant.host else { continue };
            if self.granted(name, grants).is_empty() {
                return Err((grant.clone(), self.of(name).to_vec()));
            }
        }
        Ok(())
    }

    /// Whether to tell of this denial.
    fn is_news(&self, denial: &Denial) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.len() < Self::MOST_TOLD && told.insert(denial.to_string())
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

/// What one instance may use of the network.
#[derive(Debug)]
pub(crate) struct Network {
    grants: Vec<NetGrant>,
    names: Arc<Names>,
    sink: GuestSink,
}

/// Why there is nothing to connect to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Denied;

impl Network {
    /// Makes the network of an instance with these grants; `sink` is told of denials.
    pub(crate) fn new(grants: &[NetGrant], names: &Arc<Names>, sink: &GuestSink) -> Self {
        Self { grants: grants.to_vec(), names: Arc::clone(names), sink: sink.clone() }
    }

    /// Whether anything is granted.
    pub(crate) fn is_any_granted(&self) -> bool {
        !self.grants.is_empty()
    }

    /// Whether a socket may do this.
    pub(crate) fn lets_use(&self, address: SocketAddr, how: SocketAddrUse) -> bool {
        match how {
            // What the system does before it connects. It binds no port that anyone knows.
            SocketAddrUse::TcpBind => address.ip().is_unspecified() && address.port() == 0,
            SocketAddrUse::TcpConnect => {
                self.lets_connect(address) || {
                    self.tell(&Denial::Connection(address));
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

    fn lets_connect(&self, address: SocketAddr) -> bool {
        let ip = address.ip().to_canonical();
        // An internal address is granted for the ports that it is granted with itself.
        let is_it = |host: &Host| match host {
            Host::Address(granted) => *granted == ip,
            Host::Name(name) => {
                (name == LOCALHOST || !is_internal(ip)) && self.names.of(name).contains(&ip)
            }
        };
        self.grants.iter().any(|grant| grant.port.get() == address.port() && is_it(&grant.host))
    }

    /// The addresses of a name, if it is granted with any port. An address is its own.
    pub(crate) fn resolve(&self, name: &str) -> Result<Vec<IpAddr>, Denied> {
        match Host::parse(name) {
            Some(Host::Address(address)) => return Ok(vec![address]),
            Some(host) if self.grants.iter().any(|grant| grant.host == host) => {
                return Ok(self.addresses(&host));
            }
            // What is told is kept, and what is no name may be as long as a guest likes.
            None => return Err(Denied),
            Some(_) => self.tell(&Denial::Name(name.into())),
        }
        Err(Denied)
    }

    /// Where a request to this host and port goes.
    pub(crate) fn destinations(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, Denied> {
        // An address line may hold what is no host, such as `$(…)`: that can be granted to nobody.
        let parsed = Host::parse(host).ok_or(Denied)?;
        let is_granted = match &parsed {
            Host::Address(address) => self.lets_connect((*address, port).into()),
            Host::Name(_) => {
                self.grants.iter().any(|grant| grant.host == parsed && grant.port.get() == port)
            }
        };
        if is_granted {
            let addresses = self.addresses(&parsed).into_iter();
            let addresses = addresses.map(|address| SocketAddr::from((address, port)));
            return Ok(addresses.filter(|address| self.lets_connect(*address)).collect());
        }
        self.tell(&Denial::Request { host: host.into(), port });
        Err(Denied)
    }

    fn addresses(&self, host: &Host) -> Vec<IpAddr> {
        match host {
            Host::Address(address) => vec![*address],
            Host::Name(name) => self.names.granted(name, &self.grants),
        }
    }

    /// Tells of what was denied, unless it was told before.
    pub(crate) fn tell(&self, denial: &Denial) {
        if self.names.is_news(denial) {
            self.sink.tell(&GuestEvent::Denied(Cow::Borrowed(denial)));
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
        let names = Names { addresses, told: Mutex::default() };
        Network::new(&grants, &Arc::new(names), &GuestSink::default())
    }

    #[test]
    fn a_socket_may_connect_to_what_is_granted_and_do_nothing_else() {
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
            // What a name leads to inside is not granted by it.
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
        for (address, how, expected) in cases {
            assert_eq!(
                network.lets_use(address.parse().unwrap(), how),
                expected,
                "{how:?} {address}"
            );
        }
    }

    #[test]
    fn only_a_granted_name_has_addresses() {
        let network = network(
            &["name:80", "10.0.0.1:81"],
            &[("name", &["1.0.0.2", "10.0.0.1", "fd00::2", "169.254.169.254"])],
        );
        let shown = |name: &str| network.resolve(name).map(|found| format!("{found:?}"));
        #[rustfmt::skip]
        let cases = [
            ("name",      Ok("[1.0.0.2, 10.0.0.1]")),
            ("NAME.",     Ok("[1.0.0.2, 10.0.0.1]")),
            // Nobody is asked what an address is.
            ("10.9.9.9",  Ok("[10.9.9.9]")),
            ("::1",       Ok("[::1]")),
            ("name.com",  Err(Denied)),
            ("a.name",    Err(Denied)),
            ("localhost", Err(Denied)),
            ("n ame",     Err(Denied)),
            ("",          Err(Denied)),
        ];
        for (name, expected) in cases {
            assert_eq!(shown(name), expected.map(Into::into), "{name}");
        }
    }

    #[test]
    fn a_request_goes_to_a_granted_name_and_port_or_to_an_address_of_one() {
        let network = network(
            &["name:80", "[::1]:81", "10.0.0.3:80", "10.0.0.4:81"],
            &[("name", &["1.0.0.2", "10.0.0.2", "10.0.0.3", "10.0.0.4"])],
        );
        let shown =
            |host: &str, port| network.destinations(host, port).map(|found| format!("{found:?}"));
        #[rustfmt::skip]
        let cases = [
            ("name",      80, Ok("[1.0.0.2:80, 10.0.0.3:80]")),
            ("1.0.0.2",   80, Ok("[1.0.0.2:80]")),
            ("10.0.0.2",  80, Err(Denied)),
            ("[::1]",     81, Ok("[[::1]:81]")),
            ("name",      81, Err(Denied)),
            ("other",     80, Err(Denied)),
            ("[::1]",     80, Err(Denied)),
            ("127.0.0.1", 81, Err(Denied)),
        ];
        for (host, port, expected) in cases {
            assert_eq!(shown(host, port), expected.map(Into::into), "{host}:{port}");
        }
    }

    #[test]
    fn a_request_to_what_is_no_host_is_denied_and_not_told() {
        let network = network(&["name:80"], &[("name", &["10.0.0.2"])]);
        for (host, is_told) in [("other", true), ("$(curl evil)", false), ("a;b", false)] {
            assert_eq!(network.destinations(host, 80), Err(Denied));
            let denial = Denial::Request { host: host.into(), port: 80 };
            // What was told is no news.
            assert_eq!(!network.names.is_news(&denial), is_told, "{host}");
        }
    }

    #[test]
    fn a_name_that_leads_inside_alone_is_refused_unless_it_is_granted_so() {
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
    fn a_denial_is_told_once_and_not_too_many_are() {
        let names = Names::default();
        let denial = |port| Denial::Connection(([127, 0, 0, 1], port).into());
        assert!(names.is_news(&denial(1)));
        assert!(!names.is_news(&denial(1)));
        let told = (2..1000).filter(|port| names.is_news(&denial(*port))).count();
        assert_eq!(told, Names::MOST_TOLD - 1);
    }

    #[test]
    fn a_name_is_looked_up_and_one_without_an_address_is_an_error() {
        let grants = |text: &str| vec![text.parse::<NetGrant>().unwrap()];
        let names = Names::look_up(grants("localhost:1").iter()).unwrap();
        assert!(names.of("localhost").iter().all(IpAddr::is_loopback));
        assert!(!names.of("localhost").is_empty());
        let (grant, _) = Names::look_up(grants("no-such-name.invalid:1").iter()).unwrap_err();
        assert_eq!(grant.to_string(), "no-such-name.invalid:1");
    }
}
