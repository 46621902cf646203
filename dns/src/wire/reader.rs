//! Reading a message.

use super::HEADER;
use crate::field::Name;
use crate::name::{MAX_WIRE, push_label};

/// What is wrong with bytes that were to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed(pub(crate) &'static str);

type Read<T> = Result<T, Malformed>;

/// A message, and how far it has been read.
pub(crate) struct Reader<'a> {
    wire: &'a [u8],
    at: usize,
    /// Where what may be read ends: the message, or a record's data.
    end: usize,
    /// Whether names may point back. SVCB's and HTTPS's may not (RFC 9460, 2.2).
    pub(crate) pointers: bool,
    /// The name at the place where questions begin, which most of the others point to.
    first: Option<Name>,
    /// The latest other one.
    latest: Option<Name>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(wire: &'a [u8]) -> Reader<'a> {
        Reader { wire, at: 0, end: wire.len(), pointers: true, first: None, latest: None }
    }

    /// How far it has been read.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// How many bytes are left.
    pub(crate) fn left(&self) -> usize {
        self.end - self.at
    }

    pub(crate) fn bytes(&mut self, count: usize) -> Read<&'a [u8]> {
        if count > self.left() {
            return Err(Malformed("it is cut short"));
        }
        let bytes = &self.wire[self.at..self.at + count];
        self.at += count;
        Ok(bytes)
    }

    /// All that is left.
    pub(crate) fn rest(&mut self) -> &'a [u8] {
        let bytes = &self.wire[self.at..self.end];
        self.at = self.end;
        bytes
    }

    /// Bytes that were passed already.
    pub(crate) fn between(&self, start: usize, end: usize) -> &'a [u8] {
        &self.wire[start..end]
    }

    fn array<const N: usize>(&mut self) -> Read<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.bytes(N)?);
        Ok(array)
    }

    pub(crate) fn u8(&mut self) -> Read<u8> {
        self.array().map(u8::from_be_bytes)
    }

    pub(crate) fn u16(&mut self) -> Read<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub(crate) fn u32(&mut self) -> Read<u32> {
        self.array().map(u32::from_be_bytes)
    }

    pub(crate) fn ipv4(&mut self) -> Read<[u8; 4]> {
        self.array()
    }

    pub(crate) fn ipv6(&mut self) -> Read<[u8; 16]> {
        self.array()
    }

    /// A length in one byte, and so many bytes.
    pub(crate) fn string(&mut self) -> Read<&'a [u8]> {
        let length = self.u8()?;
        self.bytes(length.into())
    }

    /// Calls `read` with the next `length` bytes as all there is, and goes on behind them.
    pub(crate) fn within<T>(
        &mut self,
        length: usize,
        read: impl FnOnce(&mut Reader<'a>) -> T,
    ) -> Read<T> {
        if length > self.left() {
            return Err(Malformed("it is cut short"));
        }
        let (start, outer) = (self.at, self.end);
        self.end = start + length;
        let read = read(self);
        (self.at, self.end) = (start + length, outer);
        Ok(read)
    }

    /// A name, whose end may be a pointer to one that came before (RFC 1035, 4.1.4).
    pub(crate) fn name(&mut self) -> Read<Name> {
        if let Some(first) = &self.first
            && self.pointers
            && self.wire[self.at..self.end].starts_with(&[0xc0, HEADER as u8])
        {
            self.at += 2;
            return Ok(first.clone());
        }
        let begin = self.at;
        let text = self.name_text()?;
        for known in [&self.first, &self.latest].into_iter().flatten() {
            // Not by `==`: another case is another text.
            if **known == *text {
                return Ok(known.clone());
            }
        }
        let name = Name::from_text(&text);
        *(if begin == HEADER { &mut self.first } else { &mut self.latest }) = Some(name.clone());
        Ok(name)
    }

    fn name_text(&mut self) -> Read<String> {
        let mut text = String::with_capacity(32);
        let (mut at, mut length) = (self.at, 1);
        // Where a name that goes on elsewhere is left, and what it must point in front of.
        let (mut left_at, mut before) = (None, self.at);
        // A name is read within its data; what it points to is anywhere before.
        let mut end = self.end;
        loop {
            let Some(&byte) = self.wire[..end].get(at) else {
                return Err(Malformed("a name is cut short"));
            };
            at += 1;
            match byte {
                0 => break,
                1..=63 => {
                    let label = self.wire[..end].get(at..at + usize::from(byte));
                    let label = label.ok_or(Malformed("a name is cut short"))?;
                    at += label.len();
                    length += label.len() + 1;
                    if length > MAX_WIRE {
                        return Err(Malformed("a name is longer than 255 bytes"));
                    }
                    if !text.is_empty() {
                        text.push('.');
                    }
                    push_label(&mut text, label);
                }
                0xc0.. if !self.pointers => {
                    return Err(Malformed("a name is compressed where none may be"));
                }
                0xc0.. => {
                    let Some(&low) = self.wire[..end].get(at) else {
                        return Err(Malformed("a name is cut short"));
                    };
                    let target = usize::from(byte & 0x3f) << 8 | usize::from(low);
                    left_at.get_or_insert(at + 1);
                    if target >= before {
                        return Err(Malformed("a name points forward"));
                    }
                    (at, before, end) = (target, target, self.wire.len());
                }
                _ => return Err(Malformed("a name has a label of an unknown kind")),
            }
        }
        self.at = left_at.unwrap_or(at);
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A header's length of nothing, and what follows.
    fn behind_header(bytes: &[u8]) -> Vec<u8> {
        [&[0; HEADER][..], bytes].concat()
    }

    fn at_header(wire: &[u8]) -> Reader<'_> {
        let mut reader = Reader::new(wire);
        reader.bytes(HEADER).unwrap();
        reader
    }

    #[test]
    fn names_are_shared_and_followed() {
        let wire = behind_header(b"\x01a\x01b\0\xc0\x0c\x01x\xc0\x0e\x01x\xc0\x0e\0");
        let mut reader = at_header(&wire);
        let names: Vec<_> = (0..5).map(|_| reader.name().unwrap()).collect();
        let texts: Vec<&str> = names.iter().map(|name| &**name).collect();
        assert_eq!(texts, ["a.b", "a.b", "x.b", "x.b", ""]);
        assert!(names[0].shares(&names[1]) && names[2].shares(&names[3]));
        assert_eq!(reader.left(), 0);
    }

    #[test]
    fn names_that_are_none() {
        let long = [b"\x3f".as_slice(), &[b'a'; 63]].concat().repeat(4);
        for (bytes, fault) in [
            (&b"\x01"[..], "cut short"),
            (b"", "cut short"),
            (b"\x01a", "cut short"),
            (b"\xc0", "cut short"),
            (b"\xc0\x0c", "points forward"),
            (b"\xc0\xff", "points forward"),
            (b"\x40a\0", "unknown kind"),
            (&[&long[..], b"\0"].concat(), "longer than 255"),
        ] {
            let wire = behind_header(bytes);
            let error = at_header(&wire).name().expect_err(fault);
            assert!(error.0.contains(fault), "{bytes:?}: {error:?}");
        }
    }

    #[test]
    fn what_is_within_ends_where_it_ends() {
        let wire = [1, 2, 3, 4];
        let mut reader = Reader::new(&wire);
        let inner = reader.within(2, |inner| (inner.u8(), inner.u16())).unwrap();
        assert_eq!(inner, (Ok(1), Err(Malformed("it is cut short"))));
        assert_eq!((reader.at(), reader.u16()), (2, Ok(0x0304)));
        assert!(reader.within(1, |_| ()).is_err());
    }

    #[test]
    fn a_name_may_not_point_where_none_may() {
        let wire = behind_header(b"\x01a\0\xc0\x0c");
        let mut reader = at_header(&wire);
        reader.name().unwrap();
        reader.pointers = false;
        assert!(reader.name().is_err());
    }
}
