//! Domain names: their text, their bytes on the wire, and when two are the same.
//!
//! Text is in presentation format: labels between dots, `\.` for a dot inside a label, `\DDD`
//! for any byte by its decimal number. A [`Name`] keeps one text for each name, the one that c-ares
//! gives for what it has read: without the final dot, printable bytes as they are, `"` `.` `;` `\` `(`
//! `)` `@` `$` behind a backslash, other bytes by number.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;

use crate::error::{Error, Result};

/// The most bytes in one label (RFC 1035).
const MAX_LABEL: usize = 63;
/// The most bytes of a name on the wire, lengths and the root included (RFC 1035).
pub(crate) const MAX_WIRE: usize = 255;

/// A domain name in presentation format, without the final dot; `""` is the root.
///
/// Two names are the same whatever the case of their ASCII letters (RFC 4343). Shared, because
/// the names of one message repeat: the answers' owner is the question's name.
#[derive(Clone, Default)]
pub struct Name(Arc<str>);

impl Name {
    /// The name with this text, `"."` and a final dot included. The error names it and the rule it
    /// breaks.
    pub fn parse(text: &str) -> Result<Name> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_*/".contains(&byte);
        let wire = to_wire(text)?;
        if text.bytes().all(|byte| plain(byte) || byte == b'.') {
            return Ok(Name(text.strip_suffix('.').unwrap_or(text).into()));
        }
        Ok(Name::from_wire(&wire))
    }

    /// The name of these labels, each behind its length.
    pub(crate) fn from_wire(mut wire: &[u8]) -> Name {
        let mut text = String::with_capacity(wire.len());
        while let Some((&length, rest)) = wire.split_first()
            && length > 0
        {
            let (label, rest) = rest.split_at(usize::from(length).min(rest.len()));
            if !text.is_empty() {
                text.push('.');
            }
            push_label(&mut text, label);
            wire = rest;
        }
        Name(text.into())
    }

    /// A text that [`push_label`] has made.
    pub(crate) fn from_text(text: &str) -> Name {
        Name(text.into())
    }

    /// The labels, each behind its length, and the root's empty one.
    pub(crate) fn to_wire(&self) -> Result<Vec<u8>> {
        if self.is_empty() { Ok(vec![0]) } else { to_wire(self) }
    }

    /// Whether two names are one and the same allocation.
    pub fn shares(&self, other: &Name) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    fn lower(&self) -> impl Iterator<Item = u8> {
        self.0.bytes().map(|byte| byte.to_ascii_lowercase())
    }
}

/// A text that is no name stays as it is, and is refused when it is to be written.
impl From<&str> for Name {
    fn from(text: &str) -> Name {
        Name::parse(text).unwrap_or_else(|_| Name(text.into()))
    }
}

impl Deref for Name {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Name) -> bool {
        self.shares(other) || self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for Name {}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.lower().for_each(|byte| state.write_u8(byte));
        state.write_u8(0xff);
    }
}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Name) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Name) -> Ordering {
        self.lower().cmp(other.lower())
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

/// Adds a label's text.
pub(crate) fn push_label(text: &mut String, label: &[u8]) {
    if label.iter().all(|&byte| is_host_byte(byte))
        && let Ok(label) = str::from_utf8(label)
    {
        return text.push_str(label);
    }
    for &byte in label {
        match byte {
            b'"' | b'.' | b';' | b'\\' | b'(' | b')' | b'@' | b'$' => {
                text.push('\\');
                text.push(char::from(byte));
            }
            b' '..=b'~' => text.push(char::from(byte)),
            _ => {
                text.push('\\');
                for divisor in [100, 10, 1] {
                    text.push(char::from(b'0' + byte / divisor % 10));
                }
            }
        }
    }
}

/// Says whether `name` can be asked for; the error names it and the rule it breaks.
///
/// A trailing dot is allowed, and `"."` is the root.
pub fn validate(name: &str) -> Result<()> {
    if name.is_empty() {
        return Err(bad(name, "it is empty (\".\" is the root)"));
    }
    if is_ordinary(name) { Ok(()) } else { to_wire(name).map(drop) }
}

/// Whether a name is what nearly all are: labels of a host's bytes, all of which stand for themselves, and no
/// longer than they may be.
fn is_ordinary(name: &str) -> bool {
    let mut length = 0;
    name.len() <= MAX_WIRE - 2
        && name.bytes().all(|byte| {
            let before = length;
            length = if byte == b'.' { 0 } else { before + 1 };
            if byte == b'.' { before > 0 } else { before < MAX_LABEL && is_host_byte(byte) }
        })
}

/// Says whether `name` can be a host's.
pub fn validate_host(name: &str) -> Result<()> {
    validate(name)?;
    if is_host(&Name::parse(name)?) {
        return Ok(());
    }
    Err(bad(name, "hosts have names of letters, digits and -_./* only"))
}

/// Says whether `name` can stand in a message as a record's name; `""` is the root there.
pub(crate) fn validate_in_record(name: &str) -> Result<()> {
    if name.is_empty() { Ok(()) } else { to_wire(name).map(drop) }
}

/// Whether a name's text is one that c-ares asks for: without an escape, and of a host's bytes.
pub(crate) fn is_host(name: &str) -> bool {
    name.bytes().all(|byte| byte == b'.' || is_host_byte(byte))
}

fn is_host_byte(byte: u8) -> bool {
    HOST_BYTES[usize::from(byte)]
}

/// Which bytes a host's name may have.
static HOST_BYTES: [bool; 256] = {
    let mut known = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        known[byte] =
            (byte as u8).is_ascii_alphanumeric() || matches!(byte as u8, b'-' | b'_' | b'/' | b'*');
        byte += 1;
    }
    known
};

fn bad(name: &str, fault: impl fmt::Display) -> Error {
    Error::Invalid(format!("bad domain name {name:?}: {fault}"))
}

/// The bytes of a name that has a text.
fn to_wire(name: &str) -> Result<Vec<u8>> {
    if name == "." {
        return Ok(vec![0]);
    }
    let mut wire = Vec::with_capacity(name.len() + 2);
    // Where the current label's length stands.
    let mut start = 0;
    wire.push(0);
    let mut rest = name.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        let length = wire.len() - start - 1;
        let byte = match first {
            b'.' if length == 0 => return Err(bad(name, "it has an empty label")),
            b'.' => {
                start = wire.len();
                wire.push(0);
                continue;
            }
            b'\\' => {
                let (byte, used) = escape(rest).ok_or_else(|| {
                    bad(name, "a backslash begins no \\DDD and no escaped character")
                })?;
                rest = &rest[used..];
                byte
            }
            0 => return Err(bad(name, "it holds a NUL byte")),
            b' '..=b'~' => first,
            128.. => {
                return Err(bad(name, "it is not ASCII (encode an international name with IDNA)"));
            }
            control => {
                let fault = format!(
                    "it holds the control byte 0x{control:02x}; \\{control:03} stands for one"
                );
                return Err(bad(name, fault));
            }
        };
        if length == MAX_LABEL {
            return Err(bad(name, format!("it has a label of more than {MAX_LABEL} bytes")));
        }
        wire.push(byte);
        wire[start] += 1;
    }
    if wire[start] > 0 {
        wire.push(0);
    }
    if wire.len() > MAX_WIRE {
        let fault = format!("it is {} bytes on the wire, {MAX_WIRE} is the most", wire.len());
        return Err(bad(name, fault));
    }
    Ok(wire)
}

/// The byte that an escape stands for and the escape's length, the backslash not counted.
fn escape(rest: &[u8]) -> Option<(u8, usize)> {
    match rest {
        [digit, ..] if digit.is_ascii_digit() => {
            let number = std::str::from_utf8(rest.get(..3)?).ok()?;
            if !number.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            number.parse().ok().map(|byte| (byte, 3))
        }
        [byte @ b' '..=b'~', ..] => Some((*byte, 1)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::hash::{BuildHasher, RandomState};

    use super::*;

    fn message(name: &str) -> String {
        validate(name).expect_err(name).to_string()
    }

    #[test]
    fn names_that_can_be_asked_for() {
        for name in [
            "example.com",
            "example.com.",
            ".",
            "localhost",
            "_sip._tcp.x",
            "*.x",
            "0/25.x",
            r"a\.b.example.com",
            r"\097.example.com",
            r"\a.example.com",
            r"\000\255.x",
            r"back\\slash.x",
            "a b.x",
            r"\(comment\).x",
        ] {
            assert_eq!(validate(name), Ok(()), "{name}");
        }
    }

    #[test]
    fn names_that_hosts_may_have() {
        for name in ["example.com.", "_sip._tcp.x", "*.x", "0/25.x"] {
            assert_eq!(validate_host(name), Ok(()), "{name}");
        }
        for name in [r"\000\255.x", r"back\\slash.x", "a b.x", r"\(comment\).x", "a@b", r"a\.b.x"] {
            let error = validate_host(name).expect_err(name).to_string();
            assert!(error.contains(&format!("{name:?}")), "{error}");
        }
    }

    #[test]
    fn labels_end_at_63_bytes() {
        assert_eq!(validate(&"a".repeat(63)), Ok(()));
        assert_eq!(validate(&r"\097".repeat(63)), Ok(()));
        let long = "a".repeat(64);
        assert!(message(&long).contains(&long));
        assert!(message(&long).contains("label of more than 63"));
    }

    #[test]
    fn names_end_at_255_bytes_on_the_wire_however_long_their_text() {
        let label = "a".repeat(63);
        let longest = format!("{label}.{label}.{label}.{}", "a".repeat(61));
        assert_eq!(validate(&longest), Ok(()));
        assert_eq!(validate(&format!("{longest}.")), Ok(()));
        assert!(message(&format!("{longest}a")).contains("256 bytes on the wire"));
        let label = r"\200".repeat(63);
        let longest = format!("{label}.{label}.{label}.{}", r"\200".repeat(61));
        let name = Name::parse(&longest).unwrap();
        assert_eq!((&*name, name.to_wire().unwrap().len()), (&*longest, MAX_WIRE));
    }

    #[test]
    fn what_no_name_may_hold() {
        assert!(message("").contains("empty"));
        for name in ["..", ".example.com", "a..b", "example.com.."] {
            assert!(message(name).contains("empty label"), "{name}");
        }
        assert!(message("a\0b").contains("NUL"));
        assert!(message("b\u{fc}cher.example").contains("IDNA"));
        for control in ["a\tb", "a\nb", "a\x7fb"] {
            assert!(message(control).contains("control byte 0x"), "{control:?}");
        }
        for name in ["a\\", r"\256", r"\25", r"\2x5"] {
            assert!(message(name).contains("backslash"), "{name}");
        }
    }

    #[test]
    fn each_name_has_one_text() {
        for (text, expected) in [
            ("example.com.", "example.com"),
            (".", ""),
            ("", ""),
            (r"\097\.\b\(", r"a\.b\("),
            ("a b@c", r"a b\@c"),
            (r"\\.test", r"\\.test"),
            (r"\000\255", r"\000\255"),
        ] {
            assert_eq!(&*Name::parse(text).unwrap(), expected, "{text}");
        }
        assert!(Name::parse("example.com..").is_err());
        assert_eq!(&*Name::from("example.com.."), "example.com..");
    }

    #[test]
    fn case_makes_no_difference() {
        let (one, two) = (Name::from("Example.COM"), Name::from("example.com."));
        let hashes = RandomState::new();
        assert_eq!((&one, hashes.hash_one(&one)), (&two, hashes.hash_one(&two)));
        assert_eq!(one.cmp(&two), Ordering::Equal);
        assert!(Name::from("a.example") < Name::from("B.example"));
        assert_ne!(one, Name::from("example.co"));
    }

    #[test]
    fn bytes_of_a_label_have_a_text() {
        let wire = b"\x02\\@\x04a.\0\xff\x01b\0";
        let name = Name::from_wire(wire);
        assert_eq!(&*name, r"\\\@.a\.\000\255.b");
        assert_eq!(name.to_wire().unwrap(), wire);
    }
}
