//! A question in each of the search domains, until one has an answer (`ares_search_dnsrec`).
//!
//! c-ares's own search gives up where one domain makes the name too long. So the domains are gone
//! through here, each a query of its own.

use std::collections::VecDeque;
use std::sync::Weak;

use pyuv::Held;

use super::Channel;
use super::core::Core;
use super::lookup::{Callback, callback as user};
use crate::error::{Code, Error, Result};
use crate::message::Message;
use crate::registry::{RecordClass, RecordType};
use crate::{idna, search};

struct Search {
    core: Weak<Core>,
    /// What is still to be asked for.
    names: VecDeque<String>,
    record_type: RecordType,
    class: RecordClass,
    /// One of the names exists, and has no such records.
    exists: bool,
    callback: Callback<Message>,
}

impl Channel {
    /// Like [`query_class`](Channel::query_class), but asks for `name` in each of the search
    /// domains too, those of the options or of `resolv.conf`, until one has an answer. A name with at
    /// least `ndots` dots is asked for as it is first, one with fewer last, and one that ends in a dot
    /// alone. A domain that would make the name too long is passed over.
    pub fn search(
        &self,
        name: &str,
        record_type: RecordType,
        class: RecordClass,
        callback: impl FnOnce(Result<Message>) + Send + 'static,
    ) -> Result<()> {
        let name = idna::to_ask(name)?;
        super::check_class(class)?;
        let held = self.event_loop.hold()?;
        let names = if search::is_localhost(&name) {
            vec![name.into_owned()]
        } else {
            self.core.open(&held, |ares| search::names(&name, &ares.current))?
        };
        let search = Search {
            core: self.core.weak.clone(),
            names: names.into(),
            record_type,
            class,
            exists: false,
            callback: user(callback),
        };
        search.next(&held, &self.core, Code::ENOTFOUND.into())
    }
}

impl Search {
    /// Asks for the next name; without one the search has failed with `error`.
    fn next(mut self, held: &Held, core: &Core, error: Error) -> Result<()> {
        let Some(name) = self.names.pop_front() else {
            let nothing = error.code() == Some(Code::ENOTFOUND) && self.exists;
            let error = if nothing { Code::ENODATA.into() } else { error };
            return core.end_at_once(held, self.callback, Err(error));
        };
        if search::is_onion(&name) {
            return self.next(held, core, Code::ENOTFOUND.into());
        }
        let (record_type, class) = (self.record_type, self.class);
        let single = !name.trim_end_matches('.').contains('.');
        let answered = move |held: &Held, answer| self.answered(held, answer, single);
        core.query(held, &name, record_type, class, Box::new(answered))
    }

    /// An answer came, to a name of a single label or another.
    fn answered(mut self, held: &Held, answer: Result<Message>, single: bool) {
        let code = answer.as_ref().err().and_then(Error::code);
        let goes_on = match code {
            Some(Code::ENODATA | Code::ENOTFOUND) => true,
            // systemd-resolved says that of every name without a dot.
            Some(Code::ESERVFAIL | Code::EREFUSED) => single,
            _ => false,
        };
        self.exists |= code == Some(Code::ENODATA);
        match (answer, self.core.upgrade()) {
            (Err(error), Some(core)) if goes_on && !core.is_closed() && !self.is_over() => {
                // It fails for a channel that is closed alone.
                let _ = self.next(held, &core, error);
            }
            (Err(error), _) if error.code() == Some(Code::ENOTFOUND) && self.exists => {
                (self.callback)(held, Err(Code::ENODATA.into()));
            }
            (answer, _) => (self.callback)(held, answer),
        }
    }

    fn is_over(&self) -> bool {
        self.names.is_empty()
    }
}
