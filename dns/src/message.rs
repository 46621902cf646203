//! A DNS message: header, question and three sections of records.

use std::fmt;
use std::ops::BitOr;

use c_ares::{DnsFlags, DnsOpcode, DnsParseFlags, DnsRcode, DnsRecord, DnsSection};

use crate::error::{Code, Error, Result};
use crate::field::{Name, Names};
use crate::name;
use crate::record::Record;
use crate::registry::{Opcode, Rcode, RecordClass, RecordType};

/// The flags of a message's header, at the bits they have on the wire.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Flags(pub u16);

macro_rules! flags {
    ($($(#[$doc:meta])* $name:ident = $bit:literal)*) => {
        impl Flags {
            $($(#[$doc])* pub const $name: Flags = Flags($bit);)*

            /// Every flag with its name.
            pub const ALL: &'static [(&'static str, Flags)] =
                &[$((stringify!($name), Flags::$name),)*];
        }

        impl From<DnsFlags> for Flags {
            fn from(theirs: DnsFlags) -> Flags {
                let mut bits = 0;
                $(if theirs.contains(DnsFlags::$name) { bits |= $bit; })*
                Flags(bits)
            }
        }

        /// Bits that c-ares has no flag for are left out.
        impl From<Flags> for DnsFlags {
            fn from(ours: Flags) -> DnsFlags {
                let mut theirs = DnsFlags::empty();
                $(if ours.contains(Flags::$name) { theirs |= DnsFlags::$name; })*
                theirs
            }
        }
    };
}

flags! {
    /// This is a response.
    QR = 0x8000
    /// The server is an authority for the name.
    AA = 0x0400
    /// The answer did not fit: it is truncated.
    TC = 0x0200
    /// Recursion is wished for.
    RD = 0x0100
    /// Recursion can be had.
    RA = 0x0080
    /// All data was validated (DNSSEC).
    AD = 0x0020
    /// The server shall not validate (DNSSEC).
    CD = 0x0010
}

impl Flags {
    /// Whether every flag of `other` is set.
    pub fn contains(self, other: Flags) -> bool {
        self.0 & other.0 == other.0
    }
}

impl BitOr for Flags {
    type Output = Flags;

    fn bitor(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }
}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let set = Flags::ALL.iter().filter(|(_, flag)| self.contains(*flag));
        write!(f, "Flags({})", set.map(|(name, _)| *name).collect::<Vec<_>>().join("|"))
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
    /// What was asked; c-ares parses messages with exactly one question.
    pub question: Box<[Question]>,
    /// The records that answer the question.
    pub answer: Box<[Record]>,
    /// The records that name an authority.
    pub authority: Box<[Record]>,
    /// The records that may help, EDNS's OPT among them.
    pub additional: Box<[Record]>,
}

impl Message {
    /// Parses a message from the wire (`ares_dns_parse`).
    ///
    /// Fails with `ARES_EBADRESP`, `ARES_EBADNAME` or `ARES_EFORMERR` for bytes that are no
    /// message.
    pub fn parse(wire: &[u8]) -> Result<Message> {
        let parsed = DnsRecord::parse(wire, DnsParseFlags::empty()).map_err(|error| {
            Error::new(error, format!("{} bytes are not a DNS message", wire.len()))
        })?;
        Message::try_from(&parsed)
    }

    /// The message as it goes on the wire, names compressed (`ares_dns_write`).
    ///
    /// The error names the record that c-ares does not write: one whose name cannot be, or one without
    /// data where c-ares wants some: CAA, TLSA, SIG, and every type that it does not parse.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        self.write(&DnsRecord::try_from(self)?)
    }

    /// Writes what was built of this message. c-ares does not say which record it is that it
    /// refuses, so then each is written alone.
    pub(crate) fn write(&self, built: &DnsRecord) -> Result<Vec<u8>> {
        let code: Code = match built.write() {
            Ok(wire) => return Ok(wire.to_vec()),
            Err(error) => error.into(),
        };
        for record in self.sections().into_iter().flat_map(|(_, records)| records) {
            let mut alone =
                DnsRecord::new(0, DnsFlags::empty(), DnsOpcode::Query, DnsRcode::NoError)?;
            record.write(&mut alone, DnsSection::Answer)?;
            alone.write().map_err(|error| record.refused(error.into()))?;
        }
        Err(Error::new(code, "the message is too long, or has no question that c-ares writes"))
    }

    /// The three sections of records, as c-ares numbers them.
    fn sections(&self) -> [(DnsSection, &[Record]); 3] {
        [
            (DnsSection::Answer, &self.answer),
            (DnsSection::Authority, &self.authority),
            (DnsSection::Additional, &self.additional),
        ]
    }
}

impl TryFrom<&DnsRecord> for Message {
    type Error = Error;

    /// Copies c-ares's message; one that c-ares parsed always converts.
    fn try_from(parsed: &DnsRecord) -> Result<Message> {
        let mut names = Names::default();
        let question = parsed
            .queries()
            .map(|(name, record_type, class)| Question {
                name: names.share(name),
                record_type: record_type.into(),
                class: class.into(),
            })
            .collect();
        let mut section = |section| -> Result<Box<[Record]>> {
            let count = parsed.rr_count(section);
            let mut records = Vec::with_capacity(count);
            for rr in parsed.rrs(section) {
                records.push(Record::read(rr, &mut names)?);
            }
            Ok(records.into_boxed_slice())
        };
        Ok(Message {
            id: parsed.id(),
            flags: parsed.flags().into(),
            opcode: parsed.opcode().into(),
            rcode: parsed.rcode().into(),
            question,
            answer: section(DnsSection::Answer)?,
            authority: section(DnsSection::Authority)?,
            additional: section(DnsSection::Additional)?,
        })
    }
}

impl TryFrom<&Message> for DnsRecord {
    type Error = Error;

    /// Builds c-ares's message; the error names the record that c-ares refuses.
    fn try_from(message: &Message) -> Result<DnsRecord> {
        let opcode = message.opcode.try_into()?;
        let rcode = message.rcode.try_into()?;
        let mut built = DnsRecord::new(message.id, message.flags.into(), opcode, rcode)?;
        for question in &message.question {
            if !question.name.is_empty() {
                name::validate(&question.name)?;
            }
            built
                .query_add(&question.name, question.record_type.into(), question.class.into())
                .map_err(|error| Error::new(error, format!("question {:?}", question.name)))?;
        }
        for (section, records) in message.sections() {
            for record in records {
                record.write(&mut built, section)?;
            }
        }
        Ok(built)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::sync::Arc;

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
        assert!(Arc::ptr_eq(&message.question[0].name, &message.answer[0].name));
        assert!(Arc::ptr_eq(&message.question[0].name, &message.answer[17].name));
    }

    #[test]
    fn bytes_of_a_name_that_are_not_printable_are_escaped() {
        let wire = b"\x00\x01\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x04a.\x00\xff\x01b\x00\x00\x01\x00\x01";
        let message = Message::parse(wire).expect("a query");
        assert_eq!(&*message.question[0].name, r"a\.\000\255.b");
        let error = message.to_bytes().expect_err("c-ares asks for host names only");
        assert!(error.to_string().contains(r#""a\\.\\000\\255.b""#), "{error}");
    }

    #[test]
    fn bytes_that_are_no_message_are_an_error_that_says_so() {
        let wire = everything().to_bytes().unwrap();
        for length in [0, 1, 11, 12, 20, wire.len() - 1] {
            let error = Message::parse(&wire[..length]).expect_err("cut short");
            let codes = [Code::EBADRESP, Code::EFORMERR, Code::EBADNAME].map(Some);
            assert!(codes.contains(&error.code()), "{error:?}");
            assert!(error.to_string().contains(&format!("{length} bytes")), "{error}");
        }
    }

    #[test]
    fn a_record_that_c_ares_refuses_is_named() {
        let mut message = everything();
        let long = format!("{}.example", "a".repeat(64));
        message.answer =
            Box::from([record(&long, RecordData::A(data::A { addr: Ipv4Addr::LOCALHOST }))]);
        assert!(message.to_bytes().is_err());
        message.answer = Box::from([record(
            "nul.example",
            RecordData::URI(data::URI { priority: 1, weight: 1, target: "a\0b".into() }),
        )]);
        let error = message.to_bytes().expect_err("NUL");
        assert!(error.to_string().contains("URI record of \"nul.example\""), "{error}");
        let empty = data::CAA { critical: 0, tag: "issue".into(), value: Text::default() };
        message.answer = Box::from([
            record("x.example", RecordData::A(data::A { addr: Ipv4Addr::LOCALHOST })),
            record("empty.example", RecordData::CAA(empty)),
        ]);
        let error = message.to_bytes().expect_err("no value");
        assert!(error.to_string().contains("CAA record of \"empty.example\""), "{error}");
    }

    #[test]
    fn flags_are_the_bits_of_the_header() {
        let wire = everything().to_bytes().unwrap();
        assert_eq!(u16::from_be_bytes([wire[2], wire[3]]) & 0xfff0, everything().flags.0);
        assert_eq!(format!("{:?}", Flags::QR | Flags::RA), "Flags(QR|RA)");
    }
}
