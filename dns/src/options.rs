//! How a channel is set up (`ares_init_options`).

use std::time::Duration;

use c_ares::Flags;

use crate::error::{Error, Result};

/// How a [`Channel`](crate::Channel) is set up. What is `None` is c-ares's own choice, which it
/// reads from `resolv.conf`; a missing or malformed one is no error.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The servers to ask, each `address`, `address:port` or `[address]:port`, instead of those
    /// of `resolv.conf`. A link-local address names its interface: `[fe80::1%eth0]:53`.
    pub servers: Option<Vec<String>>,
    /// How long to wait for an answer, 2 s if `None`. c-ares waits less for a server that it
    /// knows to be fast (five times its mean, no less than 250 ms).
    pub timeout: Option<Duration>,
    /// The longest a later try may wait. c-ares doubles the timeout from try to try; with `None`
    /// it does not, so that a query ends after `timeout` x `tries` for each server.
    pub max_timeout: Option<Duration>,
    /// How often each server is asked, 3 if `None`.
    pub tries: Option<u32>,
    /// How many dots make a name absolute.
    pub ndots: Option<u32>,
    /// `ARES_FLAG_*`, instead of EDNS alone.
    pub flags: Option<Flags>,
    /// The search domains.
    pub domains: Option<Vec<String>>,
    /// Where host lookups look: `b` for DNS, `f` for the hosts file, in that order.
    pub lookups: Option<String>,
    /// Whether to ask a random server instead of the first.
    pub rotate: Option<bool>,
    /// The port of servers that name none, for UDP.
    pub udp_port: Option<u16>,
    /// The port of servers that name none, for TCP.
    pub tcp_port: Option<u16>,
    /// How many queries c-ares works on at a time; more wait their turn in the channel.
    /// [`DEFAULT_MAX_IN_FLIGHT`] if `None`, [`LIMIT_IN_FLIGHT`] at most.
    pub max_in_flight: Option<usize>,
    /// How many seconds an answer may be given again without asking, whatever its records allow.
    /// 0, the default, turns the cache off.
    pub query_cache_max_ttl: u32,
    /// A file in place of `/etc/resolv.conf`.
    pub resolvconf_path: Option<String>,
    /// A file in place of `/etc/hosts`.
    pub hosts_path: Option<String>,
    /// The largest UDP answer to offer the server room for (EDNS).
    pub edns_size: Option<u16>,
    /// The sockets' send buffer (`SO_SNDBUF`).
    pub socket_send_buffer_size: Option<u32>,
    /// The sockets' receive buffer (`SO_RCVBUF`): room for the answers that come while the loop
    /// is busy.
    pub socket_receive_buffer_size: Option<u32>,
    /// After how many queries a UDP socket gives way to one with another port; `None` is never.
    pub udp_max_queries: Option<u32>,
}

/// How many queries c-ares works on at a time unless [`Options`]'s `max_in_flight` says otherwise.
///
/// More is slower where the server is near. All queries to a server share a UDP socket, whose
/// buffer on Linux holds some 270 answers; what comes beyond that while the loop is busy is lost
/// and costs a timeout. (100,000 names asked at once of a server on the same machine: 71,000 a
/// second with 50 to 200 in flight, 50,000 with 500, 39,000 with 2,000.) Where the server is far
/// or slow, more of them use the time that each waits.
pub const DEFAULT_MAX_IN_FLIGHT: usize = 256;

/// The most that [`Options`]'s `max_in_flight` may be: half of the 65,536 numbers that DNS has for
/// the queries of a channel. c-ares draws numbers until it finds a free one, which takes two draws
/// on average then, and for ever if there is none.
pub const LIMIT_IN_FLIGHT: usize = 32_768;

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(2);
const DEFAULT_TRIES: u32 = 3;

/// `milliseconds` of c-ares's options is a C int.
const MAX_TIMEOUT: Duration = Duration::from_millis(i32::MAX as u64);

impl Options {
    /// The longest that c-ares takes for a query, with `servers` servers.
    pub(crate) fn budget(&self, servers: usize) -> Duration {
        let timeout = self.max_timeout.or(self.timeout).unwrap_or(DEFAULT_TIMEOUT);
        let servers = u32::try_from(servers.max(1)).unwrap_or(u32::MAX);
        timeout.saturating_mul(self.tries.unwrap_or(DEFAULT_TRIES).saturating_mul(servers))
    }

    pub(crate) fn max_in_flight(&self) -> Result<usize> {
        match self.max_in_flight {
            None => Ok(DEFAULT_MAX_IN_FLIGHT),
            Some(count @ 1..=LIMIT_IN_FLIGHT) => Ok(count),
            Some(count) => Err(Error::Invalid(format!(
                "max_in_flight {count} is not between 1 and {LIMIT_IN_FLIGHT}"
            ))),
        }
    }

    /// As c-ares takes them, servers and the socket-state callback excepted. The error names the
    /// option that is wrong.
    pub(crate) fn to_ares(&self) -> Result<c_ares::Options> {
        let mut ares = c_ares::Options::new();
        let timeout = check_timeout("timeout", self.timeout.unwrap_or(DEFAULT_TIMEOUT))?;
        let max_timeout = check_timeout("max_timeout", self.max_timeout.unwrap_or(timeout))?;
        ares.set_timeout(timeout).set_max_timeout(max_timeout);
        match self.tries {
            Some(0) => return Err(Error::Invalid("tries 0 is less than 1".to_owned())),
            tries => ares.set_tries(tries.unwrap_or(DEFAULT_TRIES)),
        };
        if let Some(ndots) = self.ndots {
            ares.set_ndots(ndots);
        }
        if let Some(mut flags) = self.flags {
            if self.servers.is_some() {
                // Servers of our own are set once the channel is there; until then, having none
                // is no error.
                flags.remove(Flags::NO_DFLT_SVR);
            }
            ares.set_flags(flags);
        }
        if let Some(domains) = &self.domains {
            for domain in domains {
                if domain.contains('\0') || domain.is_empty() {
                    return Err(Error::Invalid(format!("bad search domain {domain:?}")));
                }
            }
            ares.set_domains(domains)?;
        }
        if let Some(lookups) = &self.lookups {
            if lookups.is_empty() || !lookups.bytes().all(|byte| b"bf".contains(&byte)) {
                return Err(Error::Invalid(format!(
                    "bad lookups {lookups:?}: expected \"b\", \"f\", \"bf\" or \"fb\""
                )));
            }
            ares.set_lookups(lookups)?;
        }
        match self.rotate {
            Some(true) => drop(ares.set_rotate()),
            Some(false) => drop(ares.set_no_rotate()),
            None => {}
        }
        if let Some(port) = self.udp_port {
            ares.set_udp_port(port);
        }
        if let Some(port) = self.tcp_port {
            ares.set_tcp_port(port);
        }
        // c-ares caches unless told not to.
        ares.set_query_cache_max_ttl(self.query_cache_max_ttl);
        if let Some(path) = &self.resolvconf_path {
            check_path("resolvconf_path", path)?;
            ares.set_resolvconf_path(path)?;
        }
        if let Some(path) = &self.hosts_path {
            check_path("hosts_path", path)?;
            ares.set_hosts_path(path)?;
        }
        if let Some(size) = self.edns_size {
            ares.set_ednspsz(size.into());
        }
        if let Some(size) = self.socket_send_buffer_size {
            ares.set_sock_send_buffer_size(size);
        }
        if let Some(size) = self.socket_receive_buffer_size {
            ares.set_sock_receive_buffer_size(size);
        }
        ares.set_udp_max_queries(self.udp_max_queries);
        Ok(ares)
    }
}

fn check_timeout(what: &str, timeout: Duration) -> Result<Duration> {
    if timeout < Duration::from_millis(1) || timeout > MAX_TIMEOUT {
        let message = format!("{what} {timeout:?} is not between 1 ms and {MAX_TIMEOUT:?}");
        return Err(Error::Invalid(message));
    }
    Ok(timeout)
}

fn check_path(what: &str, path: &str) -> Result<()> {
    if path.contains('\0') {
        return Err(Error::Invalid(format!("{what} {path:?} holds a NUL byte")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_the_option_and_the_value() {
        let text = |value: &str| Some(value.to_owned());
        let wrong = [
            (Options { timeout: Some(Duration::ZERO), ..Options::default() }, "timeout 0ns"),
            (Options { timeout: Some(Duration::MAX), ..Options::default() }, "timeout"),
            (Options { max_timeout: Some(Duration::ZERO), ..Options::default() }, "max_timeout"),
            (Options { tries: Some(0), ..Options::default() }, "tries 0"),
            (Options { lookups: text("x"), ..Options::default() }, "\"x\""),
            (Options { lookups: text("b\0"), ..Options::default() }, "\"b\\0\""),
            (Options { domains: Some(vec!["a\0b".into()]), ..Options::default() }, "\"a\\0b\""),
            (Options { resolvconf_path: text("\0"), ..Options::default() }, "resolvconf_path"),
            (Options { hosts_path: text("\0"), ..Options::default() }, "hosts_path"),
        ];
        for (options, expected) in wrong {
            let error = options.to_ares().err().map(|error| error.to_string()).unwrap_or_default();
            assert!(error.contains(expected), "{options:?}: {error:?}");
        }
        for count in [0, LIMIT_IN_FLIGHT + 1] {
            let options = Options { max_in_flight: Some(count), ..Options::default() };
            let error = options.max_in_flight().expect_err("out of range").to_string();
            assert!(error.contains(&count.to_string()), "{error}");
        }
    }

    #[test]
    fn a_query_may_take_every_try_of_every_server() {
        let options =
            Options { timeout: Some(Duration::from_secs(1)), tries: Some(2), ..Options::default() };
        assert_eq!(options.budget(0), Duration::from_secs(2));
        assert_eq!(options.budget(3), Duration::from_secs(6));
        assert_eq!(Options::default().budget(1), Duration::from_secs(6));
    }
}
