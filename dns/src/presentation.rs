//! Records as text: the presentation format of zone files, which `dig` prints too.
//!
//! `Display` of [`RecordData`] is the data alone, that of [`Record`] the whole line. What has no
//! format of its own is written as RFC 3597 has it: `\# 4 0001feff`.

use std::fmt::{self, Write};
use std::net::{Ipv4Addr, Ipv6Addr};

use data_encoding::{BASE64, HEXLOWER, HEXUPPER};

use crate::field::{Name, Options, Str, Strings, Text, Uri};
use crate::record::{Raw, Record, RecordData, data};
use crate::registry::RecordType;

/// Bytes as text in which each byte that is no printable ASCII is `\DDD`, and a backslash is two.
pub(crate) fn escape(bytes: &[u8], out: &mut impl fmt::Write) -> fmt::Result {
    for &byte in bytes {
        match byte {
            b'\\' => out.write_str("\\\\")?,
            b' '..=b'~' => out.write_char(char::from(byte))?,
            _ => write!(out, "\\{byte:03}")?,
        }
    }
    Ok(())
}

/// One field of a record as it stands in a zone file.
trait Present {
    fn present(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result;
}

macro_rules! as_displayed {
    ($($type:ty)*) => {
        $(impl Present for $type {
            fn present(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        })*
    };
}

as_displayed! { u8 u16 u32 Ipv4Addr Ipv6Addr }

/// A name with the final dot, so that no zone's name is added. What is no letter, digit or one of
/// `-_*/` is behind a backslash: some servers read names of anything else as more than one word. A space is
/// a number, and so is `#`: data that begins with `\#` is hexadecimal (RFC 3597).
fn absolute(name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut escaped = false;
    for byte in name.bytes() {
        let plain = byte.is_ascii_alphanumeric() || b"-_*/.\\".contains(&byte);
        match byte {
            b' ' => f.write_str("\\032")?,
            b'#' => f.write_str("\\035")?,
            byte if plain || escaped => f.write_char(char::from(byte))?,
            byte => write!(f, "\\{}", char::from(byte))?,
        }
        escaped = byte == b'\\' && !escaped;
    }
    f.write_str(".")
}

impl Present for Name {
    fn present(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        absolute(self, f)
    }
}

/// A character string, in quotes.
fn quoted(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str("\"")?;
    for (position, part) in bytes.split(|&byte| byte == b'"').enumerate() {
        if position > 0 {
            f.write_str("\\\"")?;
        }
        escape(part, f)?;
    }
    f.write_str("\"")
}

macro_rules! as_strings {
    ($($type:ty)*) => {
        $(impl Present for $type {
            fn present(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                quoted(&self.0, f)
            }
        })*
    };
}

as_strings! { Str Text Uri }

impl Present for Strings {
    fn present(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, string) in self.iter().enumerate() {
            if position > 0 {
                f.write_str(" ")?;
            }
            quoted(string, f)?;
        }
        Ok(())
    }
}

/// Binary data.
impl Present for Box<[u8]> {
    fn present(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXUPPER.encode(self))
    }
}

/// EDNS options; those of SVCB are written by name.
impl Present for Options {
    fn present(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, (option, value)) in self.iter().enumerate() {
            let space = if position > 0 { " " } else { "" };
            write!(f, "{space}opt{option}={}", HEXLOWER.encode(value))?;
        }
        Ok(())
    }
}

macro_rules! define_display {
    ($(
        $(#[$doc:meta])*
        $type:ident { $($(#[$field_doc:meta])* $field:ident: $kind:ident,)* }
    )*) => {
        /// The data as it stands in a zone file.
        impl fmt::Display for RecordData {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(RecordData::$type(data) => define_display!(@show $type f data $($field)*),)*
                    RecordData::Raw(raw) => raw.fmt(f),
                }
            }
        }
    };
    (@show SIG $f:ident $data:ident $($field:ident)*) => { signature($data, $f) };
    (@show CAA $f:ident $data:ident $($field:ident)*) => {{
        // The tag is a word, not a string.
        write!($f, "{} ", $data.critical)?;
        escape(&$data.tag.0, $f)?;
        $f.write_str(" ")?;
        $data.value.present($f)
    }};
    (@show TLSA $f:ident $data:ident $($field:ident)*) => { association($data, $f) };
    (@show SVCB $f:ident $data:ident $($field:ident)*) => {
        service($data.priority, &$data.target, &$data.params, $f)
    };
    (@show HTTPS $f:ident $data:ident $($field:ident)*) => {
        service($data.priority, &$data.target, &$data.params, $f)
    };
    (@show $type:ident $f:ident $data:ident $first:ident $($field:ident)*) => {{
        $data.$first.present($f)?;
        $(
            $f.write_str(" ")?;
            $data.$field.present($f)?;
        )*
        Ok(())
    }};
}

crate::record_types!(define_display);

/// RFC 2535, 7.1; times in seconds since 1970, which RFC 4034 allows.
fn signature(data: &data::SIG, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(
        f,
        "{} {} {} {} {} {} {} ",
        RecordType(data.type_covered),
        data.algorithm,
        data.labels,
        data.original_ttl,
        data.expiration,
        data.inception,
        data.key_tag,
    )?;
    absolute(&data.signers_name, f)?;
    write!(f, " {}", BASE64.encode(&data.signature))
}

/// RFC 6698, 2.2, whose format has no form for no data.
fn association(data: &data::TLSA, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let [usage, selector, matching] = [data.cert_usage, data.selector, data.matching_type];
    if data.cert_association_data.is_empty() {
        let data = [usage, selector, matching].into();
        return write!(f, "{}", Raw { record_type: RecordType::TLSA, data });
    }
    write!(f, "{usage} {selector} {matching} {}", HEXUPPER.encode(&data.cert_association_data))
}

/// SVCB's and HTTPS's data (RFC 9460, 2.1).
fn service(
    priority: u16,
    target: &str,
    params: &Options,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    write!(f, "{priority} ")?;
    absolute(target, f)?;
    for (key, value) in params {
        f.write_str(" ")?;
        param(*key, value, f)?;
    }
    Ok(())
}

/// One parameter; a value that its key does not allow is written as that of a key without a name.
fn param(key: u16, value: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let shown = match key {
        0 => list(value, 2, |pair| key_name(u16::from_be_bytes([pair[0], pair[1]]))),
        1 => protocols(value),
        2 => value.is_empty().then(String::new),
        3 => <[u8; 2]>::try_from(value).ok().map(|port| u16::from_be_bytes(port).to_string()),
        4 => list(value, 4, |bytes| {
            <[u8; 4]>::try_from(bytes)
                .map(Ipv4Addr::from)
                .unwrap_or(Ipv4Addr::UNSPECIFIED)
                .to_string()
        }),
        5 => Some(BASE64.encode(value)),
        6 => list(value, 16, |bytes| {
            <[u8; 16]>::try_from(bytes)
                .map(Ipv6Addr::from)
                .unwrap_or(Ipv6Addr::UNSPECIFIED)
                .to_string()
        }),
        _ => None,
    };
    match shown {
        Some(text) if text.is_empty() => f.write_str(&key_name(key)),
        Some(text) => write!(f, "{}={text}", key_name(key)),
        None => {
            write!(f, "key{key}=")?;
            quoted(value, f)
        }
    }
}

fn key_name(key: u16) -> String {
    const NAMES: [&str; 7] =
        ["mandatory", "alpn", "no-default-alpn", "port", "ipv4hint", "ech", "ipv6hint"];
    NAMES.get(usize::from(key)).map_or_else(|| format!("key{key}"), |name| (*name).to_owned())
}

/// Values of `size` bytes each, one at least.
fn list(value: &[u8], size: usize, show: impl Fn(&[u8]) -> String) -> Option<String> {
    let whole = !value.is_empty() && value.len().is_multiple_of(size);
    whole.then(|| value.chunks_exact(size).map(show).collect::<Vec<_>>().join(","))
}

/// ALPN's protocols, if their lengths are right and none needs an escape.
fn protocols(value: &[u8]) -> Option<String> {
    let mut shown = Vec::new();
    let mut rest = value;
    while let Some((&length, tail)) = rest.split_first() {
        let (protocol, tail) = tail.split_at_checked(usize::from(length))?;
        let plain =
            protocol.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-./_".contains(byte));
        if protocol.is_empty() || !plain {
            return None;
        }
        shown.push(String::from_utf8_lossy(protocol).into_owned());
        rest = tail;
    }
    (!shown.is_empty()).then(|| shown.join(","))
}

/// The data as it stands in a zone file (RFC 3597, 5).
impl fmt::Display for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\\# {}", self.data.len())?;
        if !self.data.is_empty() {
            write!(f, " {}", HEXUPPER.encode(&self.data))?;
        }
        Ok(())
    }
}

/// A line of a zone file: name, TTL, class, type and data, with tabs between them.
impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        absolute(&self.name, f)?;
        write!(f, "\t{}\t{}\t{}\t{}", self.ttl, self.class, self.record_type(), self.data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::RecordClass;

    fn shown(data: RecordData) -> String {
        data.to_string()
    }

    fn https(params: &[(u16, &[u8])]) -> String {
        let params = params.iter().map(|(key, value)| (*key, Box::from(*value))).collect();
        shown(RecordData::HTTPS(data::HTTPS { priority: 1, target: "".into(), params }))
    }

    #[test]
    fn a_record_is_a_line_of_a_zone_file() {
        let data = RecordData::MX(data::MX { priority: 10, exchange: "mail.example".into() });
        let record = Record { name: "example".into(), class: RecordClass::IN, ttl: 300, data };
        assert_eq!(record.to_string(), "example.\t300\tIN\tMX\t10 mail.example.");
        let root = Record { name: "".into(), ..record };
        assert!(root.to_string().starts_with(".\t300"));
    }

    #[test]
    fn a_name_is_one_word() {
        for (name, expected) in [
            ("a+b!c.x", r"a\+b\!c.x."),
            (r"a\.b\\c\\!.x", r"a\.b\\c\\\!.x."),
            ("a b.x", r"a\032b.x."),
            ("#x.x", r"\035x.x."),
            (r"\000\255", r"\000\255."),
            ("_x-y.*.0/1", "_x-y.*.0/1."),
        ] {
            let data = RecordData::NS(data::NS { nsdname: name.into() });
            assert_eq!(shown(data), expected);
        }
    }

    #[test]
    fn strings_are_quoted_and_escaped() {
        let data = [&b"v=\"1\""[..], b"", b"\\ \0\xff"].map(Box::from).into();
        let text = shown(RecordData::TXT(data::TXT { data }));
        assert_eq!(text, r#""v=\"1\"" "" "\\ \000\255""#);
    }

    #[test]
    fn a_signature_has_its_parts_in_order() {
        let sig = data::SIG {
            type_covered: 1,
            algorithm: 5,
            labels: 2,
            original_ttl: 300,
            expiration: 7,
            inception: 6,
            key_tag: 9,
            signers_name: "a b".into(),
            signature: Box::from(*b"signed"),
        };
        assert_eq!(shown(RecordData::SIG(sig)), r"A 5 2 300 7 6 9 a\032b. c2lnbmVk");
    }

    #[test]
    fn an_association_without_data_is_hexadecimal() {
        let tlsa = |bytes: &[u8]| data::TLSA {
            cert_usage: 3,
            selector: 1,
            matching_type: 255,
            cert_association_data: bytes.into(),
        };
        assert_eq!(shown(RecordData::TLSA(tlsa(b"\x0a"))), "3 1 255 0A");
        assert_eq!(shown(RecordData::TLSA(tlsa(b""))), r"\# 3 0301FF");
    }

    #[test]
    fn a_property_is_a_word_and_its_value_a_string() {
        let data = data::CAA {
            critical: 128,
            tag: "issue".into(),
            value: Text(Box::from(*b"ca.example")),
        };
        assert_eq!(shown(RecordData::CAA(data)), r#"128 issue "ca.example""#);
    }

    #[test]
    fn parameters_have_names() {
        let all: &[(u16, &[u8])] = &[
            (0, b"\0\x01\0\x03"),
            (1, b"\x02h2\x02h3"),
            (2, b""),
            (3, b"\x03\x55"),
            (4, &[192, 0, 2, 1, 192, 0, 2, 2]),
            (5, b"\0\x01"),
            (6, &[0; 16]),
            (7, b"/dns{?dns}"),
        ];
        assert_eq!(
            https(all),
            "1 . mandatory=alpn,port alpn=h2,h3 no-default-alpn port=853 \
             ipv4hint=192.0.2.1,192.0.2.2 ech=AAE= ipv6hint=:: key7=\"/dns{?dns}\""
        );
    }

    #[test]
    fn parameters_that_are_malformed_have_numbers() {
        for (key, value) in [
            (0, &b"\0"[..]),
            (1, b"\x05h2"),
            (1, b"\0"),
            (1, b"\x01,"),
            (2, b"x"),
            (3, b"1"),
            (4, b""),
        ] {
            assert!(
                https(&[(key, value)]).starts_with(&format!("1 . key{key}=\"")),
                "{key} {value:?}"
            );
        }
    }

    #[test]
    fn what_nobody_knows_is_hexadecimal() {
        let raw = |data: &[u8]| {
            shown(RecordData::Raw(Raw { record_type: RecordType(65280), data: data.into() }))
        };
        assert_eq!(raw(&[0, 1, 0xfe]), r"\# 3 0001FE");
        assert_eq!(raw(&[]), r"\# 0");
    }
}
