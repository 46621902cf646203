//! A c-ares channel with what it goes by, and with its sockets in our hands.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use c_ares::{DnsFlags, DnsOpcode, DnsRcode, DnsRecord, DnsRrKey, DnsSection};

use crate::configuration::Configuration;
use crate::error::{Code, Error, Result};
use crate::field::Name;
use crate::hosts::Hosts;
use crate::message::{Flags, Message, Question};
use crate::name;
use crate::record::{Record, RecordData, data};
use crate::registry::{Opcode, Rcode, RecordClass, RecordType};
use crate::transport::Transport;

/// What c-ares offers as EDNS's size unless told otherwise.
const EDNS_SIZE: u16 = 1232;

/// A c-ares channel.
pub(crate) struct Engine {
    /// Dropped before the transport, which its sockets go through.
    channel: c_ares::Channel,
    transport: Arc<Transport>,
    pub(crate) configuration: Arc<Configuration>,
    pub(crate) hosts: Hosts,
    flags: c_ares::Flags,
    edns_size: u16,
}

impl Deref for Engine {
    type Target = c_ares::Channel;

    fn deref(&self) -> &c_ares::Channel {
        &self.channel
    }
}

impl DerefMut for Engine {
    fn deref_mut(&mut self) -> &mut c_ares::Channel {
        &mut self.channel
    }
}

/// What c-ares has for a question.
pub(crate) struct Answer<'a> {
    transport: &'a Transport,
    answer: c_ares::Result<&'a DnsRecord>,
    number: Option<u16>,
    /// Where an answer that has no records, or that says that there is no such name, is an error.
    of_query: bool,
}

impl Answer<'_> {
    pub(crate) fn read(self) -> Result<Message> {
        let message = self.transport.answer(self.answer, self.number)?;
        match status(&message) {
            Some(code) if self.of_query => Err(code.into()),
            _ => Ok(message),
        }
    }
}

/// What `ares_query` makes of an answer.
fn status(message: &Message) -> Option<Code> {
    match message.rcode {
        Rcode::NOERROR if message.answer.is_empty() => Some(Code::ENODATA),
        Rcode::FORMERR => Some(Code::EFORMERR),
        Rcode::SERVFAIL => Some(Code::ESERVFAIL),
        Rcode::NXDOMAIN => Some(Code::ENOTFOUND),
        Rcode::NOTIMP => Some(Code::ENOTIMP),
        Rcode::REFUSED => Some(Code::EREFUSED),
        _ => None,
    }
}

impl Engine {
    /// Has c-ares's sockets in our hands. It has not opened any.
    pub(crate) fn new(
        channel: c_ares::Channel,
        configuration: Configuration,
        options: &crate::Options,
        has_thread: bool,
    ) -> Engine {
        let transport = Transport::install(&channel, has_thread);
        transport.explain_no_server(configuration.why_no_server());
        Engine {
            transport,
            channel,
            hosts: Hosts::new(options.hosts_path.as_deref()),
            configuration: Arc::new(configuration),
            flags: options.flags.unwrap_or(c_ares::Flags::EDNS),
            edns_size: options.edns_size.unwrap_or(EDNS_SIZE),
        }
    }

    /// Whether there are search domains to be gone through.
    pub(crate) fn searches(&self) -> bool {
        !self.flags.contains(c_ares::Flags::NOSEARCH)
    }

    /// Whether the file of aliases is read (`HOSTALIASES`).
    pub(crate) fn has_aliases(&self) -> bool {
        !self.flags.contains(c_ares::Flags::NOALIASES)
    }

    /// Asks for the records of a name that was checked (`ares_query_dnsrec`). `answered` may be called
    /// from inside this call.
    pub(crate) fn query(
        &mut self,
        name: &str,
        record_type: RecordType,
        class: RecordClass,
        answered: impl FnOnce(Answer<'_>) + Send + 'static,
    ) {
        if !name::is_host(name) {
            let question = Question { name: name.into(), record_type, class };
            return self.ask(&self.message(question), true, answered);
        }
        let number = Number::default();
        let callback = on_answer(&self.transport, &number, true, answered);
        // An error that the call returns, the closure has been told.
        let asked = self.channel.query_dnsrec(name, class.into(), record_type.into(), callback);
        number.set(asked, &self.transport);
    }

    /// Sends a message with one question that can be written (`ares_send_dnsrec`). `answered` may be
    /// called from inside this call.
    pub(crate) fn send(
        &mut self,
        message: &Message,
        answered: impl FnOnce(Answer<'_>) + Send + 'static,
    ) {
        self.ask(message, false, answered);
    }

    fn ask(
        &mut self,
        message: &Message,
        of_query: bool,
        answered: impl FnOnce(Answer<'_>) + Send + 'static,
    ) {
        let transport = self.transport.clone();
        let placeholder = if c_ares_writes(message) {
            None
        } else {
            let Some(placeholder) = transport.place(message.clone()) else {
                let answer = Err(c_ares::Error::EBADQUERY);
                return answered(Answer { transport: &transport, answer, number: None, of_query });
            };
            Some(placeholder)
        };
        let built = match &placeholder {
            None => to_c_ares(message, &message.question[0]),
            Some(placeholder) => {
                let class = message.question[0].class;
                let question = Question {
                    name: placeholder.name(),
                    record_type: placeholder.record_type,
                    class,
                };
                to_c_ares(message, &question)
            }
        };
        let number = Number::default();
        let callback = on_answer(&transport, &number, of_query, answered);
        let displacing = transport.clone();
        let callback = move |answer: c_ares::Result<&DnsRecord>| {
            if let Some(placeholder) = placeholder {
                displacing.displace(&placeholder);
            }
            callback(answer);
        };
        match built {
            Ok(built) => {
                let asked = self.channel.send_dnsrec(&built, callback);
                number.set(asked, &transport);
            }
            Err(error) => callback(Err(error)),
        }
    }

    /// The question that `ares_query` would make of this one.
    fn message(&self, question: Question) -> Message {
        let recurse = !self.flags.contains(c_ares::Flags::NORECURSE);
        let edns = self.flags.contains(c_ares::Flags::EDNS).then(|| Record {
            name: Name::default(),
            class: RecordClass::IN,
            ttl: 0,
            data: RecordData::OPT(data::OPT {
                udp_size: self.edns_size,
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
            question: Box::from([question]),
            answer: Box::default(),
            authority: Box::default(),
            additional: edns.into_iter().collect(),
        }
    }

    pub(crate) fn configuration_mut(&mut self) -> &mut Configuration {
        Arc::make_mut(&mut self.configuration)
    }

    /// Lets go of what was asked, when nothing is.
    pub(crate) fn tidy(&self) {
        if self.channel.queue_active_queries() == 0 {
            self.transport.forget();
        }
    }

    /// Has these servers asked, which c-ares can read.
    pub(crate) fn ask_servers(&mut self, csv: &str) -> Result<()> {
        self.channel.set_servers([csv]).map_err(|error| Error::new(error, csv.to_owned()))?;
        Ok(())
    }
}

/// The number that c-ares gives a question, which its callback wants to know.
#[derive(Clone, Default)]
struct Number(Arc<AtomicU32>);

impl Number {
    /// There is a number.
    const SET: u32 = 1 << 16;
    /// The callback was called.
    const OVER: u32 = 1 << 17;

    /// Remembers the number of a question that is on its way.
    fn set(&self, asked: c_ares::Result<u16>, transport: &Transport) {
        if let Ok(number) = asked
            && self.0.fetch_or(Number::SET | u32::from(number), Ordering::AcqRel) & Number::OVER
                == 0
        {
            transport.expect(number);
        }
    }

    /// Takes the number, at the end.
    fn take(&self) -> Option<u16> {
        let number = self.0.fetch_or(Number::OVER, Ordering::AcqRel);
        (number & Number::SET != 0).then_some(number as u16)
    }
}

fn on_answer(
    transport: &Arc<Transport>,
    number: &Number,
    of_query: bool,
    answered: impl FnOnce(Answer<'_>) + Send + 'static,
) -> impl FnOnce(c_ares::Result<&DnsRecord>) + Send + 'static {
    let (transport, number) = (transport.clone(), number.clone());
    move |answer| {
        answered(Answer { transport: &transport, answer, number: number.take(), of_query });
    }
}

/// Whether c-ares writes a message as it is: a question about a host, and no more than an OPT record
/// with each option once.
fn c_ares_writes(message: &Message) -> bool {
    let plain = Flags::RD | Flags::AD | Flags::CD;
    let once = |options: &crate::field::Options| {
        let mut numbers: Vec<_> = options.iter().map(|(option, _)| option).collect();
        numbers.sort_unstable();
        numbers.windows(2).all(|pair| pair[0] != pair[1])
    };
    let opt_alone = match &*message.additional {
        [] => true,
        [record] => matches!(&record.data, RecordData::OPT(opt) if once(&opt.options)),
        _ => false,
    };
    opt_alone
        && message.answer.is_empty()
        && message.authority.is_empty()
        && message.opcode == Opcode::QUERY
        && message.rcode == Rcode::NOERROR
        && plain.contains(message.flags)
        && name::is_host(&message.question[0].name)
}

/// A question, and a message's OPT record, as c-ares has them.
fn to_c_ares(message: &Message, question: &Question) -> c_ares::Result<DnsRecord> {
    let mut flags = DnsFlags::empty();
    for (ours, theirs) in
        [(Flags::RD, DnsFlags::RD), (Flags::AD, DnsFlags::AD), (Flags::CD, DnsFlags::CD)]
    {
        flags.set(theirs, message.flags.contains(ours));
    }
    let mut built = DnsRecord::new(message.id, flags, DnsOpcode::Query, DnsRcode::NoError)?;
    built.query_add(&question.name, question.record_type.into(), question.class.into())?;
    if let Some(opt) = message.opt() {
        let kind = c_ares::DnsRecordType::OPT;
        let rr = built.rr_add(DnsSection::Additional, "", kind, c_ares::DnsCls::IN, 0)?;
        rr.set_u16(DnsRrKey::OPT_UDP_SIZE, opt.udp_size)?;
        rr.set_u8(DnsRrKey::OPT_VERSION, opt.version)?;
        rr.set_u16(DnsRrKey::OPT_FLAGS, opt.flags)?;
        for (option, value) in &opt.options {
            rr.set_opt(DnsRrKey::OPT_OPTIONS, *option, value)?;
        }
    }
    Ok(built)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn asking(name: &str) -> Message {
        Message {
            id: 7,
            flags: Flags::RD,
            opcode: Opcode::QUERY,
            rcode: Rcode::NOERROR,
            question: Box::from([Question {
                name: name.into(),
                record_type: RecordType::SRV,
                class: RecordClass::IN,
            }]),
            answer: Box::default(),
            authority: Box::default(),
            additional: Box::default(),
        }
    }

    #[test]
    fn what_c_ares_writes() {
        let address = RecordData::A(data::A { addr: Ipv4Addr::LOCALHOST });
        let record = Record { name: "x".into(), class: RecordClass::IN, ttl: 0, data: address };
        assert!(c_ares_writes(&asking("_x._tcp.example.com")));
        assert!(c_ares_writes(&asking("")));
        for message in [
            asking("a b"),
            Message { opcode: Opcode::UPDATE, ..asking("x") },
            Message { flags: Flags::AA, ..asking("x") },
            Message { rcode: Rcode::REFUSED, ..asking("x") },
            Message { authority: Box::from([record.clone()]), ..asking("x") },
            Message { additional: Box::from([record]), ..asking("x") },
        ] {
            assert!(!c_ares_writes(&message), "{message:?}");
        }
    }

    #[test]
    fn what_c_ares_is_given_is_what_is_meant() {
        let options = Box::from([(3, Box::default()), (65001, Box::from(*b"x"))]);
        let opt = RecordData::OPT(data::OPT { udp_size: 4096, version: 0, flags: 0x8000, options });
        let opt = Record { name: "".into(), class: RecordClass::IN, ttl: 0, data: opt };
        let message = Message { additional: Box::from([opt]), ..asking("x.example") };
        let built = to_c_ares(&message, &message.question[0]).unwrap();
        assert_eq!(Message::parse(&built.write().unwrap()), Ok(message));
    }
}
