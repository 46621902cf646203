//! The address of a name server, as text.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddrV4};

use crate::error::{Error, Result};

/// Writes `servers` the way c-ares wants them (`ares_set_servers_csv`). Each is
///
/// - an `address`, an `address:port` or, for IPv6 too, `[address]:port`,
/// - with the interface of a link-local address inside the brackets or behind the port,
///   `[fe80::1%eth0]:53` or `[fe80::1]:53%eth0`,
/// - or c-ares's URI, which has a port for each protocol: `dns://127.0.0.1:53?tcpport=5353`.
///
/// The error names the server that is none of these. c-ares itself says only that one is wrong,
/// and passes over in silence what it cannot use.
pub(crate) fn to_csv<S: AsRef<str>>(servers: &[S]) -> Result<String> {
    let written: Result<Vec<String>> = servers
        .iter()
        .map(|server| {
            let text = server.as_ref();
            let bad = |fault| Error::Invalid(format!("bad server address {text:?}: {fault}"));
            Ok(Server::parse(text).and_then(Server::check).map_err(bad)?.to_string())
        })
        .collect();
    Ok(written?.join(","))
}

/// The servers of a list with commas or spaces between them, as `ares_set_servers_csv` takes it.
pub fn split_servers(csv: &str) -> Vec<String> {
    let separated = csv.split([',', ' ']).filter(|server| !server.is_empty());
    separated.map(str::to_owned).collect()
}

struct Server<'a> {
    address: IpAddr,
    interface: Option<&'a str>,
    /// `None` is the channel's.
    port: Option<u16>,
    /// `None` is `port`.
    tcp_port: Option<u16>,
}

type Parsed<'a> = std::result::Result<Server<'a>, String>;

impl<'a> Server<'a> {
    fn parse(text: &'a str) -> Parsed<'a> {
        match text.strip_prefix("dns://") {
            Some(rest) => Server::parse_uri(rest),
            None => Server::parse_plain(text),
        }
    }

    fn parse_uri(text: &'a str) -> Parsed<'a> {
        let (authority, query) = match text.split_once('?') {
            Some((authority, query)) => (authority, Some(query)),
            None => (text, None),
        };
        let mut server = Server::parse_plain(authority.strip_suffix('/').unwrap_or(authority))?;
        if let Some(query) = query {
            let port = query.strip_prefix("tcpport=").and_then(|digits| digits.parse().ok());
            server.tcp_port = Some(port.ok_or("the query of a dns URI is \"tcpport=PORT\"")?);
        }
        Ok(server)
    }

    fn parse_plain(text: &'a str) -> Parsed<'a> {
        let plain = |address, port| Server { address, interface: None, port, tcp_port: None };
        if let Ok(address) = text.parse::<SocketAddrV4>() {
            return Ok(plain(IpAddr::V4(*address.ip()), Some(address.port())));
        }
        if let Ok(address) = text.parse::<Ipv4Addr>() {
            return Ok(plain(IpAddr::V4(address), None));
        }
        let (inside, behind) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((inside, behind)) => (inside, behind),
            None => (text, ""),
        };
        let (digits, interface_behind) = match behind.split_once('%') {
            Some((digits, interface)) => (digits, Some(interface)),
            None => (behind, None),
        };
        let port = match digits {
            "" => None,
            digits => {
                let port = digits.strip_prefix(':').and_then(|digits| digits.parse().ok());
                Some(port.ok_or("what follows \"]\" is not \":port\"")?)
            }
        };
        let (address, interface) = match inside.split_once('%') {
            Some((address, interface)) => (address, Some(interface)),
            None => (inside, None),
        };
        if interface.is_some() && interface_behind.is_some() {
            return Err("it names two interfaces".to_owned());
        }
        let address =
            address.parse().map_err(|_| "expected address, address:port or [address]:port")?;
        Ok(Server { interface: interface.or(interface_behind), ..plain(address, port) })
    }

    /// Refuses what c-ares would pass over.
    fn check(self) -> Parsed<'a> {
        if self.port == Some(0) || self.tcp_port == Some(0) {
            return Err("no server listens on port 0".to_owned());
        }
        let link_local = match self.address {
            IpAddr::V6(address) if is_site_local(address) => {
                return Err("c-ares takes no site-local address".to_owned());
            }
            IpAddr::V6(address) => address.is_unicast_link_local(),
            IpAddr::V4(_) => false,
        };
        match self.interface {
            None if link_local => {
                Err("a link-local address needs its interface: [fe80::1%eth0]".to_owned())
            }
            Some(_) if !link_local => {
                Err("only a link-local address names an interface".to_owned())
            }
            Some(interface) if !interface_exists(interface) => {
                Err(format!("there is no interface {interface:?}"))
            }
            _ => Ok(self),
        }
    }
}

/// As c-ares reads it. Only the URI can say that the ports differ.
impl fmt::Display for Server<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (address, interface) = (self.address, self.interface);
        let port = |f: &mut fmt::Formatter<'_>| match self.port {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        };
        let Some(tcp_port) = self.tcp_port else {
            write!(f, "[{address}]")?;
            port(f)?;
            return interface.map_or(Ok(()), |interface| write!(f, "%{interface}"));
        };
        match (address, interface) {
            (IpAddr::V4(address), _) => write!(f, "dns://{address}"),
            (address, None) => write!(f, "dns://[{address}]"),
            (address, Some(interface)) => write!(f, "dns://[{address}%{interface}]"),
        }?;
        port(f)?;
        write!(f, "?tcpport={tcp_port}")
    }
}

/// `fec0::/10`, once for sites and deprecated since.
fn is_site_local(address: Ipv6Addr) -> bool {
    address.segments()[0] & 0xffc0 == 0xfec0
}

/// The number of a network interface.
#[cfg(unix)]
pub(crate) fn interface_number(name: &str) -> Option<u32> {
    let name = std::ffi::CString::new(name).ok()?;
    // SAFETY: the name ends with a NUL.
    let number = unsafe { libc::if_nametoindex(name.as_ptr()) };
    (number != 0).then_some(number)
}

#[cfg(not(unix))]
pub(crate) fn interface_number(_name: &str) -> Option<u32> {
    None
}

/// Whether there is a network interface of this name or number.
#[cfg(unix)]
pub(crate) fn interface_exists(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-_\\:{}".contains(&byte);
    if name.is_empty() || !name.bytes().all(allowed) {
        return false;
    }
    if let Ok(index) = name.parse() {
        let mut buffer = [0; libc::IF_NAMESIZE];
        // SAFETY: the buffer has the size that the call asks for.
        return !unsafe { libc::if_indextoname(index, buffer.as_mut_ptr()) }.is_null();
    }
    interface_number(name).is_some()
}

#[cfg(not(unix))]
pub(crate) fn interface_exists(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_written_as_c_ares_reads_it() {
        let servers = ["127.0.0.1", "127.0.0.1:5353", "::1", "[::1]", "[::1]:53"];
        assert_eq!(
            to_csv(&servers).as_deref(),
            Ok("[127.0.0.1],[127.0.0.1]:5353,[::1],[::1],[::1]:53")
        );
        assert_eq!(to_csv::<&str>(&[]).as_deref(), Ok(""));
        let servers =
            ["dns://127.0.0.1", "dns://127.0.0.1:53?tcpport=54", "dns://[::1]:53/?tcpport=54"];
        assert_eq!(
            to_csv(&servers).as_deref(),
            Ok("[127.0.0.1],dns://127.0.0.1:53?tcpport=54,dns://[::1]:53?tcpport=54")
        );
    }

    #[test]
    fn a_list_is_split_at_commas_and_spaces() {
        assert_eq!(
            split_servers("127.0.0.1, [::1]:53  1.1.1.1,"),
            ["127.0.0.1", "[::1]:53", "1.1.1.1"]
        );
        assert!(split_servers(" ,").is_empty());
    }

    #[test]
    fn an_error_names_the_server() {
        let wrong = [
            "",
            "localhost",
            "127.0.0.1:",
            "127.0.0.1:0",
            "127.0.0.1:65536",
            "127.0.0.1:-1",
            "127.0.0.1,127.0.0.2",
            " 127.0.0.1",
            "127.1",
            "1.2.3.4.5",
            "[::1",
            "[::1]53",
            "[::1]:",
            "[::1]:x",
            "::1%eth0",
            "fe80::1",
            "fe80::1%no-such-interface",
            "fe80::1%lo,127.0.0.1",
            "fec0::1",
            "127.0.0.1\0",
            "127.0.0.1%lo",
            "[fe80::1%lo]:53%lo",
            "dns://",
            "dns://localhost",
            "dns://127.0.0.1?port=53",
            "dns://127.0.0.1:53?tcpport=0",
            "dns://127.0.0.1:53?tcpport=65536",
            "dns://127.0.0.1:53/path",
            "https://127.0.0.1",
        ];
        for server in wrong {
            let error = to_csv(&["127.0.0.1", server]).expect_err(server);
            assert!(error.to_string().contains(&format!("{server:?}")), "{error}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_link_local_address_keeps_its_interface() {
        assert_eq!(
            to_csv(&["[fe80::1%lo]:53", "[fe80::1]:53%lo", "fe80::1%1"]).as_deref(),
            Ok("[fe80::1]:53%lo,[fe80::1]:53%lo,[fe80::1]%1")
        );
    }
}
