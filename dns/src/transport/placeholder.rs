//! Messages that c-ares cannot write, and the questions that it asks in their place.
//!
//! c-ares writes questions about hosts only: of letters, digits and `-_./*`. A label may be any bytes
//! (RFC 2181, 11), and those of DNS-SD have spaces and dots. So c-ares is given a question of the same
//! shape that it can write, a [`Placeholder`], and on its way out the message that is meant takes its
//! place. On the way back the question is changed again. Both are as long, so that what points to
//! names in the answer points to the same places.

use std::collections::HashMap;

use crate::field::Name;
use crate::message::{Message, Question};
use crate::record::{Record, RecordData, data};
use crate::registry::RecordType;

/// EDNS's cookie (RFC 7873).
pub(super) const COOKIE: u16 = 10;

/// The types from which those of placeholders are taken, for private use (RFC 6895, 3.1).
const TYPES: std::ops::Range<u32> = 65_280..65_534;

const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";

/// A question that c-ares can write: its name in lower case on the wire, and its type.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Placeholder {
    labels: Box<[u8]>,
    pub(crate) record_type: RecordType,
}

impl Placeholder {
    /// As c-ares is given it.
    pub(crate) fn name(&self) -> Name {
        Name::from_wire(&self.labels)
    }
}

/// The messages that are meant, each by the question that stands for it.
#[derive(Default)]
pub(super) struct Placeholders {
    messages: HashMap<Placeholder, Message>,
    /// How many there have been.
    count: u32,
}

impl Placeholders {
    /// A question for a message with one. `None` where every one of that shape is taken.
    pub(super) fn add(&mut self, message: Message) -> Option<Placeholder> {
        let [question] = &*message.question else { return None };
        let shape = question.name.to_wire().ok()?;
        for _ in TYPES {
            self.count = self.count.wrapping_add(1);
            let placeholder = Placeholder {
                labels: numbered(&shape, self.count).into(),
                record_type: RecordType(
                    (TYPES.start + self.count % (TYPES.end - TYPES.start)) as u16,
                ),
            };
            if !self.messages.contains_key(&placeholder) {
                self.messages.insert(placeholder.clone(), message);
                return Some(placeholder);
            }
        }
        None
    }

    pub(super) fn remove(&mut self, placeholder: &Placeholder) {
        self.messages.remove(placeholder);
    }

    /// The message that is meant by a question of c-ares's: a name, a type and a class on the wire.
    pub(super) fn find(&self, question: &[u8]) -> Option<&Message> {
        if self.messages.is_empty() {
            return None;
        }
        let (labels, rest) = question.split_at_checked(question.len().checked_sub(4)?)?;
        let record_type = RecordType(u16::from_be_bytes([rest[0], rest[1]]));
        let labels = labels.to_ascii_lowercase().into();
        self.messages.get(&Placeholder { labels, record_type })
    }
}

/// The labels of a name in this shape, made of the digits of a number.
fn numbered(shape: &[u8], mut number: u32) -> Vec<u8> {
    let mut labels = shape.to_vec();
    let mut at = 0;
    while labels[at] > 0 {
        let end = at + 1 + usize::from(labels[at]);
        for byte in &mut labels[at + 1..end] {
            *byte = DIGITS[(number % 36) as usize];
            number /= 36;
        }
        at = end;
    }
    labels
}

/// What is sent for `theirs`, the message of c-ares's that `meant` is in place of: it has c-ares's
/// number, and its OPT record if c-ares still sends one, with c-ares's cookie.
pub(super) fn in_place(meant: &Message, theirs: &Message) -> Message {
    let mut sent = Message { id: theirs.id, ..meant.clone() };
    let cookie = theirs.opt().map(|opt| opt.options.iter().find(|(option, _)| *option == COOKIE));
    let change = |mut record: Record| match (&mut record.data, cookie) {
        (RecordData::OPT(_), None) => None,
        (RecordData::OPT(data::OPT { options, .. }), Some(Some(cookie)))
            if !options.iter().any(|(option, _)| *option == COOKIE) =>
        {
            *options = options.iter().chain([cookie]).cloned().collect();
            Some(record)
        }
        _ => Some(record),
    };
    sent.additional = sent.additional.into_iter().filter_map(change).collect();
    sent
}

/// The bytes of a message's question.
pub(super) fn question(question: &Question) -> Option<Box<[u8]>> {
    let mut wire = crate::wire::Writer::default();
    question.write(&mut wire).ok()?;
    wire.finish().ok().map(Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Flags;
    use crate::registry::{Opcode, Rcode, RecordClass};

    fn asking(name: &str, options: &[u16]) -> Message {
        let options = options.iter().map(|option| (*option, Box::from(*b"12345678"))).collect();
        let data = RecordData::OPT(data::OPT { udp_size: 1232, version: 0, flags: 0, options });
        let opt = Record { name: "".into(), class: RecordClass::IN, ttl: 0, data };
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
            additional: Box::from([opt]),
        }
    }

    #[test]
    fn a_placeholder_has_the_shape_of_the_name() {
        let mut all = Placeholders::default();
        let meant = asking(r"B\195\188ro 2\. OG._ipp.example", &[]);
        let first = all.add(meant.clone()).unwrap();
        let second = all.add(meant.clone()).unwrap();
        assert_ne!(first, second);
        let name = first.name();
        assert!(crate::name::is_host(&name), "{name:?}");
        assert_eq!(name.to_wire().unwrap().len(), meant.question[0].name.to_wire().unwrap().len());
        let asked = Question { name, record_type: first.record_type, class: RecordClass::IN };
        let wire = question(&asked).unwrap();
        assert_eq!(all.find(&wire), Some(&meant));
        assert_eq!(all.find(&wire.to_ascii_uppercase()[..wire.len() - 4]), None);
        all.remove(&first);
        assert_eq!(all.find(&wire), None);
    }

    #[test]
    fn the_root_has_placeholders_too_but_not_for_ever() {
        let mut all = Placeholders::default();
        let count = std::iter::from_fn(|| all.add(asking("", &[]))).count();
        assert_eq!(count, (TYPES.end - TYPES.start) as usize);
    }

    #[test]
    fn what_is_sent_has_what_c_ares_added() {
        let (meant, theirs) = (asking("a b", &[3, 3]), asking("x", &[COOKIE]));
        let sent = in_place(&meant, &Message { id: 9, ..theirs.clone() });
        assert_eq!((sent.id, &sent.question), (9, &meant.question));
        let options: Vec<_> =
            sent.opt().unwrap().options.iter().map(|(option, _)| *option).collect();
        assert_eq!(options, [3, 3, COOKIE]);
        let without = Message { additional: Box::default(), ..theirs };
        assert_eq!(in_place(&meant, &without).opt(), None);
    }
}
