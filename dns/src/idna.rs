//! International names as DNS has them: IDNA by UTS 46, nontransitional, as browsers have it.
//!
//! Every way to ask goes through here, and so asks for the same name: `straße` is
//! `xn--strae-oqa`, and `BÜCHER` is `bücher`. libuv's and Python's own encoders follow other
//! rules.

use std::borrow::Cow;

use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};

use crate::error::{Error, Result};
use crate::name;

/// The ASCII form of a name. One that is ASCII already stays as it is, whatever it is; what no DNS
/// name may be is [`name::validate`](crate::name::validate)'s to say.
///
/// The error names the name that has no such form.
pub fn to_ascii(name: &str) -> Result<Cow<'_, str>> {
    if name.is_ascii() {
        return Ok(Cow::Borrowed(name));
    }
    let bad = |fault| Error::Invalid(format!("bad domain name {name:?}: {fault}"));
    if name.contains('\\') {
        return Err(bad("it has both an escape and a character that is not ASCII"));
    }
    // An underscore, `_sip._tcp` for instance, is no fault of a DNS name.
    let encoded = Uts46::new().to_ascii(
        name.as_bytes(),
        AsciiDenyList::EMPTY,
        Hyphens::Allow,
        DnsLength::Ignore,
    );
    let encoded = encoded.map_err(|_| bad("it has no form in ASCII by IDNA (UTS 46)"))?;
    Ok(Cow::Owned(encoded.into_owned()))
}

/// The ASCII form of a name that can be asked for; the error names it as it was given.
pub(crate) fn to_ask(name: &str) -> Result<Cow<'_, str>> {
    let asked = to_ascii(name)?;
    match (name::validate(&asked), &asked) {
        (Ok(()), _) => Ok(asked),
        (Err(error), Cow::Borrowed(_)) => Err(error),
        (Err(error), Cow::Owned(_)) => Err(Error::Invalid(format!("{name:?} in ASCII: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_mapped_and_encoded() {
        for (name, expected) in [
            ("stra\u{df}e.example", "xn--strae-oqa.example"),
            ("B\u{dc}CHER.example.", "xn--bcher-kva.example."),
            ("bu\u{308}cher.example", "xn--bcher-kva.example"),
            ("\u{ff45}xample\u{3002}com", "example.com"),
            ("_sip._tcp.b\u{fc}cher.example", "_sip._tcp.xn--bcher-kva.example"),
            ("\u{3b2}\u{3cc}\u{3bb}\u{3bf}\u{3c2}.example", "xn--nxasmm1c.example"),
            ("fa\u{df}.de", "xn--fa-hia.de"),
        ] {
            assert_eq!(to_ascii(name).as_deref(), Ok(expected), "{name}");
        }
    }

    #[test]
    fn ascii_stays_as_it_is() {
        for name in ["Example.COM", "_sip._tcp", r"a\.b", "a b", "", ".", "xn--a"] {
            assert_eq!(to_ascii(name).as_deref(), Ok(name));
        }
    }

    #[test]
    fn an_error_names_the_name() {
        for name in ["\u{fffd}.example", "\u{200b}\u{600}.x", "b\u{fc}ro\\.x"] {
            let error = to_ascii(name).expect_err(name).to_string();
            assert!(error.contains(&format!("{name:?}")), "{error}");
        }
    }
}
