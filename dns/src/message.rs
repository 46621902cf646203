//! A DNS message: header, question and three sections of records.

use std::fmt;

use bitflags::bitflags;

use crate::error::{Code, Error, Result};
use crate::field::Name;
use crate::record::{Found, Record, RecordData};
use crate::registry::{Opcode, Rcode, RecordClass, RecordType};
use crate::wire::{HEADER, MAX_MESSAGE, Malformed, Reader, Writer};

bitflags! {
    /// The flags of a message's header, at the bits they have on the wire.
    #[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub struct Flags: u16 {
        /// This is a response.
        const QR = 0x8000;
        /// The server is an authority for the name.
        const AA = 0x0400;
        /// The answer did not fit: it is truncated.
        const TC = 0x0200;
        /// Recursion is wished for.
        const RD = 0x0100;
        /// Recursion can be had.
        const RA = 0x0080;
        /// All data was validated (DNSSEC).
        const AD = 0x0020;
        /// The server shall not validate (DNSSEC).
        const CD = 0x0010;
    }
}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.iter_names().map(|(name, _)| name).collect();
        write!(f, "Flags({})", names.join("|"))
    }
}

/// What a message asks.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Question {
    /// The name asked for.
    pub name: Name,
    /// The type asked for.
    pub record_type: RecordType,
    /// The class asked for.
    pub class: RecordClass,
}

/// A DNS message.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Message {
    /// The query's number, which its answer repeats.
    pub id: u16,
    /// The header's flags.
    pub flags: Flags,
    /// The kind of message.
    pub opcode: Opcode,
    /// How the server answered; with EDNS, all 12 bits.
    pub rcode: Rcode,
    /// What was asked: one question in nearly every message, none in a multicast answer.
    pub question: Box<[Question]>,
    /// The records that answer the question.
    pub answer: Box<[Record]>,
    /// The records that name an authority.
    pub authority: Box<[Record]>,
    /// The records that may help, EDNS's OPT among them.
    pub additional: Box<[Record]>,
}

/// A message as it was read, and what c-ares would make of it.
pub(crate) struct Parsed {
    pub(crate) message: Message,
    /// The records in their order.
    pub(crate) records: Vec<Placed>,
    /// Where the first question ends.
    pub(crate) question_end: usize,
    /// Where the message ends. What follows is nothing of it.
    pub(crate) end: usize,
}

/// Where a record stands in a message.
pub(crate) struct Placed {
    pub(crate) record_type: RecordType,
    /// Where its type stands.
    pub(crate) type_at: usize,
    /// Its type is one that is read, and does not allow its data.
    pub(crate) odd: bool,
}

impl Message {
    /// Parses a message from the wire. A record whose data is not as its type allows it is
    /// [`RecordData::Raw`].
    ///
    /// Fails with `ARES_EBADRESP` for bytes that are no message. The error says which record cannot be
    /// read.
    pub fn parse(wire: &[u8]) -> Result<Message> {
        Message::read(wire).map(|parsed| parsed.message).map_err(|fault| {
            let what = format!("{} bytes are not a DNS message: {fault}", wire.len());
            Error::new(Code::EBADRESP, what)
        })
    }

    /// Reads a message; the error says what cannot be read.
    pub(crate) fn read(bytes: &[u8]) -> std::result::Result<Parsed, String> {
        let mut wire = Reader::new(bytes);
        let cut = |_: Malformed| "the header is cut short".to_owned();
        if bytes.len() > MAX_MESSAGE {
            return Err(format!("{MAX_MESSAGE} is the most"));
        }
        let mut number = || wire.u16().map_err(cut);
        let (id, bits) = (number()?, number()?);
        let counts = [number()?, number()?, number()?, number()?];
        let mut question = Vec::with_capacity(1);
        let mut question_end = HEADER;
        for position in 0..counts[0] {
            let read = Question::read(&mut wire);
            question.push(read.map_err(|fault| format!("question {}: {}", position + 1, fault.0))?);
            if position == 0 {
                question_end = wire.at();
            }
        }
        let (mut records, mut rcode, mut opts) = (Vec::new(), bits & 0xf, 0);
        let mut section = |title: &str, count: u16| {
            // The least that a record takes, so that a count alone does not make room.
            let mut found = Vec::with_capacity(usize::from(count).min(wire.left() / 11));
            for position in 0..count {
                let read = Record::read(&mut wire)
                    .map_err(|fault| format!("{title} record {}, {fault}", position + 1))?;
                let Found { record, type_at, odd, rcode: high } = read;
                if matches!(record.data, RecordData::OPT(_)) {
                    opts += 1;
                    rcode |= high << 4;
                }
                records.push(Placed { record_type: record.record_type(), type_at, odd });
                found.push(record);
            }
            Ok::<_, String>(found.into_boxed_slice())
        };
        let message = Message {
            id,
            flags: Flags::from_bits_truncate(bits),
            opcode: Opcode(bits >> 11 & 0xf),
            question: question.into(),
            answer: section("answer", counts[1])?,
            authority: section("authority", counts[2])?,
            additional: section("additional", counts[3])?,
            rcode: Rcode(rcode),
        };
        if opts > 1 {
            return Err("it has more than one OPT record (RFC 6891, 6.1.1)".to_owned());
        }
        let end = wire.at();
        Ok(Parsed { message, records, question_end, end })
    }

    /// The message as it goes on the wire, names compressed.
    ///
    /// The error names the record that cannot be written, or says that the message is too long.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut wire = Writer::default();
        let (opcode, rcode) = (self.opcode.0, self.rcode.0);
        if opcode > 0xf {
            return Err(Error::Invalid(format!("opcode {opcode} is not between 0 and 15")));
        }
        let has_opt = self.additional.iter().any(|record| record.record_type() == RecordType::OPT);
        let most = if has_opt { 0xfff } else { 0xf };
        if rcode > most {
            let rule = if has_opt {
                "is more than 4095"
            } else {
                "is more than 15, and there is no OPT record"
            };
            return Err(Error::Invalid(format!("response code {} {rule}", self.rcode)));
        }
        let sections = [&self.answer, &self.authority, &self.additional];
        wire.u16(self.id);
        wire.u16(self.flags.bits() | opcode << 11 | rcode & 0xf);
        let lengths = sections.map(|section| section.len());
        for length in [self.question.len()].into_iter().chain(lengths) {
            let count = u16::try_from(length).map_err(|_| {
                Error::Invalid(format!("{length} in one section: {MAX_MESSAGE} is the most"))
            })?;
            wire.u16(count);
        }
        for question in &self.question {
            question.write(&mut wire)?;
        }
        for record in sections.into_iter().flatten() {
            record.write(&mut wire, rcode >> 4)?;
        }
        wire.finish()
    }

    /// The OPT record's data, if there is one.
    pub(crate) fn opt(&self) -> Option<&crate::record::data::OPT> {
        self.additional.iter().find_map(|record| match &record.data {
            RecordData::OPT(opt) => Some(opt),
            _ => None,
        })
    }
}

impl Question {
    fn read(wire: &mut Reader<'_>) -> std::result::Result<Question, Malformed> {
        let name = wire.name()?;
        let record_type = RecordType(wire.u16()?);
        Ok(Question { name, record_type, class: RecordClass(wire.u16()?) })
    }

    pub(crate) fn write(&self, wire: &mut Writer) -> Result<()> {
        wire.pointers = true;
        wire.name(&self.name)?;
        wire.u16(self.record_type.0);
        wire.u16(self.class.0);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::field::Text;
    use crate::record::{Raw, RecordData, data};

    fn record(name: &str, data: RecordData) -> Record {
        Record { name: name.into(), class: RecordClass::IN, ttl: 300, data }
    }

    /// One record of every type of the table, and one that c-ares does not parse.
    fn everything() -> Message {
        let name = |text: &str| Name::from(text);
        let options = || Box::from([(1, Box::from(*b"\x02h2")), (65000, Box::default())]);
        let answer = vec![
            record("x.example", RecordData::A(data::A { addr: Ipv4Addr::new(192, 0, 2, 1) })),
            record("x.example", RecordData::NS(data::NS { nsdname: name("ns.example") })),
            record("x.example", RecordData::CNAME(data::CNAME { cname: name("y.example") })),
            record(
                "example",
                RecordData::SOA(data::SOA {
                    mname: name("ns.example"),
                    rname: name(r"first\.last.example"),
                    serial: u32::MAX,
                    refresh: 1,
                    retry: 2,
                    expire: 3,
                    minimum: 4,
                }),
            ),
            record(
                "1.2.0.192.in-addr.arpa",
                RecordData::PTR(data::PTR { dname: name("x.example") }),
            ),
            record(
                "x.example",
                RecordData::HINFO(data::HINFO { cpu: "RISC".into(), os: "Plan 9".into() }),
            ),
            record(
                "x.example",
                RecordData::MX(data::MX { priority: 10, exchange: name("mail.example") }),
            ),
            record(
                "x.example",
                RecordData::TXT(data::TXT {
                    data: [&b"one"[..], b"", &[0, 255]].map(Box::from).into(),
                }),
            ),
            record(
                "x.example",
                RecordData::SIG(data::SIG {
                    type_covered: 1,
                    algorithm: 5,
                    labels: 2,
                    original_ttl: 300,
                    expiration: 7,
                    inception: 6,
                    key_tag: 9,
                    signers_name: name("example"),
                    signature: Box::from(*b"signed"),
                }),
            ),
            record(
                "x.example",
                RecordData::AAAA(data::AAAA { addr: "2001:db8::1".parse().unwrap() }),
            ),
            record(
                "_sip._udp.example",
                RecordData::SRV(data::SRV {
                    priority: 1,
                    weight: 2,
                    port: 5060,
                    target: name("sip.example"),
                }),
            ),
            record(
                "x.example",
                RecordData::NAPTR(data::NAPTR {
                    order: 1,
                    preference: 2,
                    flags: "U".into(),
                    service: "E2U+sip".into(),
                    regexp: "!^.*$!sip:a@example!".into(),
                    replacement: name(""),
                }),
            ),
            record(
                "_443._tcp.x.example",
                RecordData::TLSA(data::TLSA {
                    cert_usage: 3,
                    selector: 1,
                    matching_type: 1,
                    cert_association_data: Box::from([0, 1, 255]),
                }),
            ),
            record(
                "x.example",
                RecordData::SVCB(data::SVCB {
                    priority: 1,
                    target: name("y.example"),
                    params: options(),
                }),
            ),
            record(
                "x.example",
                RecordData::HTTPS(data::HTTPS { priority: 1, target: name(""), params: options() }),
            ),
            record(
                "x.example",
                RecordData::URI(data::URI {
                    priority: 1,
                    weight: 2,
                    target: "https://x.example/".into(),
                }),
            ),
            record(
                "x.example",
                RecordData::CAA(data::CAA {
                    critical: 128,
                    tag: "issue".into(),
                    value: Text(Box::from(*b"ca.example")),
                }),
            ),
            record(
                "x.example",
                RecordData::Raw(Raw {
                    record_type: RecordType::SSHFP,
                    data: Box::from([1, 1, 0, 255]),
                }),
            ),
        ];
        let opt = Record {
            name: name(""),
            class: RecordClass::IN,
            ttl: 0,
            data: RecordData::OPT(data::OPT {
                udp_size: 1232,
                version: 0,
                flags: 0x8000,
                options: options(),
            }),
        };
        Message {
            id: 0xbeef,
            flags: Flags::QR | Flags::AA | Flags::RD | Flags::CD,
            opcode: Opcode::QUERY,
            rcode: Rcode::NXDOMAIN,
            question: Box::from([Question {
                name: name("x.example"),
                record_type: RecordType::ANY,
                class: RecordClass::IN,
            }]),
            answer: answer.into(),
            authority: Box::from([record(
                "example",
                RecordData::NS(data::NS { nsdname: name("ns.example") }),
            )]),
            additional: Box::from([opt]),
        }
    }

    #[test]
    fn every_type_comes_back_from_the_wire_as_it_was() {
        let message = everything();
        let wire = message.to_bytes().expect("c-ares writes it");
        assert_eq!(Message::parse(&wire), Ok(message));
    }

    #[test]
    fn the_example_has_every_type_that_is_typed() {
        macro_rules! names {
            ($($(#[$doc:meta])* $type:ident { $($rest:tt)* })*) => { [$(RecordType::$type),*] };
        }
        let message = everything();
        let records = message.answer.iter().chain(&message.additional);
        let present: Vec<_> = records.map(Record::record_type).collect();
        for expected in crate::record_types!(names) {
            assert!(present.contains(&expected), "{expected}");
        }
    }

    #[test]
    fn a_repeated_name_is_shared() {
        let message = Message::parse(&everything().to_bytes().unwrap()).unwrap();
        assert!(message.question[0].name.shares(&message.answer[0].name));
        assert!(message.question[0].name.shares(&message.answer[17].name));
    }

    #[test]
    fn bytes_of_a_name_that_are_not_printable_are_escaped() {
        let wire = b"\x00\x01\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x04a.\x00\xff\x01b\x00\x00\x01\x00\x01";
        let message = Message::parse(wire).expect("a query");
        assert_eq!(&*message.question[0].name, r"a\.\000\255.b");
        assert_eq!(message.to_bytes().as_deref(), Ok(&wire[..]));
    }

    #[test]
    fn bytes_that_are_no_message_are_an_error_that_says_so() {
        let wire = everything().to_bytes().unwrap();
        for length in [0, 1, 11, 12, 20, wire.len() - 1] {
            let error = Message::parse(&wire[..length]).expect_err("cut short");
            assert_eq!(error.code(), Some(Code::EBADRESP));
            assert!(error.to_string().contains(&format!("{length} bytes")), "{error}");
        }
        let error = Message::parse(&wire[..wire.len() - 1]).expect_err("cut short").to_string();
        assert!(error.contains("additional record 1, OPT of \"\": it is cut short"), "{error}");
    }

    #[test]
    fn a_message_needs_no_question() {
        let message = Message { question: Box::default(), ..everything() };
        assert_eq!(Message::parse(&message.to_bytes().unwrap()), Ok(message));
        let two = everything().question.iter().cycle().take(2).cloned().collect();
        let message = Message { question: two, ..everything() };
        assert_eq!(Message::parse(&message.to_bytes().unwrap()), Ok(message));
    }

    /// An answer with one record of these bytes, and an address.
    fn beside(record_type: RecordType, bytes: &[u8]) -> Message {
        let raw = Raw { record_type, data: bytes.into() };
        let answer = Box::from([
            record("x.example", RecordData::Raw(raw)),
            record("x.example", RecordData::A(data::A { addr: Ipv4Addr::LOCALHOST })),
        ]);
        Message { answer, additional: Box::default(), rcode: Rcode::NOERROR, ..everything() }
    }

    #[test]
    fn a_record_that_is_not_as_its_type_allows_it_comes_as_bytes() {
        for (record_type, bytes) in [
            (RecordType::A, &b"\x01\x02\x03"[..]),
            (RecordType::A, b"\x01\x02\x03\x04\x05"),
            (RecordType::MX, b"\0\x01"),
            (RecordType::MX, b"\0\x01\xc0\xff"),
            (RecordType::NS, b"\x01a"),
            (RecordType::TXT, b""),
            (RecordType::TXT, b"\x05abc"),
            (RecordType::CAA, b"\0\0value"),
            (RecordType::CAA, b"\0\x05is-ueca"),
            (RecordType::OPT, b""),
            (RecordType::HTTPS, b"\0\x01\xc0\x0c"),
            (RecordType::SVCB, b"\0\x01\0\0\x03\0\x02\0\x50\0\x03\0\x02\0\x51"),
            (RecordType::SVCB, b"\0\x01\0\0\x03\0\x02\0\x50\0\x01\0\x03\x02h2"),
            (RecordType::SVCB, b"\0\x01\0\0\x03\0\x01\0"),
            (RecordType::SVCB, b"\0\x01\0\0\0\0\x02\0\x01"),
        ] {
            let message = beside(record_type, bytes);
            let read = Message::read(&message.to_bytes().unwrap()).unwrap();
            assert_eq!(read.message, message);
            assert!(read.records[0].odd && !read.records[1].odd, "{record_type} {bytes:?}");
        }
    }

    #[test]
    fn what_looks_odd_and_is_not() {
        for (record_type, bytes) in [
            (RecordType::CAA, &b"\0\x05issue"[..]),
            (RecordType::TLSA, b"\x03\x01\x01"),
            (RecordType::HINFO, b"\0\x01\xff"),
            (RecordType::URI, b"\0\x01\0\x01"),
            (RecordType::SVCB, b"\0\0\x01a\0"),
            (RecordType::TXT, b"\0\0"),
        ] {
            let wire = beside(record_type, bytes).to_bytes().unwrap();
            let message = Message::parse(&wire).unwrap();
            assert_eq!(message.answer[0].record_type(), record_type);
            assert!(!matches!(message.answer[0].data, RecordData::Raw(_)), "{record_type}");
            assert_eq!(message.to_bytes().unwrap(), wire);
        }
    }

    #[test]
    fn options_of_one_number_all_stay() {
        let options: crate::field::Options =
            Box::from([(15, Box::from(*b"\0\x16")), (15, Box::from(*b"\0\x17"))]);
        let opt = data::OPT { udp_size: 1232, version: 0, flags: 0, options };
        let opt =
            Record { name: "".into(), class: RecordClass::IN, ttl: 0, data: RecordData::OPT(opt) };
        let message =
            Message { additional: Box::from([opt.clone()]), rcode: Rcode(4000), ..everything() };
        assert_eq!(Message::parse(&message.to_bytes().unwrap()), Ok(message));
        let twice = Message { additional: Box::from([opt.clone(), opt]), ..everything() };
        let error = Message::parse(&twice.to_bytes().unwrap()).expect_err("two OPT").to_string();
        assert!(error.contains("more than one OPT"), "{error}");
    }

    #[test]
    fn a_record_that_cannot_be_written_is_named() {
        let address = RecordData::A(data::A { addr: Ipv4Addr::LOCALHOST });
        let long = format!("{}.example", "a".repeat(64));
        let empty = data::CAA { critical: 0, tag: "".into(), value: Text::default() };
        let params = Box::from([(4, Box::from([1, 2, 3, 4])), (4, Box::from([1, 2, 3, 4]))]);
        for (record, expected) in [
            (record(&long, address), "A record of \"aaa"),
            (record("empty.example", RecordData::CAA(empty)), "CAA record of \"empty.example\""),
            (
                record(
                    "x",
                    RecordData::SVCB(data::SVCB { priority: 1, target: "".into(), params }),
                ),
                "parameter 4 comes after 4",
            ),
            (record("x", RecordData::TXT(data::TXT { data: Box::default() })), "one string"),
            (
                record(
                    "x",
                    RecordData::Raw(Raw {
                        record_type: RecordType(65280),
                        data: vec![0; 65_536].into(),
                    }),
                ),
                "65535 is the most",
            ),
        ] {
            let message = Message { answer: Box::from([record]), ..everything() };
            let error = message.to_bytes().expect_err(expected).to_string();
            assert!(error.contains(expected), "{error}");
        }
        let message =
            Message { additional: Box::default(), rcode: Rcode::BADCOOKIE, ..everything() };
        assert!(message.to_bytes().is_err());
    }

    #[test]
    fn flags_are_the_bits_of_the_header() {
        let wire = everything().to_bytes().unwrap();
        assert_eq!(u16::from_be_bytes([wire[2], wire[3]]) & 0xfff0, everything().flags.bits());
        assert_eq!(format!("{:?}", Flags::QR | Flags::RA), "Flags(QR|RA)");
    }
}
