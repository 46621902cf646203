//! Which of a host's addresses to try first (RFC 6724).
//!
//! c-ares sorts the addresses that it has from DNS. Those of the hosts file are sorted here, by the same
//! rules.

use std::cmp::Reverse;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// Prefix, its length, precedence and label (RFC 6724, 2.1). The first that matches counts.
const POLICIES: [(Ipv6Addr, u32, u8, u8); 9] = [
    (Ipv6Addr::LOCALHOST, 128, 50, 0),
    (Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96, 35, 4),
    (Ipv6Addr::UNSPECIFIED, 96, 1, 3),
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 32, 5, 5),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16, 30, 2),
    (Ipv6Addr::new(0x3ffe, 0, 0, 0, 0, 0, 0, 0), 16, 1, 12),
    (Ipv6Addr::new(0xfec0, 0, 0, 0, 0, 0, 0, 0), 10, 1, 11),
    (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7, 3, 13),
    (Ipv6Addr::UNSPECIFIED, 0, 40, 1),
];

/// An address by what makes it better or worse than another: the smaller is the better.
type Rank = (bool, bool, bool, Reverse<u8>, u8, Reverse<u32>);

/// Puts the best first. What is equally good stays in its order.
pub(crate) fn sort(addresses: &mut [SocketAddr]) {
    if addresses.len() > 1 {
        addresses.sort_by_cached_key(|address| rank(address.ip(), source(*address)));
    }
}

/// Puts those first that are in the nearest network of a sortlist, which was checked.
pub(crate) fn by_networks(addresses: &mut [IpAddr], sortlist: &[String]) {
    let networks: Vec<_> = sortlist.iter().map(|network| Network::parse(network)).collect();
    let place = |address: &IpAddr| {
        networks
            .iter()
            .position(|network| network.as_ref().is_some_and(|network| network.has(*address)))
    };
    addresses.sort_by_key(|address| place(address).unwrap_or(networks.len()));
}

/// An address, and how many of its bits are the network's.
struct Network(IpAddr, u32);

impl Network {
    fn parse(text: &str) -> Option<Network> {
        let (address, mask) = match text.split_once('/') {
            Some((address, mask)) => (address.parse().ok()?, Some(mask)),
            None => (text.parse().ok()?, None),
        };
        let bits = match (address, mask) {
            (_, Some(mask)) => match mask.parse::<Ipv4Addr>() {
                Ok(mask) => mask.to_bits().count_ones(),
                Err(_) => mask.parse().ok()?,
            },
            // Its natural mask, from when networks had classes.
            (IpAddr::V4(address), None) => match address.octets()[0] {
                0..128 => 8,
                128..192 => 16,
                _ => 24,
            },
            (IpAddr::V6(_), None) => 64,
        };
        Some(Network(address, bits))
    }

    fn has(&self, address: IpAddr) -> bool {
        match (self.0, address) {
            (IpAddr::V4(one), IpAddr::V4(other)) => {
                (one.to_bits() ^ other.to_bits()).leading_zeros() >= self.1
            }
            (IpAddr::V6(one), IpAddr::V6(other)) => {
                (one.to_bits() ^ other.to_bits()).leading_zeros() >= self.1
            }
            _ => false,
        }
    }
}

/// The address that this host would talk to another from. Nothing is sent.
fn source(destination: SocketAddr) -> Option<IpAddr> {
    let any: IpAddr = match destination {
        SocketAddr::V4(_) => [0; 4].into(),
        SocketAddr::V6(_) => [0; 16].into(),
    };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    // Any port does.
    socket.connect((destination.ip(), 65_535)).ok()?;
    socket.local_addr().ok().map(|address| address.ip())
}

fn rank(destination: IpAddr, source: Option<IpAddr>) -> Rank {
    let (precedence, label) = policy(destination);
    let scope = scope(destination);
    let Some(source) = source else {
        return (true, true, true, Reverse(precedence), scope, Reverse(0));
    };
    let common = match (destination, source) {
        (IpAddr::V6(one), IpAddr::V6(other)) => (one.to_bits() ^ other.to_bits()).leading_zeros(),
        _ => 0,
    };
    let other_scope = scope != self::scope(source);
    (
        false,
        other_scope,
        label != policy(source).1,
        Reverse(precedence),
        scope,
        Reverse(common.min(64)),
    )
}

/// Precedence and label.
fn policy(address: IpAddr) -> (u8, u8) {
    let bits = mapped(address).to_bits();
    let matches = |(prefix, length, _, _): &&(Ipv6Addr, u32, u8, u8)| {
        *length == 0 || (bits ^ prefix.to_bits()) >> (128 - length) == 0
    };
    POLICIES.iter().find(matches).map_or((40, 1), |(_, _, precedence, label)| (*precedence, *label))
}

fn mapped(address: IpAddr) -> Ipv6Addr {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => address,
    }
}

/// How far an address reaches (RFC 4291, 2.7; RFC 6724, 3.2): 2 a link, 5 a site, 14 everywhere.
fn scope(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(address) if address.is_loopback() || address.is_link_local() => 2,
        IpAddr::V4(_) => 14,
        IpAddr::V6(address) if address.is_multicast() => address.octets()[1] & 0xf,
        IpAddr::V6(address) if address.is_loopback() || address.is_unicast_link_local() => 2,
        IpAddr::V6(address) if address.segments()[0] & 0xffc0 == 0xfec0 => 5,
        IpAddr::V6(_) => 14,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether the first of two destinations, each with its source, is the better one.
    fn better(one: (&str, &str), other: (&str, &str)) -> bool {
        let rank = |(destination, source): (&str, &str)| {
            rank(destination.parse().unwrap(), source.parse().ok())
        };
        rank(one) < rank(other)
    }

    /// The examples of RFC 6724, 10.2.
    #[test]
    fn the_rules_are_those_of_the_rfc() {
        for (one, other) in [
            (("2001:db8:1::1", "2001:db8:1::2"), ("198.51.100.121", "169.254.13.78")),
            (("198.51.100.121", "198.51.100.117"), ("2001:db8:1::1", "fe80::1")),
            (("2001:db8:1::1", "2001:db8:1::2"), ("10.1.2.3", "10.1.2.4")),
            (("fe80::1", "fe80::2"), ("2001:db8:1::1", "2001:db8:1::2")),
            (("2002:c633:6401::1", "2002:c633:6401::2"), ("2001:db8:1::1", "2002:c633:6401::2")),
            (("2001:db8:1::1", "2001:db8:1::2"), ("2002:c633:6401::1", "2002:c633:6401::2")),
            (("10.0.0.1", "10.0.0.2"), ("2001:db8::1", "none")),
            (("::1", "::1"), ("127.0.0.1", "127.0.0.1")),
        ] {
            assert!(better(one, other) && !better(other, one), "{one:?} {other:?}");
        }
    }

    #[test]
    fn the_nearest_network_comes_first() {
        let mut addresses = ["198.51.100.1", "10.1.2.3", "192.0.2.1", "172.16.1.1", "2001:db8::1"]
            .map(|text| text.parse().unwrap());
        let sortlist = ["2001:db8::", "172.16.0.0/12", "10.0.0.0", "192.0.2.0/255.255.255.0"];
        by_networks(&mut addresses, &sortlist.map(str::to_owned));
        let sorted = ["2001:db8::1", "172.16.1.1", "10.1.2.3", "192.0.2.1", "198.51.100.1"];
        assert_eq!(addresses.map(|address| address.to_string()), sorted);
    }

    #[test]
    fn equals_stay_in_their_order() {
        let addresses =
            ["127.0.0.2:1", "127.0.0.1:1", "127.0.0.3:1"].map(|text| text.parse().unwrap());
        let mut sorted = addresses;
        sort(&mut sorted);
        assert_eq!(sorted, addresses);
    }
}
