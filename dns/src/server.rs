//! The address of a name server, as text.

use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddrV4};

use crate::error::{Error, Result};

/// Writes `servers` the way c-ares wants them (`ares_set_servers_ports_csv`): each an `address`,
/// an `address:port` or, for IPv6, `[address]:port`. A link-local address names its interface:
/// `[fe80::1%eth0]:53`.
///
/// The error names the server that is none of these. c-ares itself says only that one is wrong,
/// and passes over in silence what it cannot use.
pub(crate) fn to_csv<S: AsRef<str>>(servers: &[S]) -> Result<String> {
    let mut csv = String::new();
    for server in servers {
        if !csv.is_empty() {
            csv.push(',');
        }
        add(&mut csv, server.as_ref())?;
    }
    Ok(csv)
}

fn add(csv: &mut String, text: &str) -> Result<()> {
    let bad = |fault: &str| Error::Invalid(format!("bad server address {text:?}: {fault}"));
    if let Ok(address) = text.parse::<SocketAddrV4>() {
        return write_server(csv, IpAddr::V4(*address.ip()), None, Some(address.port()))
            .map_err(|fault| bad(&fault));
    }
    if let Ok(address) = text.parse::<Ipv4Addr>() {
        return write_server(csv, IpAddr::V4(address), None, None).map_err(|fault| bad(&fault));
    }
    let (inside, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((inside, "")) => (inside, None),
        Some((inside, rest)) => {
            let port = rest.strip_prefix(':').and_then(|digits| digits.parse().ok());
            (inside, Some(port.ok_or_else(|| bad("what follows \"]\" is not \":port\""))?))
        }
        None => (text, None),
    };
    let (address, interface) = match inside.split_once('%') {
        Some((address, interface)) => (address, Some(interface)),
        None => (inside, None),
    };
    let address: IpAddr =
        address.parse().map_err(|_| bad("expected address, address:port or [address]:port"))?;
    write_server(csv, address, interface, port).map_err(|fault| bad(&fault))
}

fn write_server(
    csv: &mut String,
    address: IpAddr,
    interface: Option<&str>,
    port: Option<u16>,
) -> std::result::Result<(), String> {
    if port == Some(0) {
        return Err("no server listens on port 0".to_owned());
    }
    let link_local = match address {
        IpAddr::V6(address) if is_site_local(address) => {
            return Err("c-ares takes no site-local address".to_owned());
        }
        IpAddr::V6(address) => address.is_unicast_link_local(),
        IpAddr::V4(_) => false,
    };
    match interface {
        None if link_local => {
            return Err("a link-local address needs its interface: [fe80::1%eth0]".to_owned());
        }
        Some(_) if !link_local => {
            return Err("only a link-local address names an interface".to_owned());
        }
        Some(interface) if !interface_exists(interface) => {
            return Err(format!("there is no interface {interface:?}"));
        }
        _ => {}
    }
    // Writing to a String cannot fail.
    let _ = write!(csv, "[{address}]");
    if let Some(port) = port {
        let _ = write!(csv, ":{port}");
    }
    if let Some(interface) = interface {
        let _ = write!(csv, "%{interface}");
    }
    Ok(())
}

/// `fec0::/10`, once for sites and deprecated since.
fn is_site_local(address: Ipv6Addr) -> bool {
    address.segments()[0] & 0xffc0 == 0xfec0
}

#[cfg(unix)]
fn interface_exists(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-_\\:{}".contains(&byte);
    if name.is_empty() || !name.bytes().all(allowed) {
        return false;
    }
    if let Ok(index) = name.parse() {
        let mut buffer = [0; libc::IF_NAMESIZE];
        // SAFETY: the buffer has the size that the call asks for.
        return !unsafe { libc::if_indextoname(index, buffer.as_mut_ptr()) }.is_null();
    }
    let Ok(name) = std::ffi::CString::new(name) else { return false };
    // SAFETY: the name ends with a NUL.
    (unsafe { libc::if_nametoindex(name.as_ptr()) }) != 0
}

#[cfg(not(unix))]
fn interface_exists(name: &str) -> bool {
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
            to_csv(&["[fe80::1%lo]:53", "fe80::1%1"]).as_deref(),
            Ok("[fe80::1]:53%lo,[fe80::1]%1")
        );
    }
}
