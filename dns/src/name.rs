//! Checks a domain name before it is asked for, so that the error can name it.
//!
//! Names are in presentation format: labels between dots, `\.` for a dot inside a label, `\DDD`
//! for any byte by its decimal number. That is also the form in which c-ares gives names back.

use crate::error::{Error, Result};

/// The most bytes in one label (RFC 1035).
const MAX_LABEL: usize = 63;
/// The most bytes of a name on the wire, lengths and the root included (RFC 1035).
const MAX_WIRE: usize = 255;
/// The most characters that c-ares takes: it copies a name into 512 bytes before it writes it,
/// and would silently ask for a shorter one.
const MAX_TEXT: usize = 511;

/// Says whether c-ares can ask for `name`; the error names it and the rule it breaks.
///
/// A trailing dot is allowed, and `"."` is the root. c-ares asks for names of letters, digits and
/// `-_./*` only, though it reads any.
pub fn validate(name: &str) -> Result<()> {
    if name.is_empty() {
        return Err(bad(name, "it is empty (\".\" is the root)"));
    }
    check(name, is_hostname_byte)
}

/// Says whether `name` can stand in a message as a record's name; `""` is the root there.
pub(crate) fn validate_in_record(name: &str) -> Result<()> {
    check(name, |_| true)
}

fn is_hostname_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_./*".contains(&byte)
}

fn bad(name: &str, fault: impl std::fmt::Display) -> Error {
    Error::Invalid(format!("bad domain name {name:?}: {fault}"))
}

fn check(name: &str, allowed: fn(u8) -> bool) -> Result<()> {
    if name == "." {
        return Ok(());
    }
    if name.len() > MAX_TEXT {
        let fault = format!("c-ares takes {MAX_TEXT} characters, this is {}", name.len());
        return Err(bad(name, fault));
    }
    let mut label = 0;
    let mut wire = 1;
    let mut rest = name.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        let byte = match first {
            b'.' if label == 0 => return Err(bad(name, "it has an empty label")),
            b'.' => {
                wire += label + 1;
                label = 0;
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
            _ => {
                return Err(bad(name, "it is not ASCII (encode an international name with IDNA)"));
            }
        };
        if !allowed(byte) {
            return Err(bad(name, format!("c-ares cannot ask for a name with byte 0x{byte:02x}")));
        }
        label += 1;
        if label > MAX_LABEL {
            return Err(bad(name, format!("it has a label of more than {MAX_LABEL} bytes")));
        }
    }
    if label > 0 {
        wire += label + 1;
    }
    if wire > MAX_WIRE {
        return Err(bad(name, format!("it is {wire} bytes on the wire, {MAX_WIRE} is the most")));
    }
    Ok(())
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
    use super::*;

    fn message(name: &str) -> String {
        validate(name).expect_err(name).to_string()
    }

    #[test]
    fn names_that_can_be_asked_for() {
        for name in
            ["example.com", "example.com.", ".", "localhost", "_sip._tcp.x", "*.x", "0/25.x"]
        {
            assert_eq!(validate(name), Ok(()), "{name}");
        }
        for name in [r"a\.b.example.com", r"\097.example.com", r"\a.example.com"] {
            assert_eq!(validate(name), Ok(()), "{name}");
        }
    }

    #[test]
    fn names_that_only_records_may_have() {
        for name in ["", r"\000\255.x", r"back\\slash.x", "a b.x", r"\(comment\).x"] {
            assert_eq!(validate_in_record(name), Ok(()), "{name}");
            assert!(message(name).contains(&format!("{name:?}")), "{name}");
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
    fn names_end_at_255_bytes_on_the_wire() {
        let label = "a".repeat(63);
        let longest = format!("{label}.{label}.{label}.{}", "a".repeat(61));
        assert_eq!(validate(&longest), Ok(()));
        assert_eq!(validate(&format!("{longest}.")), Ok(()));
        assert!(message(&format!("{longest}a")).contains("256 bytes on the wire"));
    }

    #[test]
    fn names_that_c_ares_would_cut_are_refused() {
        let label = r"\097".repeat(60);
        let escaped = format!("{label}.{label}.{label}");
        assert!(message(&escaped).contains("c-ares takes 511 characters"));
    }

    #[test]
    fn what_no_name_may_hold() {
        assert!(message("").contains("empty"));
        for name in ["..", ".example.com", "a..b", "example.com.."] {
            assert!(message(name).contains("empty label"), "{name}");
        }
        assert!(message("a\0b").contains("NUL"));
        assert!(message("a b").contains("0x20"));
        assert!(message("b\u{fc}cher.example").contains("IDNA"));
        for name in ["a\\", r"\256", r"\25", r"\2x5"] {
            assert!(message(name).contains("backslash"), "{name}");
        }
    }
}
