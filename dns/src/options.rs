//! How a channel is set up (`ares_init_options`).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use c_ares::Flags;

use crate::configuration::{Configuration, Setting, Source};
use crate::engine::Engine;
use crate::error::{Code, Error, Result};
use crate::{name, server};

/// How a [`Channel`](crate::Channel) is set up. What is `None` is taken from where the system has it:
/// see [`Configuration`](crate::Configuration).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// The servers to ask, instead of those of `resolv.conf`; each as
    /// [`set_servers`](crate::Channel::set_servers) takes it.
    pub servers: Option<Vec<String>>,
    /// How long to wait for an answer, 2 s if `None` and the system says nothing. c-ares waits less for a server that it
    /// knows to be fast (five times its mean, no less than 250 ms).
    pub timeout: Option<Duration>,
    /// The longest a later try may wait. c-ares doubles the timeout from try to try; with `None`
    /// it does not, so that a query ends after `timeout` x `tries` for each server.
    pub max_timeout: Option<Duration>,
    /// How often each server is asked, 3 if `None` and the system says nothing.
    pub tries: Option<u32>,
    /// How many dots make a name absolute.
    pub ndots: Option<u32>,
    /// `ARES_FLAG_*`, instead of EDNS alone.
    pub flags: Option<Flags>,
    /// The search domains. With none at all nothing is searched.
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
    /// The sockets' send buffer in bytes (`SO_SNDBUF`).
    pub socket_send_buffer_size: Option<u32>,
    /// The sockets' receive buffer in bytes (`SO_RCVBUF`): room for the answers that come while
    /// the loop is busy.
    pub socket_receive_buffer_size: Option<u32>,
    /// After how many queries a UDP socket gives way to one with another port; `None` is never.
    pub udp_max_queries: Option<u32>,
    /// Networks, the nearest first, by which `gethostbyname` sorts addresses
    /// (`ares_set_sortlist`): each an address with, if it has no natural mask, `/bits` or
    /// `/netmask`.
    pub sortlist: Option<Vec<String>>,
    /// A server that failed is tried again by one query in so many, 10 if `None`; 0 is never.
    pub server_retry_chance: Option<u16>,
    /// How long a server that failed is left alone before, 5 s if `None`.
    pub server_retry_delay: Option<Duration>,
    /// The address to ask IPv4 servers from (`ares_set_local_ip4`).
    pub local_ip4: Option<Ipv4Addr>,
    /// The address to ask IPv6 servers from (`ares_set_local_ip6`).
    pub local_ip6: Option<Ipv6Addr>,
    /// The network interface to ask from (`ares_set_local_dev`). c-ares asks without it where the
    /// system does not allow it (`SO_BINDTODEVICE`).
    pub local_dev: Option<String>,
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

pub(crate) const DEFAULT_TIMEOUT: Duration = Duration::from_secs(2);
pub(crate) const DEFAULT_TRIES: u32 = 3;

/// `milliseconds` of c-ares's options is a C int.
const MAX_TIMEOUT: Duration = Duration::from_millis(i32::MAX as u64);

/// A file in which nothing is.
const NOTHING: &str = "/dev/null";

/// The largest C int.
const MAX_INT: u32 = i32::MAX as u32;

/// The most bytes of an interface's name that c-ares keeps.
const MAX_DEVICE: usize = 31;

impl Options {
    pub(crate) fn max_in_flight(&self) -> Result<usize> {
        match self.max_in_flight {
            None => Ok(DEFAULT_MAX_IN_FLIGHT),
            Some(count @ 1..=LIMIT_IN_FLIGHT) => Ok(count),
            Some(count) => Err(Error::Invalid(format!(
                "max_in_flight {count} is not between 1 and {LIMIT_IN_FLIGHT}"
            ))),
        }
    }

    /// Refuses what c-ares would pass over or misread. The error names the option and the value.
    pub(crate) fn check(&self) -> Result<()> {
        check_timeout("timeout", self.timeout.unwrap_or(DEFAULT_TIMEOUT))?;
        check_timeout("max_timeout", self.max_timeout.unwrap_or(DEFAULT_TIMEOUT))?;
        for (what, value, least, most) in [
            ("tries", self.tries, 1, MAX_INT),
            ("ndots", self.ndots, 0, MAX_INT),
            ("edns_size", self.edns_size.map(u32::from), 512, u32::from(u16::MAX)),
            ("socket_send_buffer_size", self.socket_send_buffer_size, 1, MAX_INT),
            ("socket_receive_buffer_size", self.socket_receive_buffer_size, 1, MAX_INT),
            ("udp_max_queries", self.udp_max_queries, 1, MAX_INT),
        ] {
            if let Some(value) = value.filter(|value| !(least..=most).contains(value)) {
                return Err(invalid(format!("{what} {value} is not between {least} and {most}")));
            }
        }
        for domain in self.domains.iter().flatten() {
            name::validate(domain)
                .map_err(|error| invalid(format!("bad search domain {domain:?}: {error}")))?;
        }
        if let Some(lookups) = &self.lookups
            && !["b", "f", "bf", "fb"].contains(&lookups.as_str())
        {
            let rule = "expected \"b\", \"f\", \"bf\" or \"fb\"";
            return Err(invalid(format!("bad lookups {lookups:?}: {rule}")));
        }
        check_path("resolvconf_path", self.resolvconf_path.as_deref())?;
        check_path("hosts_path", self.hosts_path.as_deref())?;
        for network in self.sortlist.iter().flatten() {
            check_network(network)?;
        }
        if let Some(delay) = self.server_retry_delay.filter(|delay| *delay > MAX_TIMEOUT) {
            let message = format!("server_retry_delay {delay:?} is more than {MAX_TIMEOUT:?}");
            return Err(invalid(message));
        }
        match &self.local_dev {
            Some(name) if name.len() > MAX_DEVICE || !server::interface_exists(name) => {
                Err(invalid(format!("local_dev {name:?} is no network interface")))
            }
            _ => Ok(()),
        }
    }

    /// A c-ares channel with these options, already checked. It reads files and may do so on any
    /// thread. With `on_socket` the caller watches its sockets, without it has a thread of its own.
    pub(crate) fn engine<F>(
        &self,
        configuration: Configuration,
        on_socket: Option<F>,
    ) -> Result<Engine>
    where
        F: Fn(c_ares::Socket, bool, bool) + Send + Sync + 'static,
    {
        let is_default = |server: &Setting<String>| server.source == Source::Default;
        if self.flags.is_some_and(|flags| flags.contains(Flags::NO_DFLT_SVR))
            && configuration.servers.iter().all(is_default)
        {
            return Err(Error::new(Code::ENOSERVER, configuration.why_no_server()));
        }
        let mut options = self.for_c_ares(&configuration)?;
        let has_thread = on_socket.is_none();
        match on_socket {
            Some(on_socket) => options.set_socket_state_callback(on_socket),
            None => options.set_event_thread(c_ares::EventSys::Default),
        };
        let channel = c_ares::Channel::with_options(options)
            .map_err(|error| Error::new(error, "ares_init_options"))?;
        let mut engine = Engine::new(channel, configuration, self, has_thread);
        if !engine.configuration.left_to_c_ares || self.servers.is_some() {
            let servers: Vec<_> =
                engine.configuration.servers.iter().map(|server| &server.value).collect();
            let csv = server::to_csv(&servers)?;
            engine.ask_servers(&csv)?;
        }
        let configuration = engine.configuration.clone();
        let sortlist = &configuration.sortlist.value;
        if !sortlist.is_empty() {
            let error = |error| Error::new(error, format!("sortlist {sortlist:?}"));
            engine.set_sortlist(sortlist).map_err(error)?;
        }
        if let Some(address) = self.local_ip4 {
            engine.set_local_ipv4(address);
        }
        if let Some(address) = self.local_ip6 {
            engine.set_local_ipv6(address);
        }
        if let Some(device) = &self.local_dev {
            engine.set_local_device(device)?;
        }
        Ok(engine)
    }

    /// What c-ares is told: everything, so that it reads nothing. It searches no domains and no hosts
    /// file: those are gone through here.
    fn for_c_ares(&self, configuration: &Configuration) -> Result<c_ares::Options> {
        let mut options = c_ares::Options::new();
        let timeout = configuration.timeout.value;
        options.set_timeout(timeout);
        options.set_max_timeout(self.max_timeout.unwrap_or(timeout));
        options.set_tries(configuration.tries.value);
        options.set_ndots(configuration.ndots.value);
        let mut flags = self.flags.unwrap_or(Flags::EDNS);
        flags.set(Flags::USEVC, flags.contains(Flags::USEVC) || configuration.use_vc.value);
        // They are set once the channel is there.
        flags.remove(Flags::NO_DFLT_SVR);
        options.set_flags(flags);
        options.set_lookups("b")?;
        if configuration.rotate.value {
            options.set_rotate();
        } else {
            options.set_no_rotate();
        }
        if let Some(port) = self.udp_port {
            options.set_udp_port(port);
        }
        if let Some(port) = self.tcp_port {
            options.set_tcp_port(port);
        }
        // c-ares caches unless told not to.
        options.set_query_cache_max_ttl(self.query_cache_max_ttl);
        if !configuration.left_to_c_ares {
            options.set_resolvconf_path(NOTHING)?;
        }
        if let Some(size) = self.edns_size {
            options.set_ednspsz(size.into());
        }
        if let Some(size) = self.socket_send_buffer_size {
            options.set_sock_send_buffer_size(size);
        }
        if let Some(size) = self.socket_receive_buffer_size {
            options.set_sock_receive_buffer_size(size);
        }
        options.set_udp_max_queries(self.udp_max_queries);
        let mut failover = c_ares::ServerFailoverOptions::new();
        if let Some(chance) = self.server_retry_chance {
            failover.set_retry_chance(chance);
        }
        if let Some(delay) = self.server_retry_delay {
            failover.set_retry_delay(delay);
        }
        options.set_server_failover_options(&failover);
        Ok(options)
    }

    /// The longest that c-ares takes for a query.
    pub(crate) fn budget(&self, configuration: &Configuration) -> Duration {
        let timeout = self.max_timeout.unwrap_or(configuration.timeout.value);
        let servers = u32::try_from(configuration.servers.len().max(1)).unwrap_or(u32::MAX);
        timeout.saturating_mul(configuration.tries.value.saturating_mul(servers))
    }
}

fn invalid(message: String) -> Error {
    Error::Invalid(message)
}

fn check_timeout(what: &str, timeout: Duration) -> Result<()> {
    if timeout < Duration::from_millis(1) || timeout > MAX_TIMEOUT {
        return Err(invalid(format!("{what} {timeout:?} is not between 1 ms and {MAX_TIMEOUT:?}")));
    }
    Ok(())
}

fn check_path(what: &str, path: Option<&str>) -> Result<()> {
    match path {
        Some(path) if path.contains('\0') => {
            Err(invalid(format!("{what} {path:?} holds a NUL byte")))
        }
        Some("") => Err(invalid(format!("{what} is empty"))),
        _ => Ok(()),
    }
}

/// `address`, `address/bits` or, for IPv4, `address/netmask`.
pub(crate) fn check_network(text: &str) -> Result<()> {
    let bad = || {
        let rule = "expected address, address/bits or address/netmask";
        invalid(format!("bad network {text:?} in the sortlist: {rule}"))
    };
    let (address, mask) = match text.split_once('/') {
        Some((address, mask)) => (address, Some(mask)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().map_err(|_| bad())?;
    let Some(mask) = mask else { return Ok(()) };
    let most = if address.is_ipv4() { 32 } else { 128 };
    let digits = !mask.is_empty() && mask.bytes().all(|byte| byte.is_ascii_digit());
    let is_bits = digits && mask.parse().is_ok_and(|bits: u32| bits <= most);
    if is_bits || (address.is_ipv4() && mask.parse::<Ipv4Addr>().is_ok()) {
        return Ok(());
    }
    Err(bad())
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
            (Options { hosts_path: text(""), ..Options::default() }, "hosts_path"),
            (Options { tries: Some(1 << 31), ..Options::default() }, "tries 2147483648"),
            (Options { ndots: Some(1 << 31), ..Options::default() }, "ndots 2147483648"),
            (Options { edns_size: Some(511), ..Options::default() }, "edns_size 511"),
            (Options { udp_max_queries: Some(0), ..Options::default() }, "udp_max_queries 0"),
            (
                Options { socket_send_buffer_size: Some(0), ..Options::default() },
                "socket_send_buffer_size 0",
            ),
            (
                Options { server_retry_delay: Some(Duration::MAX), ..Options::default() },
                "server_retry_delay",
            ),
            (Options { local_dev: text("no-such-0"), ..Options::default() }, "\"no-such-0\""),
            (Options { local_dev: text("lo\0"), ..Options::default() }, "\"lo\\0\""),
        ];
        for (options, expected) in wrong {
            let error = options.check().err().map(|error| error.to_string()).unwrap_or_default();
            assert!(error.contains(expected), "{options:?}: {error:?}");
        }
        for count in [0, LIMIT_IN_FLIGHT + 1] {
            let options = Options { max_in_flight: Some(count), ..Options::default() };
            let error = options.max_in_flight().expect_err("out of range").to_string();
            assert!(error.contains(&count.to_string()), "{error}");
        }
    }

    #[test]
    fn a_network_is_an_address_with_or_without_a_mask() {
        for network in
            ["192.0.2.1", "10.0.0.0/8", "10.0.0.0/255.0.0.0", "2001:db8::/32", "::1/128", "::1"]
        {
            assert_eq!(check_network(network), Ok(()), "{network}");
        }
        for network in
            ["", "x", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/+8", "::1/129", "::1/255.0.0.0", "::1 "]
        {
            let error = check_network(network).expect_err(network).to_string();
            assert!(error.contains(&format!("{network:?}")), "{error}");
        }
    }

    #[test]
    fn a_query_may_take_every_try_of_every_server() {
        for (servers, timeout, tries, budget) in [(0, 1, 2, 2), (3, 1, 2, 6), (1, 2, 3, 6)] {
            let options = Options {
                timeout: Some(Duration::from_secs(timeout)),
                tries: Some(tries),
                servers: Some(vec!["192.0.2.1".to_owned(); servers]),
                ..Options::default()
            };
            let configuration = Configuration::read(&options);
            assert_eq!(options.budget(&configuration), Duration::from_secs(budget));
        }
    }
}
