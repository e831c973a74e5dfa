//! Addresses that lead to this machine or into a network that is not public.
//!
//! The owner of a name decides what its addresses are. Who grants a name means a host in the internet, and
//! not a service of this machine, of the network behind it, or of the cloud that it runs in: an internal
//! address is granted as an address, or by `localhost`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether an address is of this machine (loopback), of its link, or of a private network.
pub(super) fn is_internal(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => is_internal_v4(address),
        IpAddr::V6(address) => is_internal_v6(address),
    }
}

fn is_internal_v4(address: Ipv4Addr) -> bool {
    let [a, b, ..] = address.octets();
    address.is_loopback()
        || address.is_link_local()
        || address.is_private()
        // "This network", and what providers share among their customers: clouds have services there.
        || a == 0
        || (a == 100 && b & 0xC0 == 64)
}

fn is_internal_v6(address: Ipv6Addr) -> bool {
    let is_site_local = address.segments()[0] & 0xFFC0 == 0xFEC0;
    address.is_loopback()
        || address.is_unicast_link_local()
        || address.is_unique_local()
        || is_site_local
        || within(address).is_some_and(is_internal_v4)
}

/// The address of the fourth version to which a network translates one of the sixth.
fn within(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let last = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Some(Ipv4Addr::new(a, b, c, d))
    };
    match address.segments() {
        // NAT64, also with a prefix of one's own, and what is as old as the sixth version.
        [0x64, 0xFF9B, 0 | 1, _, _, _, high, low] | [0, 0, 0, 0, 0, 0, high, low] => {
            last(high, low)
        }
        [0x2002, high, low, ..] => last(high, low),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_internal_is_told_by_its_range() {
        #[rustfmt::skip]
        let cases = [
            ("127.0.0.1",             true),
            ("127.255.255.254",       true),
            ("169.254.169.254",       true),
            ("10.0.0.1",              true),
            ("172.16.0.1",            true),
            ("172.32.0.1",            false),
            ("192.168.255.1",         true),
            ("192.169.0.1",           false),
            ("100.64.0.1",            true),
            ("100.100.100.200",       true),
            ("100.128.0.1",           false),
            ("0.1.2.3",               true),
            ("1.1.1.1",               false),
            ("203.0.113.7",           false),
            ("::1",                   true),
            ("fe80::1",               true),
            ("fec0::1",               true),
            ("fc00::1",               true),
            ("fd12:3456::1",          true),
            ("2001:db8::1",           false),
            ("2606:4700::1111",       false),
            ("::ffff:127.0.0.1",      true),
            ("::ffff:1.1.1.1",        false),
            ("::10.0.0.1",            true),
            ("64:ff9b::169.254.169.254", true),
            ("64:ff9b:1::10.0.0.1",   true),
            ("64:ff9b::1.1.1.1",      false),
            ("2002:7f00:1::",         true),
            ("2002:101:101::",        false),
        ];
        for (address, expected) in cases {
            assert_eq!(is_internal(address.parse().unwrap()), expected, "{address}");
        }
    }
}
