//! `ares_gethostbyname` and `ares_gethostbyaddr`: a host's names and addresses.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};

use c_ares::{AddressFamily, HostResults};

use super::Channel;
use super::getaddrinfo::host_name;
use super::host::{LOOPBACK, Step, is_of, numeric, steps};
use super::lookup::{Asked, Lookup, callback as user};
use super::queue::InFlight;
use crate::engine::Engine;
use crate::error::{Code, Result};
use crate::hosts::{Entry, Table};
use crate::{search, sort};

/// What is known of a host (`struct hostent`).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Host {
    /// Its name.
    pub name: Box<str>,
    /// Its other names.
    pub aliases: Box<[Box<str>]>,
    /// Its addresses, all of one family; sorted by the sortlist, if the channel has one.
    pub addresses: Box<[IpAddr]>,
}

struct ByName {
    name: Box<str>,
    family: AddressFamily,
}

impl Lookup for ByName {
    type Answer = Host;

    fn weight(&self) -> usize {
        if self.family == AddressFamily::UNSPEC { 2 } else { 1 }
    }

    fn ask(self, ares: &mut Engine, query: InFlight<Host>) {
        ares.get_host_by_name(&self.name, self.family, move |answer| {
            query.answer(|_| copy(answer));
        });
    }
}

struct ByAddress(IpAddr);

impl Lookup for ByAddress {
    type Answer = Host;

    fn ask(self, ares: &mut Engine, query: InFlight<Host>) {
        ares.get_host_by_address(&self.0, move |answer| query.answer(|_| copy(answer)));
    }
}

fn copy(answer: c_ares::Result<&HostResults>) -> Result<Host> {
    let host = answer?;
    let host = Host {
        name: host.hostname().into(),
        aliases: host.aliases().map(Box::from).collect(),
        addresses: host.addresses().collect(),
    };
    if host.addresses.is_empty() { Err(Code::ENODATA.into()) } else { Ok(host) }
}

impl Channel {
    /// Looks up the addresses of a host that are of one family, or of the first that it has any of
    /// for `UNSPEC` (`ares_gethostbyname`).
    ///
    /// It looks where [`getaddrinfo`](Channel::getaddrinfo) does; `callback` is called as
    /// [`query`](Channel::query) does. The error names a name that cannot be asked for.
    pub fn gethostbyname(
        &self,
        name: &str,
        family: AddressFamily,
        callback: impl FnOnce(Result<Host>) + Send + 'static,
    ) -> Result<()> {
        let name = host_name(name)?;
        let held = self.event_loop.hold()?;
        let (core, callback) = (&self.core, user(callback));
        if let Some(address) = numeric(&name, 0) {
            let of = |address: SocketAddr| {
                is_of(&address, family)
                    .then(|| Host::new(&name, address))
                    .ok_or(Code::ENOTFOUND.into())
            };
            return core.end_at_once(&held, callback, address.and_then(of));
        }
        let configuration = core.open(&held, |ares| ares.current.configuration.clone())?;
        let sortlist = configuration.sortlist.value.clone();
        if search::is_localhost(&name) {
            let host = core.open(&held, |ares| {
                let table = ares.current.hosts.table(false);
                in_file(&name, family, &sortlist, table).unwrap_or_else(|| {
                    let mut known = LOOPBACK.into_iter().filter(|address| is_of(address, family));
                    Host::new(&name, known.next().unwrap_or(LOOPBACK[0]))
                })
            })?;
            return core.end_at_once(&held, callback, Ok(host));
        }
        let steps = core.open(&held, |ares| steps(&name, &ares.current))?;
        core.look_up(
            &held,
            steps,
            false,
            move |table| in_file(&name, family, &sortlist, table),
            move |core, held, name, callback| {
                core.start(held, Asked { lookup: ByName { name: name.into(), family }, callback })
            },
            callback,
        )
    }

    /// Looks up the names of an address in the hosts file and in DNS, as `lookups` of the options
    /// says (`ares_gethostbyaddr`). `callback` is called as [`query`](Channel::query) does.
    pub fn gethostbyaddr(
        &self,
        address: IpAddr,
        callback: impl FnOnce(Result<Host>) + Send + 'static,
    ) -> Result<()> {
        let held = self.event_loop.hold()?;
        let steps: VecDeque<_> = self.core.open(&held, |ares| {
            let places = ares.current.configuration.lookups.value.chars();
            let step =
                |place| if place == 'f' { Step::File } else { Step::Servers(".".to_owned()) };
            places.map(step).collect()
        })?;
        self.core.look_up(
            &held,
            steps,
            false,
            move |table| {
                let entry = table.by_address(address)?;
                Some(Host { addresses: Box::from([address]), ..host(entry) })
            },
            move |core, held, _, callback| {
                core.start(held, Asked { lookup: ByAddress(address), callback })
            },
            user(callback),
        )
    }
}

impl Host {
    fn new(name: &str, address: SocketAddr) -> Host {
        let addresses = Box::from([address.ip()]);
        Host { name: name.trim_end_matches('.').into(), aliases: Box::default(), addresses }
    }
}

fn host(entry: Entry<'_>) -> Host {
    Host {
        name: entry.name.into(),
        aliases: entry.aliases.into_iter().map(Box::from).collect(),
        addresses: entry.addresses.into(),
    }
}

/// What the file has of a host: its addresses of one family.
fn in_file(name: &str, family: AddressFamily, sortlist: &[String], table: &Table) -> Option<Host> {
    let entry = table.by_name(name)?;
    let all = entry.addresses.iter().map(|address| SocketAddr::new(*address, 0));
    let mut addresses: Vec<_> = all.filter(|address| is_of(address, family)).collect();
    sort::sort(&mut addresses);
    let first = *addresses.first()?;
    let mut addresses: Vec<_> = addresses
        .into_iter()
        .filter(|address| address.is_ipv4() == first.is_ipv4())
        .map(|address| address.ip())
        .collect();
    sort::by_networks(&mut addresses, sortlist);
    Some(Host { addresses: addresses.into(), ..host(entry) })
}
