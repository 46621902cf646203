//! The kinds of value that a record's data is made of, and how each stands on the wire.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::error::{Error, Result};
pub use crate::name::Name;
use crate::wire::{MAX_MESSAGE, Malformed, Reader, Writer};

/// Option or parameter number and its bytes, as OPT, SVCB and HTTPS records carry them.
pub type Options = Box<[(u16, Box<[u8]>)]>;

/// TXT's character strings, each of at most 255 bytes.
pub type Strings = Box<[Box<[u8]>]>;

/// The most bytes of a character string.
const MAX_STRING: usize = 255;

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident)*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
            pub struct $name(pub Box<[u8]>);

            impl From<&str> for $name {
                fn from(text: &str) -> $name {
                    $name(text.as_bytes().into())
                }
            }
        )*
    };
}

texts! {
    /// A character string of at most 255 bytes, text by convention only.
    Str
    /// Bytes up to the end of the data that are text by convention only (CAA's value).
    Text
    /// A URI, up to the end of the data.
    Uri
}

/// A kind of value.
pub(crate) trait Field: Sized {
    fn read(wire: &mut Reader<'_>) -> std::result::Result<Self, Malformed>;

    /// The error is for what [`check`](Field::check) refuses.
    fn write(&self, wire: &mut Writer) -> Result<()>;

    /// Whether it can be written.
    fn check(&self) -> Result<()> {
        Ok(())
    }
}

macro_rules! plain_fields {
    ($($type:ty: |$wire:ident| $read:expr, |$out:ident, $value:ident| $write:expr;)*) => {
        $(impl Field for $type {
            fn read($wire: &mut Reader<'_>) -> std::result::Result<Self, Malformed> {
                $read
            }

            fn write(&self, $out: &mut Writer) -> Result<()> {
                let $value = self;
                $write;
                Ok(())
            }
        })*
    };
}

plain_fields! {
    Ipv4Addr: |wire| wire.ipv4().map(Ipv4Addr::from), |wire, address| wire.bytes(&address.octets());
    Ipv6Addr: |wire| wire.ipv6().map(Ipv6Addr::from), |wire, address| wire.bytes(&address.octets());
    u8: |wire| wire.u8(), |wire, number| wire.u8(*number);
    u16: |wire| wire.u16(), |wire, number| wire.u16(*number);
    u32: |wire| wire.u32(), |wire, number| wire.u32(*number);
}

fn too_long(what: &str, length: usize, most: usize) -> Result<()> {
    if length <= most {
        return Ok(());
    }
    Err(Error::Invalid(format!("{what} of {length} bytes: {most} is the most")))
}

impl Field for Name {
    fn read(wire: &mut Reader<'_>) -> std::result::Result<Self, Malformed> {
        wire.name()
    }

    fn write(&self, wire: &mut Writer) -> Result<()> {
        wire.name(self)
    }

    fn check(&self) -> Result<()> {
        crate::name::validate_in_record(self)
    }
}

impl Field for Str {
    fn read(wire: &mut Reader<'_>) -> std::result::Result<Self, Malformed> {
        wire.string().map(|bytes| Str(bytes.into()))
    }

    fn write(&self, wire: &mut Writer) -> Result<()> {
        wire.string(&self.0)
    }

    fn check(&self) -> Result<()> {
        too_long("a string", self.0.len(), MAX_STRING)
    }
}

macro_rules! rest_fields {
    ($($type:ty: |$bytes:ident| $new:expr, |$value:ident| $old:expr;)*) => {
        $(impl Field for $type {
            fn read(wire: &mut Reader<'_>) -> std::result::Result<Self, Malformed> {
                let $bytes = Box::from(wire.rest());
                Ok($new)
            }

            fn write(&self, wire: &mut Writer) -> Result<()> {
                let $value = self;
                wire.bytes($old);
                Ok(())
            }

            fn check(&self) -> Result<()> {
                let $value = self;
                too_long("a value", $old.len(), MAX_MESSAGE)
            }
        })*
    };
}

rest_fields! {
    Text: |bytes| Text(bytes), |text| &text.0;
    Uri: |bytes| Uri(bytes), |uri| &uri.0;
    Box<[u8]>: |bytes| bytes, |bytes| bytes;
}

impl Field for Strings {
    fn read(wire: &mut Reader<'_>) -> std::result::Result<Self, Malformed> {
        let mut strings = vec![wire.string()?.into()];
        while wire.left() > 0 {
            strings.push(wire.string()?.into());
        }
        Ok(strings.into())
    }

    fn write(&self, wire: &mut Writer) -> Result<()> {
        self.iter().try_for_each(|string| wire.string(string))
    }

    fn check(&self) -> Result<()> {
        if self.is_empty() {
            return Err(Error::Invalid("one string at least has to be there".to_owned()));
        }
        self.iter().try_for_each(|string| too_long("a string", string.len(), MAX_STRING))
    }
}

impl Field for Options {
    fn read(wire: &mut Reader<'_>) -> std::result::Result<Self, Malformed> {
        let mut options = Vec::new();
        while wire.left() > 0 {
            let (option, length) = (wire.u16()?, wire.u16()?);
            options.push((option, wire.bytes(length.into())?.into()));
        }
        Ok(options.into())
    }

    fn write(&self, wire: &mut Writer) -> Result<()> {
        self.iter().try_for_each(|(option, value)| {
            wire.u16(*option);
            wire.measured(|wire| {
                wire.bytes(value);
                Ok(())
            })
        })
    }

    fn check(&self) -> Result<()> {
        let length = self.iter().map(|(_, value)| value.len() + 4).sum();
        too_long("options", length, MAX_MESSAGE)
    }
}
