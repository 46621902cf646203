//! What can go wrong: a c-ares status and what was being tried.

use std::borrow::Cow;
use std::fmt;

/// The result of every fallible call of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// A c-ares status (`ares_status_t`): 0 is success, everything else positive.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Code(pub i32);

macro_rules! codes {
    ($($name:ident)*) => {
        impl Code {
            /// `ARES_SUCCESS`
            pub const SUCCESS: Code = Code(0);
            $(
                #[doc = concat!("`ARES_", stringify!($name), "`")]
                pub const $name: Code = Code(c_ares::Error::$name as i32);
            )*

            /// Every status of c-ares with its name (`"ARES_ENOTFOUND"`), in c-ares's order.
            pub const ALL: &'static [(&'static str, Code)] = &[
                ("ARES_SUCCESS", Code::SUCCESS),
                $((concat!("ARES_", stringify!($name)), Code::$name),)*
            ];
        }
    };
}

codes! {
    ENODATA EFORMERR ESERVFAIL ENOTFOUND ENOTIMP EREFUSED EBADQUERY EBADNAME EBADFAMILY EBADRESP
    ECONNREFUSED ETIMEOUT EOF EFILE ENOMEM EDESTRUCTION EBADSTR EBADFLAGS ENONAME EBADHINTS
    ENOTINITIALIZED ELOADIPHLPAPI EADDRGETNETWORKPARAMS ECANCELLED ESERVICE ENOSERVER
}

impl Code {
    /// c-ares's message for this status (`ares_strerror`).
    pub fn message(self) -> String {
        if self == Code::SUCCESS {
            // The c-ares crate has no error value to ask for this one.
            return "Successful completion".to_owned();
        }
        c_ares::Error::from(self.0).to_string()
    }

    /// What became of a question, in the word that dig has for it where it has one: `"NOERROR"`,
    /// `"NXDOMAIN"`, `"NODATA"`, `"SERVFAIL"`, `"TIMEOUT"`; `"UNKNOWN"` for a number that is not a
    /// status.
    pub fn word(self) -> &'static str {
        match self {
            Code::SUCCESS => "NOERROR",
            Code::ENOTFOUND => "NXDOMAIN",
            Code::EOF => "EOF",
            _ => self.name().and_then(|name| name.strip_prefix("ARES_E")).unwrap_or("UNKNOWN"),
        }
    }

    /// The constant's name, `"ARES_ENOTFOUND"`; `None` for a number that is not a status.
    pub fn name(self) -> Option<&'static str> {
        Code::ALL.iter().find(|(_, code)| *code == self).map(|(name, _)| *name)
    }
}

impl From<c_ares::Error> for Code {
    fn from(error: c_ares::Error) -> Code {
        Code(error as i32)
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "Code({})", self.0),
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message())
    }
}

/// Why a call failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// c-ares said no. `what` names what was tried: the name, the server, the message.
    Ares {
        /// c-ares's status.
        code: Code,
        /// What was tried, or empty where the code says it all.
        what: Cow<'static, str>,
    },
    /// A value was refused before c-ares saw it; the text names the value and the rule.
    Invalid(String),
    /// The loop or one of its handles said no.
    Loop(pyuv::Error),
}

impl Error {
    /// The same error, as one of `call`; of a value that was refused as it is.
    pub fn in_call(self, call: &'static str) -> Error {
        match self {
            Error::Loop(error) => Error::Loop(error.in_call(call)),
            Error::Ares { code, what } if !what.is_empty() => {
                Error::new(code, format!("{what} ({call})"))
            }
            other => other,
        }
    }

    /// A c-ares status with what was tried.
    pub fn new(code: impl Into<Code>, what: impl Into<Cow<'static, str>>) -> Error {
        Error::Ares { code: code.into(), what: what.into() }
    }

    /// The c-ares status, for the errors that have one.
    pub fn code(&self) -> Option<Code> {
        match self {
            Error::Ares { code, .. } => Some(*code),
            _ => None,
        }
    }
}

impl From<Code> for Error {
    fn from(code: Code) -> Error {
        Error::new(code, "")
    }
}

impl From<c_ares::Error> for Error {
    fn from(error: c_ares::Error) -> Error {
        Error::new(error, "")
    }
}

impl From<pyuv::Error> for Error {
    fn from(error: pyuv::Error) -> Error {
        Error::Loop(error)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Ares { code, what } if what.is_empty() => write!(f, "{code}"),
            Error::Ares { code, what } => write!(f, "{code}: {what}"),
            Error::Invalid(message) => f.write_str(message),
            Error::Loop(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_c_ares_numbers_names_and_messages() {
        assert_eq!(Code::ENOTFOUND, Code(4));
        assert_eq!(Code::ENOTFOUND.name(), Some("ARES_ENOTFOUND"));
        assert_eq!(Code::ENOTFOUND.to_string(), "Domain name not found");
        assert_eq!(format!("{:?}", Code(999)), "Code(999)");
        assert_eq!(Code(999).to_string(), "unknown");
    }

    #[test]
    fn every_code_has_a_word_of_its_own() {
        let mut words: Vec<_> = Code::ALL.iter().map(|(_, code)| code.word()).collect();
        assert!(words.iter().all(|word| word.len() > 2), "{words:?}");
        assert!(["NOERROR", "NODATA", "TIMEOUT", "EOF"].iter().all(|word| words.contains(word)));
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), Code::ALL.len());
        assert_eq!(Code(999).word(), "UNKNOWN");
    }

    #[test]
    fn the_table_is_complete_and_in_order() {
        for (number, (_, code)) in Code::ALL.iter().enumerate() {
            assert_eq!(code.0, number as i32);
        }
        assert_eq!(Code(Code::ALL.len() as i32).to_string(), "unknown");
    }

    #[test]
    fn an_error_says_what_was_tried() {
        let error = Error::new(Code::ENOTFOUND, "no-such.example.com");
        assert_eq!(error.to_string(), "Domain name not found: no-such.example.com");
        assert_eq!(error.code(), Some(Code::ENOTFOUND));
    }
}
