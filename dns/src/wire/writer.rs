//! Writing a message.

use std::collections::HashMap;

use super::MAX_MESSAGE;
use crate::error::{Code, Error, Result};
use crate::field::Name;

/// The places that a pointer can name.
const POINTERS: usize = 0x4000;

/// A message that is being written.
#[derive(Default)]
pub(crate) struct Writer {
    wire: Vec<u8>,
    /// Where names, and the ends of names, stand.
    places: HashMap<Box<[u8]>, u16>,
    /// Whether names may point back: not in the data of types newer than RFC 1035 (RFC 3597, 4).
    pub(crate) pointers: bool,
}

impl Writer {
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.wire.extend_from_slice(bytes);
    }

    pub(crate) fn u8(&mut self, number: u8) {
        self.wire.push(number);
    }

    pub(crate) fn u16(&mut self, number: u16) {
        self.bytes(&number.to_be_bytes());
    }

    pub(crate) fn u32(&mut self, number: u32) {
        self.bytes(&number.to_be_bytes());
    }

    /// Bytes behind their length, which is one byte.
    pub(crate) fn string(&mut self, bytes: &[u8]) -> Result<()> {
        let length = u8::try_from(bytes.len()).map_err(|_| {
            Error::Invalid(format!("a string of {} bytes: 255 is the most", bytes.len()))
        })?;
        self.u8(length);
        self.bytes(bytes);
        Ok(())
    }

    /// What `write` writes, behind its length, which is two bytes.
    pub(crate) fn measured(&mut self, write: impl FnOnce(&mut Writer) -> Result<()>) -> Result<()> {
        let start = self.wire.len();
        self.u16(0);
        write(self)?;
        let length = self.wire.len() - start - 2;
        let length = u16::try_from(length).map_err(|_| {
            Error::Invalid(format!("{length} bytes of data: {MAX_MESSAGE} is the most"))
        })?;
        self.wire[start..start + 2].copy_from_slice(&length.to_be_bytes());
        Ok(())
    }

    /// A name, whose end may be a pointer to one that stands there already. The case of letters is
    /// kept, so only what is the same to the byte is pointed to.
    pub(crate) fn name(&mut self, name: &Name) -> Result<()> {
        let labels = name.to_wire()?;
        let mut rest = &labels[..];
        while rest[0] > 0 {
            match self.places.get(rest) {
                Some(place) if self.pointers => {
                    let pointer = 0xc000 | place;
                    self.u16(pointer);
                    return Ok(());
                }
                Some(_) => {}
                None => self.note(rest),
            }
            let (label, behind) = rest.split_at(usize::from(rest[0]) + 1);
            self.bytes(label);
            rest = behind;
        }
        self.u8(0);
        Ok(())
    }

    /// Remembers that a name begins here, if a pointer reaches it.
    fn note(&mut self, labels: &[u8]) {
        let place = self.wire.len();
        if self.pointers && place < POINTERS {
            self.places.insert(labels.into(), place as u16);
        }
    }

    /// The message. The error is for one that is too long.
    pub(crate) fn finish(self) -> Result<Vec<u8>> {
        let length = self.wire.len();
        if length > MAX_MESSAGE {
            let what = format!("the message has {length} bytes: {MAX_MESSAGE} is the most");
            return Err(Error::new(Code::EBADQUERY, what));
        }
        Ok(self.wire)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_of_names_are_pointed_to() {
        let mut writer = Writer { pointers: true, ..Writer::default() };
        for name in ["a.example", "b.example", "a.example", "", "A.example"] {
            writer.name(&name.into()).unwrap();
        }
        writer.pointers = false;
        writer.name(&"a.example".into()).unwrap();
        let expected = b"\x01a\x07example\0\x01b\xc0\x02\xc0\0\0\x01A\xc0\x02\x01a\x07example\0";
        assert_eq!(writer.finish().unwrap(), expected);
    }

    #[test]
    fn a_place_that_no_pointer_reaches_is_not_pointed_to() {
        let mut writer = Writer { pointers: true, ..Writer::default() };
        writer.bytes(&[0; POINTERS]);
        writer.name(&"a".into()).unwrap();
        writer.name(&"a".into()).unwrap();
        assert_eq!(writer.finish().unwrap()[POINTERS..], *b"\x01a\0\x01a\0");
    }

    #[test]
    fn lengths_are_kept_and_have_limits() {
        let mut writer = Writer::default();
        writer.measured(|writer| writer.string(b"ab")).unwrap();
        assert!(writer.string(&[0; 256]).is_err());
        assert_eq!(writer.finish().unwrap(), b"\0\x03\x02ab");
        let mut writer = Writer::default();
        assert!(
            writer
                .measured(|writer| {
                    writer.bytes(&[0; 65_536]);
                    Ok(())
                })
                .is_err()
        );
        let mut writer = Writer::default();
        writer.bytes(&[0; MAX_MESSAGE + 1]);
        assert!(writer.finish().is_err());
    }
}
