//! The numbers of IANA's DNS registries: record types, classes, response codes, opcodes.
//!
//! Each is the number with names on top, so that one that has no name yet still passes through.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use crate::error::Error;

macro_rules! registry {
    (
        $(#[$doc:meta])*
        $type:ident, $kind:literal, $prefix:literal:
        $($name:ident = $number:literal)*
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $type(pub u16);

        impl $type {
            $(
                #[doc = concat!("`", stringify!($name), "` is ", stringify!($number))]
                pub const $name: $type = $type($number);
            )*

            /// Every number that has a name here, ascending.
            pub const ALL: &'static [(&'static str, $type)] =
                &[$((stringify!($name), $type::$name),)*];

            /// The name, where there is one.
            pub fn name(self) -> Option<&'static str> {
                match self {
                    $($type::$name => Some(stringify!($name)),)*
                    _ => None,
                }
            }
        }

        impl $type {
            /// What [`Display`](fmt::Display) shows, which mostly is the name.
            pub(crate) fn shown(self) -> Cow<'static, str> {
                match self.name() {
                    Some(name) => name.into(),
                    None => format!(concat!($prefix, "{}"), self.0).into(),
                }
            }
        }

        /// The name, or the prefix and the number as RFC 3597 writes what has no name.
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.shown())
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        /// By name in any case, or by prefix and number (RFC 3597).
        impl FromStr for $type {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self, Error> {
                let named = $type::ALL.iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
                if let Some((_, number)) = named {
                    return Ok(*number);
                }
                text.get(..$prefix.len())
                    .filter(|prefix| prefix.eq_ignore_ascii_case($prefix))
                    .map(|prefix| &text[prefix.len()..])
                    .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
                    .and_then(|digits| digits.parse().ok())
                    .map($type)
                    .ok_or_else(|| Error::Invalid(format!("unknown {}: {text:?}", $kind)))
            }
        }
    };
}

registry! {
    /// What a record holds. `data` is typed for those c-ares parses, raw bytes for the others.
    RecordType, "record type", "TYPE":
    A = 1 NS = 2 CNAME = 5 SOA = 6 PTR = 12 HINFO = 13 MX = 15 TXT = 16 RP = 17 AFSDB = 18
    SIG = 24 KEY = 25 AAAA = 28 LOC = 29 SRV = 33 NAPTR = 35 KX = 36 CERT = 37 DNAME = 39
    OPT = 41 APL = 42 DS = 43 SSHFP = 44 IPSECKEY = 45 RRSIG = 46 NSEC = 47 DNSKEY = 48
    DHCID = 49 NSEC3 = 50 NSEC3PARAM = 51 TLSA = 52 SMIMEA = 53 HIP = 55 CDS = 59 CDNSKEY = 60
    OPENPGPKEY = 61 CSYNC = 62 ZONEMD = 63 SVCB = 64 HTTPS = 65 SPF = 99 NID = 104 L32 = 105
    L64 = 106 LP = 107 EUI48 = 108 EUI64 = 109 TKEY = 249 TSIG = 250 IXFR = 251 AXFR = 252
    ANY = 255 URI = 256 CAA = 257
}

registry! {
    /// The class of a question or a record; nearly always `IN`.
    RecordClass, "record class", "CLASS":
    IN = 1 CHAOS = 3 HS = 4 NONE = 254 ANY = 255
}

registry! {
    /// How the server answered.
    Rcode, "response code", "RCODE":
    NOERROR = 0 FORMERR = 1 SERVFAIL = 2 NXDOMAIN = 3 NOTIMP = 4 REFUSED = 5 YXDOMAIN = 6
    YXRRSET = 7 NXRRSET = 8 NOTAUTH = 9 NOTZONE = 10 DSOTYPENI = 11 BADSIG = 16 BADKEY = 17
    BADTIME = 18 BADMODE = 19 BADNAME = 20 BADALG = 21 BADTRUNC = 22 BADCOOKIE = 23
}

registry! {
    /// What kind of message it is; nearly always `QUERY`.
    Opcode, "opcode", "OPCODE":
    QUERY = 0 IQUERY = 1 STATUS = 2 NOTIFY = 4 UPDATE = 5
}

/// The types that c-ares has names for; every other number passes through as it is.
macro_rules! c_ares_record_types {
    ($($name:ident)*) => {
        impl From<RecordType> for c_ares::DnsRecordType {
            fn from(value: RecordType) -> c_ares::DnsRecordType {
                match value {
                    $(RecordType::$name => c_ares::DnsRecordType::$name,)*
                    RecordType(number) => c_ares::DnsRecordType::UNKNOWN(number.into()),
                }
            }
        }
    };
}

c_ares_record_types! {
    A NS CNAME SOA PTR HINFO MX TXT SIG AAAA SRV NAPTR OPT TLSA SVCB HTTPS ANY URI CAA
}

impl From<RecordClass> for c_ares::DnsCls {
    fn from(value: RecordClass) -> c_ares::DnsCls {
        match value {
            RecordClass::IN => c_ares::DnsCls::IN,
            RecordClass::CHAOS => c_ares::DnsCls::CHAOS,
            RecordClass::HS => c_ares::DnsCls::HESIOD,
            RecordClass::NONE => c_ares::DnsCls::NONE,
            RecordClass::ANY => c_ares::DnsCls::ANY,
            RecordClass(number) => c_ares::DnsCls::UNKNOWN(number.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_found_by_name_in_any_case() {
        assert_eq!("mx".parse(), Ok(RecordType::MX));
        assert_eq!("AAAA".parse(), Ok(RecordType::AAAA));
        assert_eq!("Type1234".parse(), Ok(RecordType(1234)));
        assert_eq!("TYPE1".parse(), Ok(RecordType::A));
        assert_eq!("class3".parse(), Ok(RecordClass::CHAOS));
    }

    #[test]
    fn an_unknown_name_is_an_error_that_names_it() {
        for wrong in
            ["", "BOGUS", "TYPE", "TYPE65536", "TYPE-1", "TYPE+1", "TYPE 1", "\u{e9}\u{e9}"]
        {
            let expected = Error::Invalid(format!("unknown record type: {wrong:?}"));
            assert_eq!(wrong.parse::<RecordType>(), Err(expected));
        }
    }

    #[test]
    fn what_has_no_name_prints_as_rfc_3597_says() {
        assert_eq!(RecordType(1234).to_string(), "TYPE1234");
        assert_eq!(RecordType::HTTPS.to_string(), "HTTPS");
        assert_eq!(RecordClass(9).to_string(), "CLASS9");
    }
}
