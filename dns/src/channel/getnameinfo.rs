//! `ares_getnameinfo`: the name of an address, and of a port.

use std::net::SocketAddr;

use c_ares::NIFlags;
use pyuv::Held;

use super::Channel;
use super::core::Core;
use super::lookup::{Asked, Callback, Lookup, callback as user};
use super::queue::InFlight;
use crate::configuration::host_name;
use crate::engine::Engine;
use crate::error::{Code, Error, Result};

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

    fn ask(self, ares: &mut Engine, query: InFlight<NameInfo>) {
        ares.get_name_info(&self.address, self.flags, move |answer| {
            query.answer(|_| {
                let names = answer?;
                // c-ares gives every address without a scope the scope 0.
                let node = names.node().map(|node| node.strip_suffix("%0").unwrap_or(node));
                Ok(NameInfo { node: node.map(Box::from), service: names.service().map(Box::from) })
            });
        });
    }
}

impl Channel {
    /// Looks up the names of an address and of its port (`ares_getnameinfo`), that of the host in the
    /// hosts file and in DNS, as `lookups` of the options says. Without `LOOKUPHOST` and
    /// `LOOKUPSERVICE` among the flags, that of the host.
    ///
    /// `callback` is called as [`query`](Channel::query) does. An address without a name gives
    /// the numbers, unless `NAMEREQD` is among the flags.
    pub fn getnameinfo(
        &self,
        address: SocketAddr,
        flags: NIFlags,
        callback: impl FnOnce(Result<NameInfo>) + Send + 'static,
    ) -> Result<()> {
        let held = self.event_loop.hold()?;
        let (core, callback) = (&self.core, user(callback));
        let wants_host =
            flags.contains(NIFlags::LOOKUPHOST) || !flags.contains(NIFlags::LOOKUPSERVICE);
        if !wants_host || flags.contains(NIFlags::NUMERICHOST) {
            return core.names(&held, address, flags, callback);
        }
        let lookups = core.open(&held, |ares| ares.current.configuration.lookups.value.clone())?;
        match &*lookups {
            "b" => core.names(&held, address, flags, callback),
            "bf" => {
                let weak = core.weak.clone();
                let asked =
                    move |held: &Held, answer: Result<NameInfo>| match (answer, weak.upgrade()) {
                        (Err(error), Some(core)) if !core.is_closed() && is_missing(&error) => {
                            // It fails for a channel that is closed alone.
                            let _ = core.names_from_file(held, address, flags, false, callback);
                        }
                        (answer, _) => callback(held, answer),
                    };
                core.names(&held, address, flags | NIFlags::NAMEREQD, Box::new(asked))
            }
            lookups => core.names_from_file(&held, address, flags, lookups.contains('b'), callback),
        }
    }
}

fn is_missing(error: &Error) -> bool {
    !matches!(error.code(), None | Some(Code::ECANCELLED | Code::EDESTRUCTION))
}

impl Core {
    /// Asks c-ares, which asks servers for the host unless it is to be in numbers.
    fn names(
        &self,
        held: &Held,
        address: SocketAddr,
        flags: NIFlags,
        callback: Callback<NameInfo>,
    ) -> Result<()> {
        self.start(held, Asked { lookup: Names { address, flags }, callback })
    }

    /// The host's name from the file; where it has none, from servers if they are to be asked, or in
    /// numbers.
    fn names_from_file(
        &self,
        held: &Held,
        address: SocketAddr,
        flags: NIFlags,
        servers: bool,
        callback: Callback<NameInfo>,
    ) -> Result<()> {
        let found = self.open(held, |ares| {
            let entry = ares.current.hosts.table(false).by_address(address.ip())?;
            Some(entry.name.to_owned())
        })?;
        let in_numbers = (flags - NIFlags::NAMEREQD) | NIFlags::NUMERICHOST;
        match found {
            Some(name) => {
                let short = flags.contains(NIFlags::NOFQDN);
                let name =
                    if short { without_own_domain(name, host_name().as_deref()) } else { name };
                // The service is c-ares's to name.
                let named = move |held: &Held, answer: Result<NameInfo>| {
                    callback(
                        held,
                        answer.map(|names| NameInfo { node: Some(name.into()), ..names }),
                    );
                };
                self.names(held, address, in_numbers, Box::new(named))
            }
            None if servers => self.names(held, address, flags, callback),
            None if flags.contains(NIFlags::NAMEREQD) => {
                self.end_at_once(held, callback, Err(Code::ENOTFOUND.into()))
            }
            None => self.names(held, address, in_numbers, callback),
        }
    }
}

/// A name without the domain that this host's own name is in.
fn without_own_domain(mut name: String, own: Option<&str>) -> String {
    if let Some((_, domain)) = own.and_then(|own| own.split_once('.'))
        && let Some(start) = name.len().checked_sub(domain.len() + 1)
        && name.is_char_boundary(start)
        && name[start..].strip_prefix('.').is_some_and(|end| end.eq_ignore_ascii_case(domain))
    {
        name.truncate(start);
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_this_host_s_domain_is_short() {
        for (name, own, expected) in [
            ("a.example.com", "b.Example.com", "a"),
            ("a.example.org", "b.example.com", "a.example.org"),
            ("aexample.com", "b.example.com", "aexample.com"),
            ("a", "b.example.com", "a"),
            ("a.example.com", "b", "a.example.com"),
        ] {
            assert_eq!(without_own_domain(name.to_owned(), Some(own)), expected, "{name} {own}");
        }
    }
}
