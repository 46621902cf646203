//! A resource record, and the data of each record type.
//!
//! [`record_types!`](crate::record_types) is the one table of the types whose data is typed; a
//! new type is one row there. Every other type is [`Raw`]: its number and its bytes.

use std::fmt;

use crate::error::{Error, Result};
use crate::field::{Field, Name, Options};
use crate::registry::{RecordClass, RecordType};
use crate::wire::{Malformed, Reader, Writer};

/// Calls the macro named with the table of record types, so that other crates can add a face.
///
/// A row is a documented type, then its fields with their [`field`](crate::field) type, in the order
/// that they have on the wire. Type names are those of [`RecordType`]; field names are pycares 5's
/// where it has the type.
#[macro_export]
macro_rules! record_types {
    ($then:ident) => {
        $then! {
            /// An IPv4 address (RFC 1035).
            A {
                /// The address.
                addr: Ipv4Addr,
            }
            /// A name server of a zone (RFC 1035).
            NS {
                /// The server's name.
                nsdname: Name,
            }
            /// The name that the owner is an alias of (RFC 1035).
            CNAME {
                /// The canonical name.
                cname: Name,
            }
            /// The start of a zone of authority (RFC 1035).
            SOA {
                /// The primary name server.
                mname: Name,
                /// The mailbox of who is responsible, its first dot standing for the at sign.
                rname: Name,
                /// The zone's version.
                serial: u32,
                /// Seconds between a secondary's looks at the serial.
                refresh: u32,
                /// Seconds before a secondary tries again after a failed refresh.
                retry: u32,
                /// Seconds after which a secondary that cannot refresh stops answering.
                expire: u32,
                /// Seconds for which a negative answer may be cached (RFC 2308).
                minimum: u32,
            }
            /// A pointer to another name, as reverse zones use it (RFC 1035).
            PTR {
                /// The name pointed to.
                dname: Name,
            }
            /// A host's hardware and system (RFC 1035).
            HINFO {
                /// The kind of CPU.
                cpu: Str,
                /// The operating system.
                os: Str,
            }
            /// A mail exchanger (RFC 1035).
            MX {
                /// The lowest is tried first.
                priority: u16,
                /// The mail server's name.
                exchange: Name,
            }
            /// Text: one or more strings of at most 255 bytes (RFC 1035).
            TXT {
                /// The strings in their order.
                data: Strings,
            }
            /// A signature over a message or a record set (RFC 2931).
            SIG {
                /// The type of the records covered; 0 for a whole message.
                type_covered: u16,
                /// The signature's algorithm.
                algorithm: u8,
                /// How many labels the signed owner has.
                labels: u8,
                /// The time to live as signed, in seconds.
                original_ttl: u32,
                /// The end of validity, in seconds since 1970 modulo 2**32.
                expiration: u32,
                /// The begin of validity, in seconds since 1970 modulo 2**32.
                inception: u32,
                /// Which of the signer's keys.
                key_tag: u16,
                /// The signer.
                signers_name: Name,
                /// The signature.
                signature: Bytes,
            }
            /// An IPv6 address (RFC 3596).
            AAAA {
                /// The address.
                addr: Ipv6Addr,
            }
            /// Where a service is to be found (RFC 2782).
            SRV {
                /// The lowest is tried first.
                priority: u16,
                /// The share among those of one priority.
                weight: u16,
                /// The service's port.
                port: u16,
                /// The host's name.
                target: Name,
            }
            /// A rule that rewrites the name (RFC 3403).
            NAPTR {
                /// The lowest is applied first.
                order: u16,
                /// The lowest of one order is preferred.
                preference: u16,
                /// What the rule's result is: `"S"`, `"A"`, `"U"`, `"P"`.
                flags: Str,
                /// The services that the rule leads to.
                service: Str,
                /// The substitution.
                regexp: Str,
                /// The next name, where there is no substitution.
                replacement: Name,
            }
            /// EDNS: what a peer can do, and options (RFC 6891).
            OPT {
                /// The largest UDP message that the peer takes, in bytes.
                udp_size: u16,
                /// EDNS's version.
                version: u8,
                /// EDNS's flags: 0x8000 is DO, the wish for DNSSEC records.
                flags: u16,
                /// Option numbers and values.
                options: Options,
            }
            /// A certificate for a TLS server (RFC 6698).
            TLSA {
                /// What the certificate is for.
                cert_usage: u8,
                /// Which part of it is compared.
                selector: u8,
                /// How it is compared: 0 whole, 1 by SHA-256, 2 by SHA-512.
                matching_type: u8,
                /// What it is compared with.
                cert_association_data: Bytes,
            }
            /// Where and how a service is reached (RFC 9460).
            SVCB {
                /// 0 for an alias, else the lowest is tried first.
                priority: u16,
                /// The host's name.
                target: Name,
                /// Parameter numbers and values.
                params: Options,
            }
            /// SVCB for HTTPS (RFC 9460).
            HTTPS {
                /// 0 for an alias, else the lowest is tried first.
                priority: u16,
                /// The host's name.
                target: Name,
                /// Parameter numbers and values.
                params: Options,
            }
            /// A URI (RFC 7553).
            URI {
                /// The lowest is tried first.
                priority: u16,
                /// The share among those of one priority.
                weight: u16,
                /// The URI.
                target: Uri,
            }
            /// Who may issue certificates for the owner (RFC 8659).
            CAA {
                /// The flags byte; 0x80 is set if the property is critical.
                critical: u8,
                /// The property: `"issue"`, `"issuewild"`, `"iodef"`.
                tag: Str,
                /// The property's value.
                value: Text,
            }
        }
    };
}

macro_rules! define_data {
    ($(
        $(#[$doc:meta])*
        $type:ident { $($(#[$field_doc:meta])* $field:ident: $kind:ident,)* }
    )*) => {
        /// The typed data of each record type, one struct each, named after the type.
        pub mod data {
            use std::net::{Ipv4Addr, Ipv6Addr};

            use crate::field::{Name, Options, Str, Strings, Text, Uri};

            type Bytes = Box<[u8]>;

            $(
                $(#[$doc])*
                #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
                pub struct $type {
                    $($(#[$field_doc])* pub $field: $kind,)*
                }
            )*
        }

        /// What a record says, by its type.
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum RecordData {
            $(
                $(#[$doc])*
                $type(data::$type),
            )*
            /// A type that is not in the table, or data that its type does not allow.
            Raw(Raw),
        }

        impl RecordData {
            /// The number of this data's type.
            pub fn record_type(&self) -> RecordType {
                match self {
                    $(RecordData::$type(_) => RecordType::$type,)*
                    RecordData::Raw(raw) => raw.record_type,
                }
            }

            /// Reads the fields of a type of the table.
            fn read_fields(
                record_type: RecordType,
                wire: &mut Reader<'_>,
            ) -> std::result::Result<Option<RecordData>, Malformed> {
                if record_type == RecordType::OPT {
                    // It needs more than its data.
                    return Ok(None);
                }
                Ok(Some(match record_type {
                    $(
                        RecordType::$type => RecordData::$type(data::$type {
                            $($field: Field::read(wire)?,)*
                        }),
                    )*
                    _ => return Ok(None),
                }))
            }

            fn write_fields(&self, wire: &mut Writer) -> Result<()> {
                if let RecordData::OPT(opt) = self {
                    return opt.options.write(wire);
                }
                match self {
                    $(RecordData::$type(data) => { $(data.$field.write(wire)?;)* })*
                    RecordData::Raw(raw) => raw.data.write(wire)?,
                }
                Ok(())
            }

            fn check_fields(&self) -> Result<()> {
                match self {
                    $(RecordData::$type(data) => { $(data.$field.check()?;)* })*
                    RecordData::Raw(raw) => raw.data.check()?,
                }
                Ok(())
            }
        }
    };
}

record_types!(define_data);

impl RecordData {
    /// Whether it can be written; the error says what its type does not allow.
    pub fn check(&self) -> Result<()> {
        self.check_fields()?;
        let fault = match self {
            RecordData::CAA(caa) if !is_property(&caa.tag.0) => {
                Some("the property of a CAA record is a word of letters and digits".to_owned())
            }
            RecordData::SVCB(data::SVCB { params, .. })
            | RecordData::HTTPS(data::HTTPS { params, .. }) => params_fault(params),
            _ => None,
        };
        fault.map_or(Ok(()), |fault| Err(Error::Invalid(fault)))
    }

    /// Reads all that is left as the data of a type of the table, as its type allows it.
    fn read(record_type: RecordType, wire: &mut Reader<'_>) -> Option<RecordData> {
        wire.pointers = ![RecordType::SVCB, RecordType::HTTPS].contains(&record_type);
        let read = RecordData::read_fields(record_type, wire);
        wire.pointers = true;
        let data = read.ok().flatten()?;
        (wire.left() == 0 && data.check().is_ok()).then_some(data)
    }
}

/// Whether bytes name a property of a CAA record (RFC 8659, 4.1).
fn is_property(tag: &[u8]) -> bool {
    !tag.is_empty() && tag.iter().all(u8::is_ascii_alphanumeric)
}

/// What makes parameters of SVCB malformed (RFC 9460, 2.2).
fn params_fault(params: &Options) -> Option<String> {
    let turned = params.windows(2).find(|pair| pair[0].0 >= pair[1].0);
    if let Some(pair) = turned {
        let (first, second) = (pair[0].0, pair[1].0);
        return Some(format!("parameter {second} comes after {first}: their numbers increase"));
    }
    let (key, _) = params.iter().find(|(key, value)| !is_param_value(*key, value, params))?;
    Some(format!("the value of parameter {key} is none that it may have"))
}

fn is_param_value(key: u16, value: &[u8], params: &Options) -> bool {
    match key {
        // Keys that are there, in order.
        0 => {
            let keys: Vec<_> = value
                .chunks(2)
                .map(|pair| pair.iter().fold(0, |n, byte| n << 8 | u16::from(*byte)))
                .collect();
            let present = |key: &u16| *key != 0 && params.iter().any(|(other, _)| other == key);
            is_list(value, 2)
                && keys.windows(2).all(|pair| pair[0] < pair[1])
                && keys.iter().all(present)
        }
        1 => is_strings(value),
        2 => value.is_empty() && params.iter().any(|(other, _)| *other == 1),
        3 => value.len() == 2,
        4 => is_list(value, 4),
        6 => is_list(value, 16),
        _ => true,
    }
}

fn is_list(value: &[u8], size: usize) -> bool {
    !value.is_empty() && value.len().is_multiple_of(size)
}

/// One string at least, none of them empty.
fn is_strings(mut value: &[u8]) -> bool {
    let any = !value.is_empty();
    while let Some((&length, rest)) = value.split_first() {
        let Some(rest) = rest.get(usize::from(length)..) else { return false };
        if length == 0 {
            return false;
        }
        value = rest;
    }
    any
}

/// Data as it stood on the wire: of a type that is not in the table, or not as its type allows it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Raw {
    /// The type's number.
    pub record_type: RecordType,
    /// The data's bytes. Names in them may be compressed: they then point into a message that is
    /// no longer there (RFC 3597 forbids that for types newer than RFC 1035).
    pub data: Box<[u8]>,
}

/// A resource record.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Record {
    /// The owner's name.
    pub name: Name,
    /// The class.
    pub class: RecordClass,
    /// How long it may be kept, in seconds.
    pub ttl: u32,
    /// What it says; the record's type is the data's.
    pub data: RecordData,
}

/// A record as it was read.
pub(crate) struct Found {
    pub(crate) record: Record,
    /// Where its type stands in the message.
    pub(crate) type_at: usize,
    /// It is of a type of the table, which does not allow its data.
    pub(crate) odd: bool,
    /// The bits of the message's response code that EDNS adds.
    pub(crate) rcode: u16,
}

/// Why a record, and with it its message, could not be read.
pub(crate) struct Unreadable {
    /// The owner and the type, as far as they could be.
    pub(crate) record: Option<(Name, Option<RecordType>)>,
    pub(crate) fault: Malformed,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.record {
            Some((name, Some(record_type))) => write!(f, "{record_type} of {name:?}"),
            Some((name, None)) => write!(f, "of {name:?}"),
            None => f.write_str("without a name"),
        }?;
        write!(f, ": {}", self.fault.0)
    }
}

impl Record {
    /// The record's type.
    pub fn record_type(&self) -> RecordType {
        self.data.record_type()
    }

    /// Reads a record. Data that its type does not allow is [`Raw`]; what cannot be read at all is
    /// where it ends.
    pub(crate) fn read(wire: &mut Reader<'_>) -> std::result::Result<Found, Unreadable> {
        let name = wire.name().map_err(|fault| Unreadable { record: None, fault })?;
        let without_type = |fault| Unreadable { record: Some((name.clone(), None)), fault };
        let type_at = wire.at();
        let record_type = RecordType(wire.u16().map_err(without_type)?);
        let cut = |fault| Unreadable { record: Some((name.clone(), Some(record_type))), fault };
        let class = wire.u16().map_err(cut)?;
        let ttl = wire.u32().map_err(cut)?;
        let length = wire.u16().map_err(cut)?;
        let start = wire.at();
        let data = wire.within(length.into(), |wire| {
            if record_type == RecordType::OPT && name.is_empty() {
                return read_opt(class, ttl, wire);
            }
            RecordData::read(record_type, wire)
        });
        let data = data.map_err(cut)?.unwrap_or_else(|| {
            let data = wire.between(start, start + usize::from(length)).into();
            RecordData::Raw(Raw { record_type, data })
        });
        let odd = matches!(data, RecordData::Raw(_)) && is_typed(record_type);
        let (class, ttl, rcode) = match data {
            RecordData::OPT(_) => (RecordClass::IN, 0, (ttl >> 24) as u16),
            _ => (RecordClass(class), ttl, 0),
        };
        Ok(Found { record: Record { name, class, ttl, data }, type_at, odd, rcode })
    }

    /// Writes the record; `rcode` are the bits of the response code that an OPT record carries.
    pub(crate) fn write(&self, wire: &mut Writer, rcode: u16) -> Result<()> {
        self.data.check().map_err(|error| self.refused(&error))?;
        wire.pointers = true;
        wire.name(&self.name).map_err(|error| self.refused(&error))?;
        wire.u16(self.record_type().0);
        match &self.data {
            RecordData::OPT(opt) => {
                wire.u16(opt.udp_size);
                wire.bytes(&[rcode as u8, opt.version]);
                wire.u16(opt.flags);
            }
            _ => {
                wire.u16(self.class.0);
                wire.u32(self.ttl);
            }
        }
        wire.pointers = has_pointers(self.record_type());
        let written = wire.measured(|wire| self.data.write_fields(wire));
        written.map_err(|error| self.refused(&error))
    }

    /// The error for a record that cannot be written.
    fn refused(&self, error: &Error) -> Error {
        Error::Invalid(format!("{} record of {:?}: {error}", self.record_type(), self.name))
    }
}

fn read_opt(class: u16, ttl: u32, wire: &mut Reader<'_>) -> Option<RecordData> {
    let options = Options::read(wire).ok()?;
    let [_, version, flags @ ..] = ttl.to_be_bytes();
    let flags = u16::from_be_bytes(flags);
    Some(RecordData::OPT(data::OPT { udp_size: class, version, flags, options }))
}

/// Whether names in the data of a type may point back when they are written.
fn has_pointers(record_type: RecordType) -> bool {
    use RecordType as T;
    [T::NS, T::CNAME, T::SOA, T::PTR, T::MX].contains(&record_type)
}

macro_rules! define_is_typed {
    ($($(#[$doc:meta])* $type:ident { $($fields:tt)* })*) => {
        /// Whether a type is in the table.
        fn is_typed(record_type: RecordType) -> bool {
            [$(RecordType::$type),*].contains(&record_type)
        }
    };
}

record_types!(define_is_typed);
