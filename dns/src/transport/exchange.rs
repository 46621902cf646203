//! What was asked, and what came for it.

use std::net::SocketAddr;

use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::SmallVec;

use super::placeholder::{COOKIE, Placeholders, in_place, question};
use crate::message::{Message, Parsed, Placed};
use crate::registry::{Opcode, Rcode, RecordType};
use crate::wire::HEADER;

/// The types whose data c-ares reads, and is stricter about than it has to be.
const FRAGILE: [RecordType; 8] = [
    RecordType::HINFO,
    RecordType::NAPTR,
    RecordType::CAA,
    RecordType::TLSA,
    RecordType::SIG,
    RecordType::URI,
    RecordType::SVCB,
    RecordType::HTTPS,
];

/// The kinds of message that c-ares knows.
const OPCODES: [Opcode; 5] =
    [Opcode::QUERY, Opcode::IQUERY, Opcode::STATUS, Opcode::NOTIFY, Opcode::UPDATE];

/// A type whose data nobody reads, for private use (RFC 6895, 3.1).
const UNREAD: [u8; 2] = 65_281_u16.to_be_bytes();

/// A record that makes a message one that may not be kept: of the root, with a time to live of 0.
const NOT_TO_BE_KEPT: [u8; 11] = [0, UNREAD[0], UNREAD[1], 0, 1, 0, 0, 0, 0, 0, 0];

/// The questions that are on their way, by number.
#[derive(Default)]
pub(super) struct Exchange {
    asked: FxHashMap<u16, Asked>,
    /// The servers that have sent a cookie, of which c-ares takes no answer without one.
    with_cookies: FxHashSet<SocketAddr>,
    /// Whether all answers are.
    pub(super) keep_all: bool,
}

/// A question, and what came for it.
#[derive(Default)]
pub(super) struct Asked {
    /// As c-ares wrote it. Empty as long as it has not been sent.
    written: SmallVec<[u8; 48]>,
    /// As it was sent, if another was meant.
    sent: Option<Box<[u8]>>,
    /// The first half of the cookie that went with it.
    cookie: Option<[u8; 8]>,
    keep: bool,
    /// Mostly there is one.
    pub(super) kept: SmallVec<[Kept; 1]>,
    /// What was wrong with an answer.
    pub(super) fault: Option<String>,
}

/// An answer.
pub(super) struct Kept {
    /// What c-ares got of it.
    pub(super) given: Box<[u8]>,
    pub(super) message: Message,
}

/// What c-ares gets of a message.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Given {
    /// The message as it came.
    Same,
    Changed(Vec<u8>),
    Nothing,
}

impl Exchange {
    /// A message of c-ares's goes out. Returns what is sent in its place, if anything.
    pub(super) fn sends(&mut self, wire: &[u8], placeholders: &Placeholders) -> Option<Vec<u8>> {
        let number = number(wire)?;
        let end = question_end(wire)?;
        let written = &wire[HEADER..end];
        let meant = placeholders.find(written);
        let sent = meant.and_then(|meant| {
            let theirs = Message::parse(wire).ok()?;
            let sent = in_place(meant, &theirs);
            // It could be written without c-ares's cookie.
            let wire =
                sent.to_bytes().or_else(|_| Message { id: theirs.id, ..meant.clone() }.to_bytes());
            Some((question(&meant.question[0])?, wire.ok()?))
        });
        let cookie = cookie(&wire[end..]);
        let (sent_question, sent_wire) = sent.unzip();
        let asked = self.asked.entry(number).or_default();
        // Else it is tried again.
        if !same_question(&asked.written, written) {
            let keep = self.keep_all || asked.keep;
            *asked = Asked { sent: sent_question, keep, ..Asked::default() };
        }
        asked.written = written.into();
        asked.cookie = cookie;
        sent_wire
    }

    /// A message came from `peer`.
    pub(super) fn receives(&mut self, wire: &[u8], peer: SocketAddr) -> Given {
        let asked = number(wire).and_then(|number| self.asked.get_mut(&number));
        let Some(asked) = asked.filter(|asked| !asked.written.is_empty()) else {
            // c-ares asks elsewhere, or over a new connection, when a server talks nonsense.
            let nonsense = !wire.is_empty() && Message::read(wire).is_err();
            return if nonsense { Given::Same } else { Given::Nothing };
        };
        let fault = |what: String| Some(format!("the answer of {peer}: {what}"));
        let parsed = match Message::read(wire) {
            Ok(parsed) => parsed,
            Err(what) => {
                asked.fault = fault(what);
                return Given::Same;
            }
        };
        let message = &parsed.message;
        let expected = asked.sent.as_deref().unwrap_or(&asked.written);
        let mut given = match &*message.question {
            [_] if same_question(&wire[HEADER..parsed.question_end], expected) => None,
            // An answer to another question.
            [_] => return Given::Nothing,
            [] if refuses(message.rcode) => Some(with_question(wire, &asked.written)),
            questions => {
                asked.fault = fault(format!("it has {} questions", questions.len()));
                return Given::Same;
            }
        };
        if let Some(sent) = asked.cookie {
            match cookie_in(message) {
                Some(cookie) => {
                    asked.fault = cookie_fault(&sent, cookie, message.rcode).and_then(fault);
                    if cookie.len() > sent.len() {
                        self.with_cookies.insert(peer);
                    }
                }
                None if self.with_cookies.contains(&peer) => {
                    asked.fault = fault("it has no cookie".to_owned());
                }
                None => {}
            }
        }
        if given.is_none() {
            given = changed(wire, &parsed, asked.sent.as_ref().map(|_| &*asked.written));
        }
        if asked.keep {
            let given = given.as_deref().unwrap_or(wire).into();
            asked.kept.push(Kept { given, message: parsed.message });
        }
        given.map_or(Given::Same, Given::Changed)
    }

    /// The answers to a question are kept. It may have been sent, or wait for its connection.
    pub(super) fn expect(&mut self, number: u16) {
        self.asked.entry(number).or_default().keep = true;
    }

    /// A question has been answered, or given up.
    pub(super) fn end(&mut self, number: u16) -> Option<Asked> {
        self.asked.remove(&number)
    }

    pub(super) fn clear(&mut self) {
        self.asked.clear();
    }
}

fn number(wire: &[u8]) -> Option<u16> {
    wire.first_chunk().map(|bytes| u16::from_be_bytes(*bytes))
}

/// Where the question of a message of c-ares's ends.
fn question_end(wire: &[u8]) -> Option<usize> {
    let mut at = HEADER;
    loop {
        let length = usize::from(*wire.get(at)?);
        at += length + 1;
        if length == 0 {
            break;
        }
    }
    (wire.len() >= at + 4).then_some(at + 4)
}

/// Whether two questions are the same on the wire, whatever the case of their names' letters.
fn same_question(one: &[u8], other: &[u8]) -> bool {
    match (one.split_last_chunk::<4>(), other.split_last_chunk::<4>()) {
        (Some((name, rest)), Some((other, other_rest))) => {
            rest == other_rest && name.eq_ignore_ascii_case(other)
        }
        _ => false,
    }
}

/// Whether a server that says so may leave the question out: it could not read it, or would not.
fn refuses(rcode: Rcode) -> bool {
    [Rcode::FORMERR, Rcode::SERVFAIL, Rcode::NOTIMP, Rcode::REFUSED].contains(&rcode)
}

/// A header and a question, and nothing else.
fn with_question(wire: &[u8], question: &[u8]) -> Vec<u8> {
    [&wire[..4], &[0, 1, 0, 0, 0, 0, 0, 0], question].concat()
}

/// A copy that c-ares can read, if it could not read the message itself; with another question, if it
/// asked for one in place of what was meant.
fn changed(wire: &[u8], parsed: &Parsed, written: Option<&[u8]>) -> Option<Vec<u8>> {
    let message = &parsed.message;
    let unreadable = |found: &&Placed| found.odd || FRAGILE.contains(&found.record_type);
    let any_unreadable = parsed.records.iter().any(|found| unreadable(&found));
    let unknown = !OPCODES.contains(&message.opcode);
    let twice = message.opt().is_some_and(|opt| {
        let numbers = opt.options.iter().map(|(number, _)| number).enumerate();
        numbers
            .clone()
            .any(|(at, number)| opt.options[..at].iter().any(|(other, _)| other == number))
    });
    if !any_unreadable && !unknown && !twice && written.is_none() {
        return None;
    }
    let mut copy = wire.to_vec();
    for found in &parsed.records {
        // From an SOA record c-ares learns how long it may keep that there is nothing.
        if unreadable(&found) || found.record_type == RecordType::SOA {
            copy[found.type_at..found.type_at + 2].copy_from_slice(&UNREAD);
        }
    }
    if let Some(written) = written {
        copy[HEADER..HEADER + written.len()].copy_from_slice(written);
    }
    if unknown {
        copy[2] &= !0x78;
    }
    // c-ares would keep it as it sees it.
    let count = u16::from_be_bytes([copy[10], copy[11]]);
    if let Some(count) = count.checked_add(1)
        && copy.len() + NOT_TO_BE_KEPT.len() <= crate::wire::MAX_MESSAGE
    {
        copy[10..12].copy_from_slice(&count.to_be_bytes());
        copy.truncate(parsed.end);
        copy.extend_from_slice(&NOT_TO_BE_KEPT);
    }
    Some(copy)
}

/// The first half of the cookie in what follows a question of c-ares's: an OPT record.
fn cookie(opt: &[u8]) -> Option<[u8; 8]> {
    let mut options = opt.get(11..)?;
    while let Some((head, rest)) = options.split_first_chunk::<4>() {
        let [option, length] = [[head[0], head[1]], [head[2], head[3]]].map(u16::from_be_bytes);
        let (value, rest) = rest.split_at_checked(length.into())?;
        if option == COOKIE {
            return value.first_chunk().copied();
        }
        options = rest;
    }
    None
}

fn cookie_in(message: &Message) -> Option<&[u8]> {
    let options = &message.opt()?.options;
    options.iter().find(|(option, _)| *option == COOKIE).map(|(_, value)| &**value)
}

/// What is wrong with the cookie of an answer (RFC 7873, 5.3). c-ares passes over such an answer.
fn cookie_fault(sent: &[u8; 8], cookie: &[u8], rcode: Rcode) -> Option<String> {
    if !(8..=40).contains(&cookie.len()) {
        return Some(format!("its cookie has {} bytes", cookie.len()));
    }
    if !cookie.starts_with(sent) {
        return Some("its cookie is not the one that was sent".to_owned());
    }
    (rcode == Rcode::BADCOOKIE).then(|| "it says that the cookie is bad (BADCOOKIE)".to_owned())
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddrV4};

    use super::*;
    use crate::message::{Flags, Question};
    use crate::record::{Raw, Record, RecordData, data};
    use crate::registry::RecordClass;

    const PEER: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::new(192, 0, 2, 1), 53));

    fn message(name: &str, record_type: RecordType) -> Message {
        Message {
            id: 7,
            flags: Flags::RD,
            opcode: Opcode::QUERY,
            rcode: Rcode::NOERROR,
            question: Box::from([Question {
                name: name.into(),
                record_type,
                class: RecordClass::IN,
            }]),
            answer: Box::default(),
            authority: Box::default(),
            additional: Box::default(),
        }
    }

    fn record(data: RecordData) -> Record {
        Record { name: "x.example".into(), class: RecordClass::IN, ttl: 300, data }
    }

    fn opt(options: &[(u16, &[u8])]) -> Record {
        let options = options.iter().map(|(option, value)| (*option, Box::from(*value))).collect();
        let data = RecordData::OPT(data::OPT { udp_size: 1232, version: 0, flags: 0, options });
        Record { name: "".into(), ttl: 0, ..record(data) }
    }

    /// An exchange in which this was asked.
    fn asked(message: &Message) -> Exchange {
        let mut exchange = Exchange { keep_all: true, ..Exchange::default() };
        let wire = message.to_bytes().unwrap();
        assert_eq!(exchange.sends(&wire, &Placeholders::default()), None);
        exchange
    }

    #[test]
    fn an_answer_is_kept_and_given_on() {
        let query = message("x.example", RecordType::A);
        let mut exchange = asked(&query);
        let address = RecordData::A(data::A { addr: [192, 0, 2, 7].into() });
        let question =
            Box::from([Question { name: "X.Example".into(), ..query.question[0].clone() }]);
        let answer = Message { answer: Box::from([record(address)]), question, ..query };
        let wire = answer.to_bytes().unwrap();
        assert_eq!(exchange.receives(&wire, PEER), Given::Same);
        let kept = exchange.end(7).unwrap().kept;
        assert_eq!((&kept[0].message, &*kept[0].given), (&answer, &wire[..]));
        assert_eq!(exchange.receives(&wire, PEER), Given::Nothing);
    }

    #[test]
    fn what_was_not_asked_goes_no_further() {
        let query = message("x.example", RecordType::A);
        let mut exchange = asked(&query);
        for other in [
            message("y.example", RecordType::A),
            message("x.example", RecordType::NS),
            Message { id: 8, ..query },
        ] {
            assert_eq!(exchange.receives(&other.to_bytes().unwrap(), PEER), Given::Nothing);
        }
        assert_eq!(exchange.receives(b"", PEER), Given::Nothing);
        assert_eq!(exchange.receives(b"nonsense", PEER), Given::Same);
    }

    #[test]
    fn answers_are_kept_that_are_expected() {
        let query = message("x.example", RecordType::A).to_bytes().unwrap();
        for (before, kept) in [(true, 1), (false, 1)] {
            let mut exchange = Exchange::default();
            if before {
                exchange.expect(7);
            }
            exchange.sends(&query, &Placeholders::default());
            exchange.receives(&query, PEER);
            if !before {
                exchange.expect(7);
                exchange.receives(&query, PEER);
            }
            assert_eq!(exchange.end(7).unwrap().kept.len(), kept);
        }
        let mut exchange = Exchange::default();
        exchange.sends(&query, &Placeholders::default());
        exchange.receives(&query, PEER);
        assert_eq!(exchange.end(7).unwrap().kept.len(), 0);
    }

    #[test]
    fn a_refusal_gets_the_question_that_it_lacks() {
        let query = message("x.example", RecordType::A);
        let mut exchange = asked(&query);
        let wire = query.to_bytes().unwrap();
        for (rcode, given) in [
            (Rcode::FORMERR, true),
            (Rcode::SERVFAIL, true),
            (Rcode::NOTIMP, true),
            (Rcode::REFUSED, true),
            (Rcode::NXDOMAIN, false),
            (Rcode::NOERROR, false),
        ] {
            let refusal =
                Message { question: Box::default(), rcode, flags: Flags::QR, ..query.clone() };
            let expected = Message { question: query.question.clone(), ..refusal.clone() };
            let seen = exchange.receives(&refusal.to_bytes().unwrap(), PEER);
            let expected =
                if given { Given::Changed(expected.to_bytes().unwrap()) } else { Given::Same };
            assert_eq!(seen, expected, "{rcode}");
        }
        assert_eq!(wire.len(), 27);
        let fault = exchange.end(7).unwrap().fault.unwrap();
        assert_eq!(fault, "the answer of 192.0.2.1:53: it has 0 questions");
    }

    #[test]
    fn c_ares_does_not_see_what_it_cannot_read() {
        let query = message("x.example", RecordType::CAA);
        let mut exchange = asked(&query);
        let caa = data::CAA { critical: 0, tag: "issue".into(), value: "".into() };
        let odd = Raw { record_type: RecordType::MX, data: Box::from([1]) };
        let answer = Message {
            answer: Box::from([record(RecordData::CAA(caa)), record(RecordData::Raw(odd))]),
            additional: Box::from([opt(&[(15, b"\0\x16"), (15, b"\0\x17")])]),
            opcode: Opcode(6),
            ..query
        };
        let Given::Changed(given) = exchange.receives(&answer.to_bytes().unwrap(), PEER) else {
            panic!("c-ares gets it as it is");
        };
        let read = c_ares::DnsRecord::parse(&given, c_ares::DnsParseFlags::empty()).unwrap();
        assert_eq!(read.rr_count(c_ares::DnsSection::Answer), 2);
        assert_eq!(exchange.end(7).unwrap().kept[0].message, answer);
    }

    #[test]
    fn what_is_meant_is_sent_and_asked_back() {
        let mut placeholders = Placeholders::default();
        let meant = message("a b.example", RecordType::SRV);
        let placeholder = placeholders.add(meant.clone()).unwrap();
        let theirs = Message { id: 9, ..message(&placeholder.name(), placeholder.record_type) };
        let mut exchange = Exchange { keep_all: true, ..Exchange::default() };
        let sent = exchange.sends(&theirs.to_bytes().unwrap(), &placeholders).unwrap();
        assert_eq!(Message::parse(&sent).unwrap(), Message { id: 9, ..meant.clone() });
        let answer = Message { id: 9, flags: Flags::QR, ..meant };
        let Given::Changed(given) = exchange.receives(&answer.to_bytes().unwrap(), PEER) else {
            panic!("c-ares gets it as it is");
        };
        let given = Message::parse(&given).unwrap();
        assert_eq!((&given.question, given.additional.len()), (&theirs.question, 1));
        assert_eq!(exchange.receives(&theirs.to_bytes().unwrap(), PEER), Given::Nothing);
    }

    #[test]
    fn a_fault_says_what_is_wrong_with_which_server_s_answer() {
        let query = message("x.example", RecordType::A);
        let mut exchange = asked(&query);
        let mut wire = query.to_bytes().unwrap();
        wire[7] = 1;
        assert_eq!(exchange.receives(&wire, PEER), Given::Same);
        let fault = exchange.end(7).unwrap().fault.unwrap();
        assert_eq!(
            fault,
            "the answer of 192.0.2.1:53: answer record 1, without a name: a name is cut short"
        );
    }

    #[test]
    fn a_bad_cookie_is_a_fault() {
        let with = |cookie: &[u8]| Message {
            additional: Box::from([opt(&[(3, b"x"), (COOKIE, cookie)])]),
            ..message("x.example", RecordType::A)
        };
        let mut exchange = asked(&with(b"12345678"));
        let mut fault = |answer: &Message| {
            exchange.receives(&answer.to_bytes().unwrap(), PEER);
            exchange.asked[&7].fault.clone()
        };
        assert_eq!(fault(&message("x.example", RecordType::A)), None);
        assert_eq!(fault(&with(b"1234567887654321")), None);
        let missing = fault(&message("x.example", RecordType::A)).unwrap();
        assert!(missing.ends_with("it has no cookie"), "{missing}");
        let other = fault(&with(b"0234567887654321")).unwrap();
        assert!(other.ends_with("its cookie is not the one that was sent"), "{other}");
        assert!(fault(&with(b"1234")).unwrap().ends_with("its cookie has 4 bytes"));
        let refused = Message { rcode: Rcode::BADCOOKIE, ..with(b"1234567887654321") };
        assert!(fault(&refused).unwrap().contains("BADCOOKIE"));
    }
}
