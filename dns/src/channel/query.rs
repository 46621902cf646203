//! `ares_query_dnsrec`, `ares_search_dnsrec` and `ares_send_dnsrec`: the lookups that a message
//! answers.

use std::sync::atomic::Ordering;

use c_ares::DnsRecord;

use super::Channel;
use super::cache::Place;
use super::core::Core;
use super::lookup::{Asked, Callback, Lookup};
use super::queue::InFlight;
use crate::error::{Error, Result};
use crate::field::Name;
use crate::message::{Flags, Message, Question};
use crate::name;
use crate::options::Options;
use crate::record::{Record, RecordData, data};
use crate::registry::{Opcode, Rcode, RecordClass, RecordType};

/// What c-ares offers as EDNS's size unless told otherwise.
const EDNS_SIZE: u16 = 1232;

struct Query {
    name: Box<str>,
    record_type: RecordType,
    class: RecordClass,
    /// Where its answer is kept.
    place: Option<Place>,
}

impl Lookup for Query {
    type Answer = Message;

    fn ask(self, ares: &mut c_ares::Channel, query: InFlight<Message>) {
        let class = self.class.into();
        let Some(place) = self.place else {
            // What the call returns, the closure has been told.
            let _ = ares.query_dnsrec(&self.name, class, self.record_type.into(), move |answer| {
                query.answer(|| copy(answer));
            });
            return;
        };
        let queue = query.queue().clone();
        let asking = queue.clone();
        asking.asking.store(true, Ordering::Relaxed);
        let _ = ares.query_dnsrec(&self.name, class, self.record_type.into(), move |answer| {
            query.answer(|| {
                let message = copy(answer)?;
                // From inside this call comes what c-ares has kept for a while already.
                if !queue.asking.load(Ordering::Relaxed) {
                    queue.cache.keep(place, &message);
                }
                Ok(message)
            });
        });
        asking.asking.store(false, Ordering::Relaxed);
    }
}

struct Search(DnsRecord);

impl Lookup for Search {
    type Answer = Message;

    fn ask(self, ares: &mut c_ares::Channel, query: InFlight<Message>) {
        let _ = ares.search_dnsrec(&self.0, move |answer| query.answer(|| copy(answer)));
    }
}

struct Sent(DnsRecord);

impl Lookup for Sent {
    type Answer = Message;

    fn ask(self, ares: &mut c_ares::Channel, query: InFlight<Message>) {
        let _ = ares.send_dnsrec(&self.0, move |answer| query.answer(|| copy(answer)));
    }
}

/// c-ares's answer as a value of our own.
pub(crate) fn copy(answer: c_ares::Result<&DnsRecord>) -> Result<Message> {
    Message::try_from(answer?)
}

impl Channel {
    /// Asks for the records of `name` that are of one type, in the class `IN`
    /// ([`query_class`](Channel::query_class) for another).
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
        name::validate(name)?;
        check_class(class)?;
        let _held = self.event_loop.hold()?;
        self.core.query(name, record_type, class, Box::new(callback))
    }

    /// Like [`query_class`](Channel::query_class), but asks for `name` in each of the search
    /// domains too, those of the options or of `resolv.conf`, until one has an answer
    /// (`ares_search_dnsrec`). A name with at least `ndots` dots is asked for as it is first, one
    /// with fewer last, and one that ends in a dot alone.
    pub fn search(
        &self,
        name: &str,
        record_type: RecordType,
        class: RecordClass,
        callback: impl FnOnce(Result<Message>) + Send + 'static,
    ) -> Result<()> {
        name::validate(name)?;
        check_class(class)?;
        let question = question(name, record_type, class, &self.core.options);
        self.start(Search(DnsRecord::try_from(&question)?), Box::new(callback))
    }

    /// Sends a message of the caller's own (`ares_send_dnsrec`). Its id is replaced, and if it has an
    /// OPT record c-ares adds a cookie (RFC 7873).
    ///
    /// `callback` gets whatever message the server sends back, whatever its rcode and records:
    /// a name that does not exist is no error here. SERVFAIL, NOTIMP and REFUSED are, after every
    /// server said so, unless the channel has `ARES_FLAG_NOCHECKRESP`.
    ///
    /// Fails for a message that has not exactly one question, or that c-ares cannot write; one
    /// of more than 65,535 bytes for instance, `ARES_EBADQUERY`.
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
        let name: &str = if question.name.is_empty() { "." } else { &question.name };
        name::validate(name)?;
        check_class(question.class)?;
        let built = DnsRecord::try_from(message)?;
        // c-ares would tell the callback alone.
        message.write(&built)?;
        self.start(Sent(built), Box::new(callback))
    }
}

impl Core {
    /// Asks for a name that was checked. The caller owns the loop.
    pub(crate) fn query(
        &self,
        name: &str,
        record_type: RecordType,
        class: RecordClass,
        callback: Callback<Message>,
    ) -> Result<()> {
        let (kept, place) = self.queue.cache.find(name, record_type, class);
        if let Some(message) = kept {
            return self.end_at_once(callback, message);
        }
        let lookup = Query { name: name.into(), record_type, class, place };
        self.start(Asked { lookup, callback })
    }
}

/// Says whether c-ares can ask in a class.
pub(crate) fn check_class(class: RecordClass) -> Result<()> {
    let known = RecordClass::ALL.iter().any(|(_, known)| *known == class);
    let rule = || format!("c-ares cannot ask in class {class}: IN, CHAOS, HS, NONE, ANY");
    if known { Ok(()) } else { Err(Error::Invalid(rule())) }
}

/// The question that `ares_query` would make of these.
fn question(name: &str, record_type: RecordType, class: RecordClass, options: &Options) -> Message {
    let channel_flags = options.flags.unwrap_or(c_ares::Flags::EDNS);
    let recurse = !channel_flags.contains(c_ares::Flags::NORECURSE);
    let edns = channel_flags.contains(c_ares::Flags::EDNS).then(|| Record {
        name: Name::default(),
        class: RecordClass::IN,
        ttl: 0,
        data: RecordData::OPT(data::OPT {
            udp_size: options.edns_size.unwrap_or(EDNS_SIZE),
            version: 0,
            flags: 0,
            options: Box::default(),
        }),
    });
    Message {
        id: 0,
        flags: if recurse { Flags::RD } else { Flags::default() },
        opcode: Opcode::QUERY,
        rcode: Rcode::NOERROR,
        question: Box::from([Question { name: name.into(), record_type, class }]),
        answer: Box::default(),
        authority: Box::default(),
        additional: edns.into_iter().collect(),
    }
}
