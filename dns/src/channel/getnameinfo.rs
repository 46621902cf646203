//! `ares_getnameinfo`: the name of an address, and of a port.

use std::net::SocketAddr;

use c_ares::NIFlags;

use super::Channel;
use super::lookup::Lookup;
use super::queue::InFlight;
use crate::error::Result;

/// The names of an address and its port.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct NameInfo {
    /// The host's name, or its address in numbers; `None` if only the service was asked for.
    pub node: Option<Box<str>>,
    /// The service's name, or its port's number; `None` if it was not asked for, or port 0.
    pub service: Option<Box<str>>,
}

struct Names {
    address: SocketAddr,
    flags: NIFlags,
}

impl Lookup for Names {
    type Answer = NameInfo;

    fn ask(self, ares: &mut c_ares::Channel, query: InFlight<NameInfo>) {
        ares.get_name_info(&self.address, self.flags, move |answer| {
            query.answer(|| {
                let names = answer?;
                // c-ares gives every address without a scope the scope 0.
                let node = names.node().map(|node| node.strip_suffix("%0").unwrap_or(node));
                Ok(NameInfo { node: node.map(Box::from), service: names.service().map(Box::from) })
            });
        });
    }
}

impl Channel {
    /// Looks up the names of an address and of its port (`ares_getnameinfo`). Without
    /// `LOOKUPHOST` and `LOOKUPSERVICE` among the flags, that of the host.
    ///
    /// `callback` is called as [`query`](Channel::query) does. An address without a name gives
    /// the numbers, unless `NAMEREQD` is among the flags.
    pub fn getnameinfo(
        &self,
        address: SocketAddr,
        flags: NIFlags,
        callback: impl FnOnce(Result<NameInfo>) + Send + 'static,
    ) -> Result<()> {
        self.start(Names { address, flags }, Box::new(callback))
    }
}
