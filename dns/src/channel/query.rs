//! `ares_query_dnsrec` and `ares_send_dnsrec`: the lookups that a message answers.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::atomic::Ordering;

use pyuv::Held;

use super::Channel;
use super::cache::Place;
use super::core::Core;
use super::lookup::{Asked, Callback, Lookup, callback as user};
use super::queue::InFlight;
use crate::engine::Engine;
use crate::error::{Code, Error, Result};
use crate::message::{Flags, Message, Question};
use crate::record::{Record, RecordData, data};
use crate::registry::{Opcode, Rcode, RecordClass, RecordType};
use crate::{idna, search};

struct Query {
    name: Box<str>,
    record_type: RecordType,
    class: RecordClass,
    /// Where its answer is kept.
    place: Option<Place>,
}

impl Lookup for Query {
    type Answer = Message;

    fn ask(self, ares: &mut Engine, query: InFlight<Message>) {
        let (record_type, class) = (self.record_type, self.class);
        let Some(place) = self.place else {
            ares.query(&self.name, record_type, class, |answer| query.answer(|_| answer.read()));
            return;
        };
        let queue = query.queue().clone();
        let asking = queue.clone();
        asking.asking.store(true, Ordering::Relaxed);
        ares.query(&self.name, record_type, class, move |answer| {
            query.answer(|held| {
                let message = answer.read()?;
                // From inside this call comes what c-ares has kept for a while already.
                if !queue.asking.load(Ordering::Relaxed) {
                    queue.cache(held).keep(place, &message);
                }
                Ok(message)
            });
        });
        asking.asking.store(false, Ordering::Relaxed);
    }
}

struct Sent(Message);

impl Lookup for Sent {
    type Answer = Message;

    fn ask(self, ares: &mut Engine, query: InFlight<Message>) {
        ares.send(&self.0, |answer| query.answer(|_| answer.read()));
    }
}

impl Channel {
    /// Asks for the records of `name` that are of one type, in the class `IN`
    /// ([`query_class`](Channel::query_class) for another).
    ///
    /// `name` is encoded with IDNA where it is not ASCII; a label may be any bytes, by `\DDD`.
    /// No server is asked for `localhost` and what is within it (RFC 6761): their addresses are those of
    /// this host.
    ///
    /// `callback` is called once, by the loop, never from inside this call: with the answer, or
    /// with `ARES_ENOTFOUND` for a name that does not exist, `ARES_ENODATA` where it has no such
    /// records, `ARES_ETIMEOUT` when nobody answered after `timeout` x `tries`, and so on.
    ///
    /// The error names a name that cannot be asked for; `callback` is dropped then.
    pub fn query(
        &self,
        name: &str,
        record_type: RecordType,
        callback: impl FnOnce(Result<Message>) + Send + 'static,
    ) -> Result<()> {
        self.query_class(name, record_type, RecordClass::IN, callback)
    }

    /// The same in any class that c-ares asks in: `IN`, `CHAOS`, `HS`, `NONE`, `ANY`
    /// (`ares_query_dnsrec`).
    pub fn query_class(
        &self,
        name: &str,
        record_type: RecordType,
        class: RecordClass,
        callback: impl FnOnce(Result<Message>) + Send + 'static,
    ) -> Result<()> {
        let name = idna::to_ask(name)?;
        check_class(class)?;
        let held = self.event_loop.hold()?;
        self.core.query(&held, &name, record_type, class, user(callback))
    }

    /// Sends a message of the caller's own (`ares_send_dnsrec`). Its id is replaced, and if it has an
    /// OPT record c-ares adds a cookie (RFC 7873).
    ///
    /// `callback` gets whatever message the server sends back, whatever its rcode and records:
    /// a name that does not exist is no error here. SERVFAIL, NOTIMP and REFUSED are, after every
    /// server said so, unless the channel has `ARES_FLAG_NOCHECKRESP`.
    ///
    /// Fails for a message that has not exactly one question, or that cannot be written
    /// ([`Message::to_bytes`]).
    pub fn send(
        &self,
        message: &Message,
        callback: impl FnOnce(Result<Message>) + Send + 'static,
    ) -> Result<()> {
        let [question] = &*message.question else {
            let count = message.question.len();
            let rule = format!("a message to send has one question, this has {count}");
            return Err(Error::Invalid(rule));
        };
        check_class(question.class)?;
        message.to_bytes()?;
        self.start(Sent(message.clone()), user(callback))
    }
}

impl Core {
    /// Asks for a name that was checked.
    pub(crate) fn query(
        &self,
        held: &Held,
        name: &str,
        record_type: RecordType,
        class: RecordClass,
        callback: Callback<Message>,
    ) -> Result<()> {
        if let Some(answer) = synthesized(name, record_type, class) {
            return self.end_at_once(held, callback, answer);
        }
        let (kept, place) = self.queue.cache(held).find(name, record_type, class);
        if let Some(message) = kept {
            return self.end_at_once(held, callback, Ok(message));
        }
        let lookup = Query { name: name.into(), record_type, class, place };
        self.start(held, Asked { lookup, callback })
    }
}

/// The answer to a question that no server is asked: about this host by definition (RFC 6761, 6.3).
pub(crate) fn synthesized(
    name: &str,
    record_type: RecordType,
    class: RecordClass,
) -> Option<Result<Message>> {
    if class != RecordClass::IN || !search::is_localhost(name) {
        return None;
    }
    let data = match record_type {
        RecordType::A => RecordData::A(data::A { addr: Ipv4Addr::LOCALHOST }),
        RecordType::AAAA => RecordData::AAAA(data::AAAA { addr: Ipv6Addr::LOCALHOST }),
        _ => return Some(Err(Code::ENODATA.into())),
    };
    let name = crate::field::Name::from(name);
    Some(Ok(Message {
        id: 0,
        flags: Flags::QR | Flags::AA | Flags::RD | Flags::RA,
        opcode: Opcode::QUERY,
        rcode: Rcode::NOERROR,
        question: Box::from([Question { name: name.clone(), record_type, class }]),
        answer: Box::from([Record { name, class, ttl: 0, data }]),
        authority: Box::default(),
        additional: Box::default(),
    }))
}

/// Says whether c-ares can ask in a class.
pub(crate) fn check_class(class: RecordClass) -> Result<()> {
    let known = RecordClass::ALL.iter().any(|(_, known)| *known == class);
    let rule = || format!("c-ares cannot ask in class {class}: IN, CHAOS, HS, NONE, ANY");
    if known { Ok(()) } else { Err(Error::Invalid(rule())) }
}
