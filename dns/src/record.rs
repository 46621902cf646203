//! A resource record, and the data of each record type.
//!
//! [`record_types!`](crate::record_types) is the one table of the types whose data is typed; a
//! new type is one row there. Every other type is [`Raw`]: its number and its bytes.

use c_ares::{DnsRecord, DnsRr, DnsRrKey, DnsSection};

use crate::error::{Code, Error, Result};
use crate::field::{Field, Names};
use crate::name;
use crate::registry::{RecordClass, RecordType};

/// Calls the macro named with the table of record types, so that other crates can add a face.
///
/// A row is a documented type, then its fields with their [`field`](crate::field) type and the
/// key under which c-ares holds them. Type names are those of [`RecordType`] and of c-ares;
/// field names are pycares 5's where it has the type.
#[macro_export]
macro_rules! record_types {
    ($then:ident) => {
        $then! {
            /// An IPv4 address (RFC 1035).
            A {
                /// The address.
                addr: Ipv4Addr = A_ADDR,
            }
            /// A name server of a zone (RFC 1035).
            NS {
                /// The server's name.
                nsdname: Name = NS_NSDNAME,
            }
            /// The name that the owner is an alias of (RFC 1035).
            CNAME {
                /// The canonical name.
                cname: Name = CNAME_CNAME,
            }
            /// The start of a zone of authority (RFC 1035).
            SOA {
                /// The primary name server.
                mname: Name = SOA_MNAME,
                /// The mailbox of who is responsible, its first dot standing for the at sign.
                rname: Name = SOA_RNAME,
                /// The zone's version.
                serial: u32 = SOA_SERIAL,
                /// Seconds between a secondary's looks at the serial.
                refresh: u32 = SOA_REFRESH,
                /// Seconds before a secondary tries again after a failed refresh.
                retry: u32 = SOA_RETRY,
                /// Seconds after which a secondary that cannot refresh stops answering.
                expire: u32 = SOA_EXPIRE,
                /// Seconds for which a negative answer may be cached (RFC 2308).
                minimum: u32 = SOA_MINIMUM,
            }
            /// A pointer to another name, as reverse zones use it (RFC 1035).
            PTR {
                /// The name pointed to.
                dname: Name = PTR_DNAME,
            }
            /// A host's hardware and system (RFC 1035).
            HINFO {
                /// The kind of CPU.
                cpu: Str = HINFO_CPU,
                /// The operating system.
                os: Str = HINFO_OS,
            }
            /// A mail exchanger (RFC 1035).
            MX {
                /// The lowest is tried first.
                priority: u16 = MX_PREFERENCE,
                /// The mail server's name.
                exchange: Name = MX_EXCHANGE,
            }
            /// Text: one or more strings of at most 255 bytes (RFC 1035).
            TXT {
                /// The strings in their order.
                data: Strings = TXT_DATA,
            }
            /// A signature over a message or a record set (RFC 2931).
            SIG {
                /// The type of the records covered; 0 for a whole message.
                type_covered: u16 = SIG_TYPE_COVERED,
                /// The signature's algorithm.
                algorithm: u8 = SIG_ALGORITHM,
                /// How many labels the signed owner has.
                labels: u8 = SIG_LABELS,
                /// The time to live as signed, in seconds.
                original_ttl: u32 = SIG_ORIGINAL_TTL,
                /// The end of validity, in seconds since 1970 modulo 2**32.
                expiration: u32 = SIG_EXPIRATION,
                /// The begin of validity, in seconds since 1970 modulo 2**32.
                inception: u32 = SIG_INCEPTION,
                /// Which of the signer's keys.
                key_tag: u16 = SIG_KEY_TAG,
                /// The signer.
                signers_name: Name = SIG_SIGNERS_NAME,
                /// The signature.
                signature: Bytes = SIG_SIGNATURE,
            }
            /// An IPv6 address (RFC 3596).
            AAAA {
                /// The address.
                addr: Ipv6Addr = AAAA_ADDR,
            }
            /// Where a service is to be found (RFC 2782).
            SRV {
                /// The lowest is tried first.
                priority: u16 = SRV_PRIORITY,
                /// The share among those of one priority.
                weight: u16 = SRV_WEIGHT,
                /// The service's port.
                port: u16 = SRV_PORT,
                /// The host's name.
                target: Name = SRV_TARGET,
            }
            /// A rule that rewrites the name (RFC 3403).
            NAPTR {
                /// The lowest is applied first.
                order: u16 = NAPTR_ORDER,
                /// The lowest of one order is preferred.
                preference: u16 = NAPTR_PREFERENCE,
                /// What the rule's result is: `"S"`, `"A"`, `"U"`, `"P"`.
                flags: Str = NAPTR_FLAGS,
                /// The services that the rule leads to.
                service: Str = NAPTR_SERVICES,
                /// The substitution.
                regexp: Str = NAPTR_REGEXP,
                /// The next name, where there is no substitution.
                replacement: Name = NAPTR_REPLACEMENT,
            }
            /// EDNS: what a peer can do, and options (RFC 6891).
            OPT {
                /// The largest UDP message that the peer takes, in bytes.
                udp_size: u16 = OPT_UDP_SIZE,
                /// EDNS's version.
                version: u8 = OPT_VERSION,
                /// EDNS's flags: 0x8000 is DO, the wish for DNSSEC records.
                flags: u16 = OPT_FLAGS,
                /// Option numbers and values.
                options: Options = OPT_OPTIONS,
            }
            /// A certificate for a TLS server (RFC 6698).
            TLSA {
                /// What the certificate is for.
                cert_usage: u8 = TLSA_CERT_USAGE,
                /// Which part of it is compared.
                selector: u8 = TLSA_SELECTOR,
                /// How it is compared: 0 whole, 1 by SHA-256, 2 by SHA-512.
                matching_type: u8 = TLSA_MATCH,
                /// What it is compared with.
                cert_association_data: Bytes = TLSA_DATA,
            }
            /// Where and how a service is reached (RFC 9460).
            SVCB {
                /// 0 for an alias, else the lowest is tried first.
                priority: u16 = SVCB_PRIORITY,
                /// The host's name.
                target: Name = SVCB_TARGET,
                /// Parameter numbers and values.
                params: Options = SVCB_PARAMS,
            }
            /// SVCB for HTTPS (RFC 9460).
            HTTPS {
                /// 0 for an alias, else the lowest is tried first.
                priority: u16 = HTTPS_PRIORITY,
                /// The host's name.
                target: Name = HTTPS_TARGET,
                /// Parameter numbers and values.
                params: Options = HTTPS_PARAMS,
            }
            /// A URI (RFC 7553).
            URI {
                /// The lowest is tried first.
                priority: u16 = URI_PRIORITY,
                /// The share among those of one priority.
                weight: u16 = URI_WEIGHT,
                /// The URI.
                target: Str = URI_TARGET,
            }
            /// Who may issue certificates for the owner (RFC 8659).
            CAA {
                /// The flags byte; 0x80 is set if the property is critical.
                critical: u8 = CAA_CRITICAL,
                /// The property: `"issue"`, `"issuewild"`, `"iodef"`.
                tag: Str = CAA_TAG,
                /// The property's value.
                value: Text = CAA_VALUE,
            }
        }
    };
}

macro_rules! define_data {
    ($(
        $(#[$doc:meta])*
        $type:ident { $($(#[$field_doc:meta])* $field:ident: $kind:ident = $key:ident,)* }
    )*) => {
        /// The typed data of each record type, one struct each, named after the type.
        pub mod data {
            use std::net::{Ipv4Addr, Ipv6Addr};

            use crate::field::{Name, Options, Strings, Text};

            type Str = Box<str>;
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
            /// A type that c-ares does not parse.
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

            /// Reads c-ares's record; the error names the field that it lacks.
            fn read(rr: &DnsRr, names: &mut Names) -> std::result::Result<RecordData, &'static str> {
                match rr.rr_type() {
                    $(
                        c_ares::DnsRecordType::$type => Ok(RecordData::$type(data::$type {
                            $($field: Field::read(rr, DnsRrKey::$key, names)
                                .ok_or(stringify!($field))?,)*
                        })),
                    )*
                    _ => Ok(RecordData::Raw(Raw {
                        record_type: RecordType(rr.get_u16(DnsRrKey::RAW_RR_TYPE)),
                        data: Field::read(rr, DnsRrKey::RAW_RR_DATA, names).ok_or("data")?,
                    })),
                }
            }

            fn write(&self, rr: &mut DnsRr) -> Result<()> {
                match self {
                    $(
                        RecordData::$type(data) => {
                            $(data.$field.write(rr, DnsRrKey::$key)?;)*
                        }
                    )*
                    RecordData::Raw(raw) => {
                        rr.set_u16(DnsRrKey::RAW_RR_TYPE, raw.record_type.0)?;
                        raw.data.write(rr, DnsRrKey::RAW_RR_DATA)?;
                    }
                }
                Ok(())
            }
        }
    };
}

record_types!(define_data);

/// The data of a type that c-ares does not parse, as it stood on the wire.
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
    pub name: crate::field::Name,
    /// The class.
    pub class: RecordClass,
    /// How long it may be kept, in seconds.
    pub ttl: u32,
    /// What it says; the record's type is the data's.
    pub data: RecordData,
}

impl Record {
    /// The record's type.
    pub fn record_type(&self) -> RecordType {
        self.data.record_type()
    }

    /// The error for a record that c-ares does not write.
    pub(crate) fn refused(&self, code: Code) -> Error {
        Error::new(code, format!("{} record of {:?}", self.record_type(), self.name))
    }

    pub(crate) fn read(rr: &DnsRr, names: &mut Names) -> Result<Record> {
        let name = names.share(rr.name());
        match RecordData::read(rr, names) {
            Ok(data) => Ok(Record { name, class: rr.dns_class().into(), ttl: rr.ttl(), data }),
            Err(field) => {
                let what = format!("the {} record of {name:?} has no {field}", rr.rr_type());
                Err(Error::new(Code::EBADRESP, what))
            }
        }
    }

    pub(crate) fn write(&self, message: &mut DnsRecord, section: DnsSection) -> Result<()> {
        let record_type = match &self.data {
            RecordData::Raw(_) => c_ares::DnsRecordType::RAW_RR,
            data => data.record_type().into(),
        };
        name::validate_in_record(&self.name)?;
        message
            .rr_add(section, &self.name, record_type, self.class.into(), self.ttl)
            .map_err(Error::from)
            .and_then(|rr| self.data.write(rr))
            .map_err(|error| match error {
                Error::Ares { code, .. } => self.refused(code),
                error => error,
            })
    }
}
