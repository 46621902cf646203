//! Where the system looks for hosts: the line `hosts` of `nsswitch.conf`, and its kin elsewhere.

use std::fs;
use std::sync::Arc;

use super::{Setting, Source};

/// The files and the sign behind `hosts`; the last that says something counts, as with c-ares.
const FILES: [(&str, char); 3] =
    [("/etc/nsswitch.conf", ':'), ("/etc/netsvc.conf", '='), ("/etc/svc.conf", '=')];

/// `b` for DNS and `f` for the hosts file in the system's order, if it says one.
pub(super) fn lookups() -> Option<Setting<String>> {
    let mut found = FILES.into_iter().filter_map(|(path, sign)| {
        let text = fs::read(path).ok()?;
        let (value, line) = find(&String::from_utf8_lossy(&text), sign)?;
        Some(Setting::new(value, Source::File(Arc::from(path), line)))
    });
    found.next_back()
}

fn find(text: &str, sign: char) -> Option<(String, usize)> {
    let found = text.lines().enumerate().filter_map(|(index, line)| {
        let line = line.split('#').next().unwrap_or_default();
        let (database, services) = line.split_once(sign)?;
        if database.trim() != "hosts" {
            return None;
        }
        Some((letters(services.split([' ', '\t', ','])), index + 1))
    });
    found.filter(|(letters, _)| !letters.is_empty()).last()
}

/// The letters of services by name, each once; others are passed over.
pub(super) fn letters<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let mut letters = String::new();
    for word in words {
        let letter = match word.trim().to_ascii_lowercase().as_str() {
            "dns" | "bind" | "bind4" | "bind6" | "resolv" | "resolve" => 'b',
            "files" | "file" | "local" | "local4" | "local6" => 'f',
            _ => continue,
        };
        if !letters.contains(letter) {
            letters.push(letter);
        }
    }
    letters
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_that_of_the_line_hosts() {
        let text = "# hosts: dns\npasswd: files\nhosts:\tfiles mdns4_minimal [NOTFOUND=return] dns # files\n";
        assert_eq!(find(text, ':'), Some(("fb".to_owned(), 3)));
        assert_eq!(find("hosts = bind , local\n", '='), Some(("bf".to_owned(), 1)));
        assert_eq!(find("hosts: myhostname\n", ':'), None);
        assert_eq!(find("", ':'), None);
    }
}
