//! The kinds of value that a record's data is made of, and how c-ares holds each.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use c_ares::{DnsRr, DnsRrKey};

use crate::error::{Error, Result};
use crate::name;

/// A domain name in presentation format, without the final dot; `""` is the root.
///
/// Shared, because the names of one message repeat: the answers' owner is the question's name.
pub type Name = Arc<str>;

/// Option or parameter number and its bytes, as OPT, SVCB and HTTPS records carry them.
pub type Options = Box<[(u16, Box<[u8]>)]>;

/// TXT's character strings, each of at most 255 bytes.
pub type Strings = Box<[Box<[u8]>]>;

/// Bytes that are text by convention only (CAA's value).
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Text(pub Box<[u8]>);

/// The names seen so far in one message: the question's, and the latest other one.
#[derive(Default)]
pub(crate) struct Names {
    question: Option<Name>,
    latest: Option<Name>,
}

impl Names {
    /// `name` as a shared string; the first one given is the question's.
    pub fn share(&mut self, name: &str) -> Name {
        for known in [&self.question, &self.latest].into_iter().flatten() {
            if **known == *name {
                return known.clone();
            }
        }
        let shared = Name::from(name);
        let seat = if self.question.is_none() { &mut self.question } else { &mut self.latest };
        *seat = Some(shared.clone());
        shared
    }
}

/// A kind of value: reading it from c-ares's record and writing it into one.
pub(crate) trait Field: Sized {
    /// The value under `key`; `None` if the record has none, which no parsed record does.
    fn read(rr: &DnsRr, key: DnsRrKey, names: &mut Names) -> Option<Self>;

    /// Sets the value under `key`.
    fn write(&self, rr: &mut DnsRr, key: DnsRrKey) -> Result<()>;
}

macro_rules! plain_fields {
    ($($type:ty: |$rr:ident, $key:ident| $get:expr, $set:ident;)*) => {
        $(impl Field for $type {
            fn read($rr: &DnsRr, $key: DnsRrKey, _: &mut Names) -> Option<Self> {
                $get
            }

            fn write(&self, rr: &mut DnsRr, key: DnsRrKey) -> Result<()> {
                rr.$set(key, *self)?;
                Ok(())
            }
        })*
    };
}

plain_fields! {
    Ipv4Addr: |rr, key| rr.get_addr(key), set_addr;
    Ipv6Addr: |rr, key| rr.get_addr6(key), set_addr6;
    u8: |rr, key| Some(rr.get_u8(key)), set_u8;
    u16: |rr, key| Some(rr.get_u16(key)), set_u16;
    u32: |rr, key| Some(rr.get_u32(key)), set_u32;
}

impl Field for Name {
    fn read(rr: &DnsRr, key: DnsRrKey, names: &mut Names) -> Option<Self> {
        rr.get_str(key).map(|name| names.share(name))
    }

    fn write(&self, rr: &mut DnsRr, key: DnsRrKey) -> Result<()> {
        name::validate_in_record(self)?;
        rr.set_str(key, self)?;
        Ok(())
    }
}

impl Field for Box<str> {
    fn read(rr: &DnsRr, key: DnsRrKey, _: &mut Names) -> Option<Self> {
        rr.get_str(key).map(Box::from)
    }

    fn write(&self, rr: &mut DnsRr, key: DnsRrKey) -> Result<()> {
        rr.set_str(key, self)?;
        Ok(())
    }
}

impl Field for Box<[u8]> {
    /// What c-ares has parsed of zero bytes has no pointer: that is an empty value, not a missing
    /// one.
    fn read(rr: &DnsRr, key: DnsRrKey, _: &mut Names) -> Option<Self> {
        Some(rr.get_bin(key).map(Box::from).unwrap_or_default())
    }

    /// c-ares takes zero bytes for a lack of memory.
    fn write(&self, rr: &mut DnsRr, key: DnsRrKey) -> Result<()> {
        if !self.is_empty() {
            rr.set_bin(key, self)?;
        }
        Ok(())
    }
}

impl Field for Text {
    fn read(rr: &DnsRr, key: DnsRrKey, names: &mut Names) -> Option<Self> {
        Field::read(rr, key, names).map(Text)
    }

    fn write(&self, rr: &mut DnsRr, key: DnsRrKey) -> Result<()> {
        self.0.write(rr, key)
    }
}

impl Field for Strings {
    fn read(rr: &DnsRr, key: DnsRrKey, _: &mut Names) -> Option<Self> {
        Some(rr.abins(key).map(Box::from).collect())
    }

    fn write(&self, rr: &mut DnsRr, key: DnsRrKey) -> Result<()> {
        for string in self {
            rr.add_abin(key, string)?;
        }
        Ok(())
    }
}

impl Field for Options {
    fn read(rr: &DnsRr, key: DnsRrKey, _: &mut Names) -> Option<Self> {
        Some(rr.opts(key).map(|(option, value)| (option, Box::from(value))).collect())
    }

    fn write(&self, rr: &mut DnsRr, key: DnsRrKey) -> Result<()> {
        for (index, (option, value)) in self.iter().enumerate() {
            if self[..index].iter().any(|(earlier, _)| earlier == option) {
                // c-ares would keep the last one alone.
                return Err(Error::Invalid(format!("option {option} stands there twice")));
            }
            rr.set_opt(key, *option, value)?;
        }
        Ok(())
    }
}
