//! Messages as JSON.
//!
//! A record is `{"name", "type", "class", "ttl", "data"}`, and its data an object of the fields
//! that [`data`](crate::data) has for the type. Names are without the final dot. Bytes that are
//! text by convention (TXT, CAA's value) are strings in which a byte that is no printable ASCII is
//! `\DDD` and a backslash is doubled; other bytes are hexadecimal; options are pairs of number and
//! bytes.

use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};

use data_encoding::HEXLOWER;

use crate::field::{Name, Options, Str, Strings, Text, Uri};
use crate::message::{Message, Question};
use crate::presentation;
use crate::record::{Record, RecordData};

impl Message {
    /// The message as one JSON object, on one line.
    pub fn to_json(&self) -> String {
        let mut out = String::with_capacity(256);
        let _ = write!(out, r#"{{"id":{},"flags":["#, self.id);
        list(&mut out, self.flags.iter_names(), |out, (name, _)| string(out, name));
        let _ = write!(out, r#"],"opcode":"{}","rcode":"{}""#, self.opcode, self.rcode);
        out.push_str(r#","question":["#);
        list(&mut out, &self.question, question);
        let sections = [
            ("answer", &self.answer),
            ("authority", &self.authority),
            ("additional", &self.additional),
        ];
        for (title, records) in sections {
            let _ = write!(out, r#"],"{title}":["#);
            list(&mut out, records, record);
        }
        out.push_str("]}");
        out
    }

    /// The answer section as a JSON array, on one line.
    pub fn answer_to_json(&self) -> String {
        let mut out = String::with_capacity(96 * self.answer.len() + 2);
        self.push_answer_json(&mut out);
        out
    }

    pub(crate) fn push_answer_json(&self, out: &mut String) {
        out.push('[');
        list(out, &self.answer, record);
        out.push(']');
    }
}

fn question(out: &mut String, question: &Question) {
    out.push_str(r#"{"name":"#);
    string(out, &question.name);
    let _ = write!(out, r#","type":"{}","class":"{}"}}"#, question.record_type, question.class);
}

fn record(out: &mut String, record: &Record) {
    out.push_str(r#"{"name":"#);
    string(out, &record.name);
    let (record_type, class, ttl) = (record.record_type(), record.class, record.ttl);
    let _ = write!(out, r#","type":"{record_type}","class":"{class}","ttl":{ttl},"data":{{"#);
    data(out, &record.data);
    out.push_str("}}");
}

/// Items with commas between them.
fn list<T>(
    out: &mut String,
    items: impl IntoIterator<Item = T>,
    mut push: impl FnMut(&mut String, T),
) {
    for (position, item) in items.into_iter().enumerate() {
        if position > 0 {
            out.push(',');
        }
        push(out, item);
    }
}

/// A string in quotes (RFC 8259, 7).
pub(crate) fn string(out: &mut String, text: &str) {
    out.push('"');
    push_escaped(out, text);
    out.push('"');
}

/// Bytes that should be UTF-8 as a string in quotes; one that is not stands as Python's
/// `surrogateescape` would have it.
pub(crate) fn text(out: &mut String, bytes: &[u8]) {
    out.push('"');
    for chunk in bytes.utf8_chunks() {
        push_escaped(out, chunk.valid());
        for byte in chunk.invalid() {
            let _ = write!(out, "\\udc{byte:02x}");
        }
    }
    out.push('"');
}

fn push_escaped(out: &mut String, text: &str) {
    let mut plain = 0;
    for (position, character) in text.char_indices() {
        if !character.is_control() && character != '"' && character != '\\' {
            continue;
        }
        out.push_str(&text[plain..position]);
        plain = position + character.len_utf8();
        match character {
            '"' | '\\' => {
                out.push('\\');
                out.push(character);
            }
            _ => {
                let _ = write!(out, "\\u{:04x}", u32::from(character));
            }
        }
    }
    out.push_str(&text[plain..]);
}

/// A value in a record's data.
trait Json {
    fn json(&self, out: &mut String);
}

macro_rules! displayed {
    ($open:literal, $($type:ty)*) => {
        $(impl Json for $type {
            fn json(&self, out: &mut String) {
                let _ = write!(out, concat!($open, "{}", $open), self);
            }
        })*
    };
}

displayed! { "", u8 u16 u32 }
displayed! { "\"", Ipv4Addr Ipv6Addr }

impl Json for Name {
    fn json(&self, out: &mut String) {
        string(out, self);
    }
}

impl Json for Str {
    fn json(&self, out: &mut String) {
        text(out, &self.0);
    }
}

impl Json for Uri {
    fn json(&self, out: &mut String) {
        text(out, &self.0);
    }
}

/// Bytes as zone files have them, in quotes.
fn bytes_as_text(out: &mut String, bytes: &[u8]) {
    let mut escaped = String::with_capacity(bytes.len());
    let _ = presentation::escape(bytes, &mut escaped);
    string(out, &escaped);
}

impl Json for Text {
    fn json(&self, out: &mut String) {
        bytes_as_text(out, &self.0);
    }
}

impl Json for Strings {
    fn json(&self, out: &mut String) {
        out.push('[');
        list(out, self, |out, string| bytes_as_text(out, string));
        out.push(']');
    }
}

impl Json for Box<[u8]> {
    fn json(&self, out: &mut String) {
        out.push('"');
        HEXLOWER.encode_append(self, out);
        out.push('"');
    }
}

impl Json for Options {
    fn json(&self, out: &mut String) {
        out.push('[');
        list(out, self, |out, (option, value)| {
            let _ = write!(out, "[{option},");
            value.json(out);
            out.push(']');
        });
        out.push(']');
    }
}

macro_rules! define_data {
    ($(
        $(#[$doc:meta])*
        $type:ident {
            $(#[$first_doc:meta])* $first:ident: $first_kind:ident,
            $($(#[$field_doc:meta])* $field:ident: $kind:ident,)*
        }
    )*) => {
        /// The fields of a record's data.
        fn data(out: &mut String, data: &RecordData) {
            match data {
                $(RecordData::$type(data) => {
                    out.push_str(concat!("\"", stringify!($first), "\":"));
                    data.$first.json(out);
                    $(
                        out.push_str(concat!(",\"", stringify!($field), "\":"));
                        data.$field.json(out);
                    )*
                })*
                RecordData::Raw(raw) => {
                    out.push_str("\"data\":");
                    raw.data.json(out);
                }
            }
        }
    };
}

crate::record_types!(define_data);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Flags;
    use crate::record::data;
    use crate::registry::{Opcode, Rcode, RecordClass, RecordType};

    fn message(answer: Vec<RecordData>) -> Message {
        let name: Name = r#"a"b\.c"#.into();
        let wrap = |data| Record { name: name.clone(), class: RecordClass::IN, ttl: 5, data };
        Message {
            id: 7,
            flags: Flags::QR | Flags::RD,
            opcode: Opcode::QUERY,
            rcode: Rcode::NXDOMAIN,
            question: Box::from([Question {
                name: "x.example".into(),
                record_type: RecordType(65280),
                class: RecordClass::IN,
            }]),
            answer: answer.into_iter().map(wrap).collect(),
            authority: Box::default(),
            additional: Box::default(),
        }
    }

    #[test]
    fn a_message_is_one_object() {
        assert_eq!(
            message(Vec::new()).to_json(),
            concat!(
                r#"{"id":7,"flags":["QR","RD"],"opcode":"QUERY","rcode":"NXDOMAIN","#,
                r#""question":[{"name":"x.example","type":"TYPE65280","class":"IN"}],"#,
                r#""answer":[],"authority":[],"additional":[]}"#
            )
        );
    }

    #[test]
    fn a_record_has_the_fields_of_its_type() {
        let mx = RecordData::MX(data::MX { priority: 10, exchange: "mail.example".into() });
        assert_eq!(
            message(vec![mx]).answer_to_json(),
            concat!(
                r#"[{"name":"a\\\"b\\.c","type":"MX","class":"IN","ttl":5,"#,
                r#""data":{"priority":10,"exchange":"mail.example"}}]"#
            )
        );
    }

    #[test]
    fn bytes_are_text_or_hexadecimal() {
        let strings = [&b"one"[..], b"", b"\\\"\n\xff"].map(Box::from).into();
        let txt = RecordData::TXT(data::TXT { data: strings });
        let params = Box::from([(3, Box::from([3, 0x55]))]);
        let svcb = RecordData::SVCB(data::SVCB { priority: 1, target: "".into(), params });
        let json = message(vec![txt, svcb]).answer_to_json();
        assert!(json.contains(r#""data":{"data":["one","","\\\\\"\\010\\255"]}"#), "{json}");
        assert!(json.contains(r#""params":[[3,"0355"]]"#), "{json}");
    }

    #[test]
    fn control_characters_are_escaped() {
        let uri = data::URI { priority: 1, weight: 1, target: "a\u{1}\u{7f}\u{e9}".into() };
        let json = message(vec![RecordData::URI(uri)]).answer_to_json();
        assert!(json.contains("\"target\":\"a\\u0001\\u007f\u{e9}\""), "{json}");
    }
}
