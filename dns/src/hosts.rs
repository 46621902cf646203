//! The hosts file (`hosts(5)`): each line is an address and its names.
//!
//! c-ares reads it too, but takes lines that share an address or a name for one host: with `10.0.0.1 a
//! b` and `10.0.0.2 b c` both addresses are `a`'s. So it is read here, and c-ares asks servers only.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::SystemTime;
use std::{env, fs, io};

use crate::idna;

#[cfg(not(windows))]
const PATH: &str = "/etc/hosts";
#[cfg(windows)]
const PATH: &str = r"C:\Windows\System32\drivers\etc\hosts";

/// The environment variable that names a file in place of the usual one, for who asks for it
/// (`ARES_AI_ENVHOSTS`).
const VARIABLE: &str = "CARES_HOSTS";

/// A hosts file, which is read again when it has changed.
#[derive(Default)]
pub(crate) struct Hosts {
    path: Option<String>,
    read: Option<(String, Stamp, Table)>,
}

/// What tells a changed file from one that is as it was.
type Stamp = (Option<SystemTime>, u64);

/// What a hosts file says.
#[derive(Default)]
pub(crate) struct Table {
    lines: Vec<(IpAddr, Box<[Box<str>]>)>,
    by_name: HashMap<Box<str>, Vec<usize>>,
    by_address: HashMap<IpAddr, Vec<usize>>,
}

/// What the file has of a host.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Entry<'a> {
    /// The first name of its first line.
    pub(crate) name: &'a str,
    /// The other names.
    pub(crate) aliases: Vec<&'a str>,
    pub(crate) addresses: Vec<IpAddr>,
}

impl Hosts {
    pub(crate) fn new(path: Option<&str>) -> Hosts {
        Hosts { path: path.map(str::to_owned), read: None }
    }

    /// What the file says now; a file that cannot be read says nothing.
    pub(crate) fn table(&mut self, from_environment: bool) -> &Table {
        let variable = if from_environment { env::var(VARIABLE).ok() } else { None };
        let path = variable.or_else(|| self.path.clone()).unwrap_or_else(|| PATH.to_owned());
        let stamp = stamp(&path);
        let fresh = match (&self.read, &stamp) {
            (Some((known, then, _)), Ok(now)) => *known == path && then == now,
            _ => false,
        };
        if !fresh {
            let text = stamp.and_then(|stamp| Ok((stamp, fs::read(&path)?)));
            let (stamp, text) = text.unwrap_or_default();
            self.read = Some((path, stamp, Table::read(&text)));
        }
        // It was set above, if it was not there.
        &self.read.get_or_insert_default().2
    }
}

fn stamp(path: &str) -> io::Result<Stamp> {
    let metadata = fs::metadata(path)?;
    Ok((metadata.modified().ok(), metadata.len()))
}

impl Table {
    fn read(text: &[u8]) -> Table {
        let mut table = Table::default();
        for line in text.split(|byte| *byte == b'\n') {
            let line = line.split(|byte| *byte == b'#').next().unwrap_or_default();
            let line = String::from_utf8_lossy(line);
            let mut words = line.split_ascii_whitespace();
            let Some(Ok(address)) = words.next().map(str::parse::<IpAddr>) else { continue };
            let names: Box<[Box<str>]> = words.map(Box::from).collect();
            if names.is_empty() {
                continue;
            }
            let index = table.lines.len();
            for name in &names {
                let at = table.by_name.entry(key(name)).or_default();
                if at.last() != Some(&index) {
                    at.push(index);
                }
            }
            table.by_address.entry(address).or_default().push(index);
            table.lines.push((address, names));
        }
        table
    }

    /// The host with a name: that of all lines that have it.
    pub(crate) fn by_name(&self, name: &str) -> Option<Entry<'_>> {
        self.entry(self.by_name.get(&key(name))?)
    }

    /// The host with an address: that of all lines that begin with it.
    pub(crate) fn by_address(&self, address: IpAddr) -> Option<Entry<'_>> {
        self.entry(self.by_address.get(&address)?)
    }

    fn entry(&self, lines: &[usize]) -> Option<Entry<'_>> {
        let mut lines = lines.iter().filter_map(|index| self.lines.get(*index));
        let (first, names) = lines.next()?;
        let (name, aliases) = names.split_first()?;
        let mut entry = Entry { name, aliases: Vec::new(), addresses: vec![*first] };
        let mut rest: Vec<&[Box<str>]> = vec![aliases];
        for (address, names) in lines {
            if !entry.addresses.contains(address) {
                entry.addresses.push(*address);
            }
            rest.push(names);
        }
        for alias in rest.into_iter().flatten() {
            let known = |other: &&str| other.eq_ignore_ascii_case(alias);
            if !known(&entry.name) && !entry.aliases.iter().any(known) {
                entry.aliases.push(alias);
            }
        }
        Some(entry)
    }
}

/// What names are the same by: the case of ASCII letters, a final dot and IDNA make no difference.
fn key(name: &str) -> Box<str> {
    let name = name.strip_suffix('.').unwrap_or(name);
    match idna::to_ascii(name) {
        Ok(name) => name.to_ascii_lowercase().into(),
        Err(_) => name.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Table {
        Table::read(text.as_bytes())
    }

    fn addresses(table: &Table, name: &str) -> Vec<String> {
        let entry = table.by_name(name);
        entry
            .map(|entry| entry.addresses.iter().map(ToString::to_string).collect())
            .unwrap_or_default()
    }

    #[test]
    fn lines_that_share_a_name_or_an_address_stay_apart() {
        let table = table("10.0.0.1 a b\n10.0.0.2 b c\n10.0.0.1 d\n");
        assert_eq!(addresses(&table, "a"), ["10.0.0.1"]);
        assert_eq!(addresses(&table, "b"), ["10.0.0.1", "10.0.0.2"]);
        assert_eq!(addresses(&table, "c"), ["10.0.0.2"]);
        let entry = table.by_name("b").unwrap();
        assert_eq!((entry.name, entry.aliases), ("a", vec!["b", "c"]));
        let entry = table.by_address("10.0.0.1".parse().unwrap()).unwrap();
        assert_eq!((entry.name, entry.aliases), ("a", vec!["b", "d"]));
        assert_eq!(entry.addresses.len(), 1);
    }

    #[test]
    fn lines_are_read_as_hosts_5_says() {
        let table = table(
            "# 10.0.0.9 no\n\n  10.0.0.1\tOne.example  one # 10.0.0.8 no\r\n010.0.0.1 octal\n\
             not-an-address no\n10.0.0.2\n::1 six one\n10.0.0.3 b\u{fc}ro twice twice",
        );
        assert_eq!(addresses(&table, "one.EXAMPLE."), ["10.0.0.1"]);
        assert_eq!(addresses(&table, "one"), ["10.0.0.1", "::1"]);
        for name in ["no", "octal", "10.0.0.2", ""] {
            assert!(table.by_name(name).is_none(), "{name}");
        }
        assert_eq!(addresses(&table, "xn--bro-hoa"), ["10.0.0.3"]);
        assert_eq!(table.by_name("twice").unwrap().aliases, ["twice"]);
    }

    #[test]
    fn a_file_is_read_again_when_it_has_changed() {
        let path = env::temp_dir().join(format!("pyuv-hosts-{}", std::process::id()));
        let mut hosts = Hosts::new(path.to_str());
        assert!(hosts.table(false).by_name("one").is_none());
        fs::write(&path, "10.0.0.1 one\n").unwrap();
        assert!(hosts.table(false).by_name("one").is_some());
        assert!(hosts.table(false).by_name("one").is_some());
        fs::write(&path, "10.0.0.1 another\n").unwrap();
        assert!(hosts.table(false).by_name("one").is_none());
        fs::remove_file(path).unwrap();
        assert!(hosts.table(false).by_name("another").is_none());
    }
}
