//! Internal addresses: loopback, link-local, private and reserved ones.
//!
//! The owner of a name chooses its addresses. The owner could choose the address of a service on
//! this machine, its local network, or its cloud. But a user who grants a name intends to grant a
//! host on the internet. So a plugin may use an internal address only if a grant contains the
//! address itself or `localhost`. Only the range of an address decides whether the address is
//! internal: a public address of this machine is not internal.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Returns whether an address is loopback, link-local, private or reserved.
pub(super) fn is_internal(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => is_internal_v4(address),
        IpAddr::V6(address) => is_internal_v6(address),
    }
}

fn is_internal_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    address.is_loopback()
        || address.is_link_local()
        || address.is_private()
        // "This network", and the range that providers share among customers: clouds run services in it.
        || a == 0
        || (a == 100 && b & 0xC0 == 64)
        // Protocol assignments, benchmarks, and the reserved range.
        || [a, b, c] == [192, 0, 0]
        || (a == 198 && b & 0xFE == 18)
        || a >= 240
}

fn is_internal_v6(address: Ipv6Addr) -> bool {
    let [first, second, third, ..] = address.segments();
    let is_site_local = first & 0xFFC0 == 0xFEC0;
    // NAT64 with a local prefix: the local network decides the target address.
    let is_local_translation = [first, second, third] == [0x64, 0xFF9B, 1];
    address.is_loopback()
        || address.is_unicast_link_local()
        || address.is_unique_local()
        || is_site_local
        || is_local_translation
        || within(address).is_some_and(is_internal_v4)
}

/// Returns the IPv4 address to which a network translates this IPv6 address.
fn within(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let last = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Some(Ipv4Addr::new(a, b, c, d))
    };
    match address.segments() {
        // NAT64, SIIT, ISATAP, and the old IPv4-compatible addresses.
        [0x64, 0xFF9B, 0, _, _, _, high, low]
        | [0, 0, 0, 0, 0xFFFF, 0, high, low]
        | [_, _, _, _, 0 | 0x200, 0x5EFE, high, low]
        | [0, 0, 0, 0, 0, 0, high, low] => last(high, low),
        [0x2002, high, low, ..] => last(high, low),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn internal_addresses_are_recognised_by_range() {
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
            ("192.0.0.170",           true),
            ("192.0.1.1",             false),
            ("198.18.0.1",            true),
            ("198.19.255.255",        true),
            ("198.17.255.255",        false),
            ("198.20.0.1",            false),
            ("240.0.0.1",             true),
            ("255.255.255.255",       true),
            ("223.255.255.255",       false),
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
            ("64:ff9b:1::1.1.1.1",    true),
            ("64:ff9b:1:7f::1",       true),
            ("64:ff9b::1.1.1.1",      false),
            ("::ffff:0:169.254.169.254", true),
            ("::ffff:0:1.1.1.1",      false),
            ("2001:470::5efe:10.0.0.1",     true),
            ("2001:470::200:5efe:127.0.0.1", true),
            ("2001:470::5efe:1.1.1.1",      false),
            ("2002:7f00:1::",         true),
            ("2002:101:101::",        false),
        ];
        for (address, expected) in cases {
            assert_eq!(is_internal(address.parse().unwrap()), expected, "{address}");
        }
    }
}
