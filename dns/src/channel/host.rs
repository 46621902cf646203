//! Where hosts are looked up: the hosts file and DNS, in the order that `lookups` says.
//!
//! c-ares does the part of it that servers are asked for, a name at a time. The file, the search
//! domains and the names of this host are gone through here: see [`hosts`](crate::hosts) and
//! [`search`](crate::search).

use std::collections::VecDeque;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::sync::{Arc, Weak};

use c_ares::AddressFamily;
use pyuv::Held;

use super::core::Core;
use super::lookup::{Answer, Callback};
use crate::engine::Engine;
use crate::error::{Code, Error, Result};
use crate::hosts::Table;
use crate::numeric::system_ipv4;
use crate::{search, server};

/// A place to look.
pub(crate) enum Step {
    File,
    /// Servers, for this name alone.
    Servers(String),
}

/// The places to look for a name that was checked.
pub(crate) fn steps(name: &str, engine: &Engine) -> VecDeque<Step> {
    let mut steps = VecDeque::new();
    if search::is_onion(name) {
        return steps;
    }
    for place in engine.configuration.lookups.value.chars() {
        match place {
            'f' => steps.push_back(Step::File),
            _ => steps.extend(search::names(name, engine).into_iter().map(|mut name| {
                // c-ares shall not search once more.
                if !name.ends_with('.') {
                    name.push('.');
                }
                Step::Servers(name)
            })),
        }
    }
    steps
}

/// A lookup of a host on its way from place to place.
pub(crate) struct HostLookup<A: Answer> {
    core: Weak<Core>,
    steps: VecDeque<Step>,
    /// The file is the one that the environment names.
    from_environment: bool,
    find: Finding<A>,
    ask: Asking<A>,
    /// What the lookup fails with if nothing is found.
    error: Error,
    callback: Callback<A>,
}

type Finding<A> = Box<dyn FnMut(&Table) -> Option<A> + Send>;
type Asking<A> = Arc<dyn Fn(&Core, &Held, String, Callback<A>) -> Result<()> + Send + Sync>;

impl Core {
    /// Looks for a host: `find` in the file, `ask` by asking servers for a name.
    pub(crate) fn look_up<A: Answer>(
        &self,
        held: &Held,
        steps: VecDeque<Step>,
        from_environment: bool,
        find: impl FnMut(&Table) -> Option<A> + Send + 'static,
        ask: impl Fn(&Core, &Held, String, Callback<A>) -> Result<()> + Send + Sync + 'static,
        callback: Callback<A>,
    ) -> Result<()> {
        let lookup = HostLookup {
            core: self.weak.clone(),
            steps,
            from_environment,
            find: Box::new(find),
            ask: Arc::new(ask),
            error: Code::ENOTFOUND.into(),
            callback,
        };
        lookup.next(held, self)
    }
}

impl<A: Answer> HostLookup<A> {
    fn next(mut self, held: &Held, core: &Core) -> Result<()> {
        while let Some(step) = self.steps.pop_front() {
            match step {
                Step::File => {
                    let (environment, find) = (self.from_environment, &mut self.find);
                    let found =
                        core.open(held, |ares| find(ares.current.hosts.table(environment)))?;
                    if let Some(answer) = found {
                        return core.end_at_once(held, self.callback, Ok(answer));
                    }
                }
                Step::Servers(name) => {
                    let ask = self.ask.clone();
                    let single = name.find('.') == Some(name.len() - 1);
                    let answered = move |held: &Held, answer| self.answered(held, answer, single);
                    return ask(core, held, name, Box::new(answered));
                }
            }
        }
        core.end_at_once(held, self.callback, Err(self.error))
    }

    /// Servers have answered, for a name of a single label or another.
    fn answered(mut self, held: &Held, answer: Result<A>, single: bool) {
        let error = match answer {
            Ok(answer) => return (self.callback)(held, Ok(answer)),
            Err(error) => error,
        };
        match error.code() {
            None | Some(Code::ECANCELLED | Code::EDESTRUCTION) => self.steps.clear(),
            // That the name exists is worth more than that another does not.
            Some(Code::ENOTFOUND) if self.error.code() == Some(Code::ENODATA) => {}
            Some(code) => {
                self.error = error.clone();
                let goes_on = match code {
                    Code::ENOTFOUND | Code::ENODATA => true,
                    // systemd-resolved says that of every name without a dot.
                    Code::ESERVFAIL | Code::EREFUSED => single,
                    _ => false,
                };
                if !goes_on {
                    self.steps.retain(|step| matches!(step, Step::File));
                }
            }
        }
        match self.core.upgrade() {
            Some(core) if !self.steps.is_empty() && !core.is_closed() => {
                // It fails for a channel that is closed alone.
                let _ = self.next(held, &core);
            }
            _ if error.code() == Some(Code::ENOTFOUND) => (self.callback)(held, Err(self.error)),
            _ => (self.callback)(held, Err(error)),
        }
    }
}

/// The address that a text is in numbers, as the system reads it: with an interface behind `%`
/// (RFC 4007, 11). `None` for any other text, an error for one with an interface that is none.
pub(crate) fn numeric(text: &str, port: u16) -> Option<Result<SocketAddr>> {
    if let Some(address) = system_ipv4(text) {
        return Some(Ok((address, port).into()));
    }
    let (address, interface) = match text.split_once('%') {
        Some((address, interface)) => (address, Some(interface)),
        None => (text, None),
    };
    let address: Ipv6Addr = address.parse().ok()?;
    let by_name = address.is_unicast_link_local() || address.is_multicast();
    let scope = match interface {
        None => Some(0),
        Some(interface) => match interface.parse() {
            Ok(number) => Some(number),
            Err(_) if by_name => server::interface_number(interface),
            Err(_) => None,
        },
    };
    let unknown = || Error::new(Code::ENOTFOUND, format!("no such interface: {text:?}"));
    Some(scope.map(|scope| SocketAddrV6::new(address, port, 0, scope).into()).ok_or_else(unknown))
}

/// Whether an address is of a family, or any will do.
pub(crate) fn is_of(address: &SocketAddr, family: AddressFamily) -> bool {
    match family {
        AddressFamily::INET => address.is_ipv4(),
        AddressFamily::INET6 => address.is_ipv6(),
        _ => true,
    }
}

/// This host's own addresses.
pub(crate) const LOOPBACK: [SocketAddr; 2] = [
    SocketAddr::new(std::net::IpAddr::V6(Ipv6Addr::LOCALHOST), 0),
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_in_numbers_are_what_the_system_takes_them_for() {
        for (text, expected) in [
            ("192.0.2.1", "192.0.2.1:53"),
            ("010.0.0.1", "8.0.0.1:53"),
            ("::1", "[::1]:53"),
            ("fe80::1", "[fe80::1]:53"),
            ("fe80::1%7", "[fe80::1%7]:53"),
            ("2001:db8::1%7", "[2001:db8::1%7]:53"),
        ] {
            assert_eq!(numeric(text, 53), Some(Ok(expected.parse().unwrap())), "{text}");
        }
        for text in ["", "example.com", "1.2.3.4.5", "::1::", "%lo", "192.0.2.1%lo"] {
            assert_eq!(numeric(text, 53), None, "{text}");
        }
        for text in ["fe80::1%no-such-interface", "2001:db8::1%lo"] {
            assert!(numeric(text, 53).is_some_and(|found| found.is_err()), "{text}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn an_interface_has_a_name() {
        let Some(Ok(SocketAddr::V6(address))) = numeric("fe80::1%lo", 0) else {
            panic!("no address")
        };
        assert_eq!(address.scope_id(), 1);
    }
}
