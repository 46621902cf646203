//! `ares_gethostbyname` and `ares_gethostbyaddr`: a host's names and addresses.

use std::net::IpAddr;

use c_ares::{AddressFamily, HostResults};

use super::Channel;
use super::getaddrinfo::host_name;
use super::lookup::Lookup;
use super::queue::InFlight;
use crate::error::{Code, Result};

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

    fn ask(self, ares: &mut c_ares::Channel, query: InFlight<Host>) {
        ares.get_host_by_name(&self.name, self.family, move |answer| {
            query.answer(|| copy(answer));
        });
    }
}

struct ByAddress(IpAddr);

impl Lookup for ByAddress {
    type Answer = Host;

    fn ask(self, ares: &mut c_ares::Channel, query: InFlight<Host>) {
        ares.get_host_by_address(&self.0, move |answer| query.answer(|| copy(answer)));
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
        host_name(name)?;
        self.start(ByName { name: name.into(), family }, Box::new(callback))
    }

    /// Looks up the names of an address in the hosts file and in DNS, as `lookups` of the options
    /// says (`ares_gethostbyaddr`). `callback` is called as [`query`](Channel::query) does.
    pub fn gethostbyaddr(
        &self,
        address: IpAddr,
        callback: impl FnOnce(Result<Host>) + Send + 'static,
    ) -> Result<()> {
        self.start(ByAddress(address), Box::new(callback))
    }
}
