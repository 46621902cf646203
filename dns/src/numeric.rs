//! IPv4 addresses as the system reads them (`inet_aton`).

use std::net::Ipv4Addr;

/// One to four numbers with dots between them, each decimal, octal (`010`) or hexadecimal (`0x8`);
/// the last fills what is left. Nothing may follow.
///
/// Programs that read such a text as four decimal numbers mean another address than the system does
/// (RFC 6943, 3.1.1).
pub(crate) fn system_ipv4(text: &str) -> Option<Ipv4Addr> {
    let numbers: Option<Vec<u32>> = text.split('.').map(number).collect();
    let numbers = numbers?;
    let (&last, first) = numbers.split_last()?;
    if first.len() > 3 || first.iter().any(|number| *number > 255) {
        return None;
    }
    let room = 32 - 8 * first.len();
    if room < 32 && last >> room != 0 {
        return None;
    }
    let place = |(index, number): (usize, &u32)| number << (24 - 8 * index);
    Some(Ipv4Addr::from(first.iter().enumerate().map(place).fold(last, |all, part| all | part)))
}

fn number(text: &str) -> Option<u32> {
    let (digits, radix) = match text.as_bytes() {
        [b'0', b'x' | b'X', ..] => (&text[2..], 16),
        [b'0', _, ..] => (&text[1..], 8),
        _ => (text, 10),
    };
    // from_str_radix takes a sign.
    let all_digits = digits.bytes().all(|byte| char::from(byte).is_digit(radix));
    if all_digits { u32::from_str_radix(digits, radix).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_what_the_system_takes_it_for() {
        for (text, expected) in [
            ("192.0.2.1", [192, 0, 2, 1]),
            ("010.0.0.1", [8, 0, 0, 1]),
            ("0x7f.1", [127, 0, 0, 1]),
            ("127.1", [127, 0, 0, 1]),
            ("10.1.258", [10, 1, 1, 2]),
            ("2130706433", [127, 0, 0, 1]),
            ("0", [0, 0, 0, 0]),
            ("4294967295", [255, 255, 255, 255]),
        ] {
            assert_eq!(system_ipv4(text), Some(expected.into()), "{text}");
        }
    }

    #[test]
    fn anything_else_is_none() {
        for text in [
            "",
            ".",
            "1.2.3.4.5",
            "256.1.1.1",
            "1.2.3.256",
            "1.2.65536",
            "08.0.0.1",
            "0x",
            "+1",
            "1.2.3.4 ",
            "1..2",
            "4294967296",
            "a.b.c.d",
            "::1",
            "0x1g",
        ] {
            assert_eq!(system_ipv4(text), None, "{text:?}");
        }
    }
}
