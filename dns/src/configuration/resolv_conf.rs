//! `resolv.conf(5)`, as glibc 2.26 and later reads it.

use std::ffi::OsString;
use std::net::Ipv6Addr;
use std::sync::Arc;

use super::services::letters;
use super::{Problem, Setting, Source};
use crate::numeric::system_ipv4;

/// The most that glibc takes for each of the options that are numbers.
const MAX_NDOTS: i64 = 15;
const MAX_TIMEOUT: i64 = 30;
const MAX_ATTEMPTS: i64 = 5;

/// The options that say something about the system's own resolver alone.
const OTHER_OPTIONS: [&str; 11] = [
    "edns0",
    "single-request",
    "no_tld_query",
    "no-tld-query",
    "no-reload",
    "trust-ad",
    "no-aaaa",
    "inet6",
    "ip6-bytestring",
    "no-ip6-dotint",
    "debug",
];

/// What a `resolv.conf` and the environment variables beside it say.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ResolvConf {
    /// Every server that is an address, whether or not it can be used.
    pub(super) servers: Vec<Setting<String>>,
    /// `None` where nobody says where to search.
    pub(super) search: Option<Vec<Setting<String>>>,
    pub(super) ndots: Option<Setting<u32>>,
    /// In seconds.
    pub(super) timeout: Option<Setting<u32>>,
    pub(super) attempts: Option<Setting<u32>>,
    pub(super) rotate: Option<Setting<bool>>,
    pub(super) use_vc: Option<Setting<bool>>,
    pub(super) lookups: Option<Setting<String>>,
    pub(super) sortlist: Option<Setting<Vec<String>>>,
    pub(super) problems: Vec<Problem>,
}

/// The words of a value.
fn words(value: &str) -> impl Iterator<Item = &str> {
    value.split([' ', '\t']).filter(|word| !word.is_empty())
}

impl ResolvConf {
    /// Takes up the lines of a file.
    ///
    /// A line begins with its keyword, and a space or a tab follows. Only a line that begins with `#`
    /// or `;` is a comment; what follows the value of `nameserver` is passed over.
    pub(super) fn read(&mut self, path: &Arc<str>, text: &[u8]) {
        for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
            let line = String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line));
            if line.is_empty() || line.starts_with(['#', ';']) {
                continue;
            }
            let source = Source::File(path.clone(), index + 1);
            if let Err(what) = self.line(&line, &source) {
                self.problems.push(Problem { source, what });
            }
        }
    }

    fn line(&mut self, line: &str, source: &Source) -> Result<(), String> {
        let Some((keyword, value)) = line.split_once([' ', '\t']) else {
            return Err(format!("{line:?} has no value"));
        };
        match keyword {
            "nameserver" => return self.server(value, source),
            // The later of the two counts.
            "domain" => {
                if let Some(domain) = words(value).next() {
                    self.search = Some(vec![Setting::new(domain.to_owned(), source.clone())]);
                }
            }
            "search" => self.domains(value, source),
            "options" => return self.options(value, source),
            "sortlist" => {
                let networks = words(value).map(str::to_owned).collect();
                self.sortlist = Some(Setting::new(networks, source.clone()));
            }
            // OpenBSD's.
            "lookup" => {
                let letters = letters(words(value));
                if !letters.is_empty() {
                    self.lookups = Some(Setting::new(letters, source.clone()));
                }
            }
            "" if line.trim().is_empty() => {}
            "" => return Err(format!("{:?} does not begin the line", line.trim())),
            _ => return Err(format!("unknown keyword {keyword:?}")),
        }
        Ok(())
    }

    fn domains(&mut self, value: &str, source: &Source) {
        let domains: Vec<_> =
            words(value).map(|domain| Setting::new(domain.to_owned(), source.clone())).collect();
        if !domains.is_empty() {
            self.search = Some(domains);
        }
    }

    /// An address, or as some systems have it an `address:port` or `[address]:port`.
    fn server(&mut self, value: &str, source: &Source) -> Result<(), String> {
        let value = value.trim_start_matches([' ', '\t']);
        let value = value.split([' ', '\t']).next().unwrap_or_default();
        let address = match (system_ipv4(value), value.split_once('%')) {
            (Some(address), _) => address.to_string(),
            (None, Some((address, interface))) => match address.parse::<Ipv6Addr>() {
                // Any other address is the same on every interface.
                Ok(address) if !address.is_unicast_link_local() => address.to_string(),
                Ok(address) => format!("{address}%{interface}"),
                Err(_) => value.to_owned(),
            },
            (None, None) => value.to_owned(),
        };
        if !is_server(&address) {
            return Err(format!("the name server {value:?} is no address"));
        }
        self.servers.push(Setting::new(address, source.clone()));
        Ok(())
    }

    /// `options`, and `RES_OPTIONS`.
    fn options(&mut self, value: &str, source: &Source) -> Result<(), String> {
        let mut unknown = Vec::new();
        for word in words(value) {
            let number = |most| word.split_once(':').map(|(_, digits)| leading(digits).min(most));
            let set = |number: Option<i64>| {
                let number = u32::try_from(number?).ok()?;
                Some(Setting::new(number, source.clone()))
            };
            let truth = || Some(Setting::new(true, source.clone()));
            match word {
                _ if word.starts_with("ndots:") => self.ndots = set(number(MAX_NDOTS)),
                _ if word.starts_with("timeout:") => self.timeout = set(number(MAX_TIMEOUT)),
                _ if word.starts_with("attempts:") => self.attempts = set(number(MAX_ATTEMPTS)),
                _ if word.starts_with("rotate") => self.rotate = truth(),
                _ if word.starts_with("use-vc") => self.use_vc = truth(),
                _ if OTHER_OPTIONS.iter().any(|option| word.starts_with(option)) => {}
                _ => unknown.push(word),
            }
        }
        match &*unknown {
            [] => Ok(()),
            unknown => Err(format!("unknown options: {}", unknown.join(" "))),
        }
    }

    /// Takes up `LOCALDOMAIN`, which stands in for `search`, and `RES_OPTIONS`, which adds to
    /// `options`.
    pub(super) fn read_environment(&mut self, variable: impl Fn(&str) -> Option<OsString>) {
        if let Some(domains) = variable("LOCALDOMAIN") {
            // Set and empty, it is how not to search.
            self.search = Some(Vec::new());
            self.domains(&domains.to_string_lossy(), &Source::Environment("LOCALDOMAIN"));
        }
        if let Some(options) = variable("RES_OPTIONS") {
            let source = Source::Environment("RES_OPTIONS");
            if let Err(what) = self.options(&options.to_string_lossy(), &source) {
                self.problems.push(Problem { source, what });
            }
        }
    }
}

/// The number that a text begins with (`atoi`); 0 without one.
fn leading(text: &str) -> i64 {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let end = digits.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(digits.len());
    if end == 0 {
        return 0;
    }
    let magnitude: i64 = digits[..end].parse().unwrap_or(i64::MAX);
    if text.starts_with('-') { -magnitude } else { magnitude }
}

/// Whether a text has the form of a server, usable or not.
fn is_server(text: &str) -> bool {
    let (inside, port) = match text.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((inside, behind)) => (inside, behind),
            None => return false,
        },
        None if text.matches(':').count() == 1 => text
            .split_once(':')
            .map_or((text, ""), |(address, _)| (address, &text[address.len()..])),
        None => (text, ""),
    };
    let address = inside.split_once('%').map_or(inside, |(address, _)| address);
    let known = address.parse::<std::net::IpAddr>().is_ok();
    known
        && (port.is_empty()
            || port.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> ResolvConf {
        let mut conf = ResolvConf::default();
        conf.read(&"resolv.conf".into(), text.as_bytes());
        conf
    }

    fn values(settings: &[Setting<String>]) -> Vec<&str> {
        settings.iter().map(|setting| &*setting.value).collect()
    }

    fn search(text: &str) -> Vec<String> {
        let found = read(text).search.unwrap_or_default();
        found.into_iter().map(|domain| domain.value).collect()
    }

    fn number(setting: Option<Setting<u32>>) -> Option<u32> {
        setting.map(|setting| setting.value)
    }

    #[test]
    fn tabs_and_spaces_are_the_same() {
        let conf = read(
            "nameserver\t192.0.2.1\t# x\nnameserver \t 2001:db8::1 ;x\n\
             search\tone.example\t two.example\noptions\tndots:2\ttimeout:3\tattempts:4\n",
        );
        assert_eq!(values(&conf.servers), ["192.0.2.1", "2001:db8::1"]);
        assert_eq!(conf.servers[1].source, Source::File("resolv.conf".into(), 2));
        assert_eq!(values(&conf.search.unwrap()), ["one.example", "two.example"]);
        let numbers = (number(conf.ndots), number(conf.timeout), number(conf.attempts));
        assert_eq!(numbers, (Some(2), Some(3), Some(4)));
        assert_eq!(conf.problems, []);
    }

    #[test]
    fn a_value_may_be_long() {
        let domains: Vec<_> = (0..100).map(|number| format!("domain-{number}.example")).collect();
        assert_eq!(search(&format!("search {}\n", domains.join(" "))), domains);
    }

    #[test]
    fn the_later_of_search_and_domain_counts() {
        assert_eq!(search("search a.example b.example\ndomain c.example x\n"), ["c.example"]);
        assert_eq!(search("domain c.example\nsearch a.example\nsearch\nsearch \n"), ["a.example"]);
    }

    #[test]
    fn addresses_are_read_as_the_system_reads_them() {
        let conf = read(
            "nameserver 127.1\nnameserver 010.0.0.1\nnameserver 2001:db8::2%eth0\n\
             nameserver fe80::1%eth0\nnameserver [::1]:5353\nnameserver 192.0.2.1:54\n",
        );
        let expected =
            ["127.0.0.1", "8.0.0.1", "2001:db8::2", "fe80::1%eth0", "[::1]:5353", "192.0.2.1:54"];
        assert_eq!(values(&conf.servers), expected);
    }

    #[test]
    fn what_is_not_understood_is_told() {
        let conf = read(
            "# fine\n; fine\n\n \t \nnameserver one.example\n nameserver 192.0.2.1\nport 53\n\
             nameserver\nnameserver 1.2.3.4:x\noptions rotate nonsense use-vc:x\n",
        );
        let problems: Vec<_> = conf.problems.iter().map(ToString::to_string).collect();
        assert_eq!(
            problems,
            [
                "resolv.conf:5: the name server \"one.example\" is no address",
                "resolv.conf:6: \"nameserver 192.0.2.1\" does not begin the line",
                "resolv.conf:7: unknown keyword \"port\"",
                "resolv.conf:8: \"nameserver\" has no value",
                "resolv.conf:9: the name server \"1.2.3.4:x\" is no address",
                "resolv.conf:10: unknown options: nonsense",
            ]
        );
        assert_eq!(conf.servers, []);
        assert!(conf.rotate.is_some() && conf.use_vc.is_some());
    }

    #[test]
    fn numbers_are_those_of_atoi_up_to_a_limit() {
        let conf = read("options ndots:99 timeout:31x attempts:7 ndots:x\n");
        let numbers = (number(conf.ndots), number(conf.timeout), number(conf.attempts));
        assert_eq!(numbers, (Some(0), Some(30), Some(5)));
    }

    #[test]
    fn lines_may_end_as_on_other_systems() {
        assert_eq!(values(&read("nameserver 192.0.2.1\r\n").servers), ["192.0.2.1"]);
        assert_eq!(values(&read("nameserver 192.0.2.1").servers), ["192.0.2.1"]);
        let conf = read("lookup file bind\nsortlist 192.0.2.0/255.255.255.0\t198.51.100.0\n");
        assert_eq!(conf.lookups.unwrap().value, "fb");
        assert_eq!(conf.sortlist.unwrap().value, ["192.0.2.0/255.255.255.0", "198.51.100.0"]);
    }

    #[test]
    fn the_environment_overrides_search_and_adds_options() {
        let mut conf = read("search a.example\noptions ndots:2 timeout:3\n");
        conf.read_environment(|name| match name {
            "LOCALDOMAIN" => Some("b.example  c.example".into()),
            "RES_OPTIONS" => Some("ndots:5".into()),
            _ => None,
        });
        assert_eq!(values(conf.search.as_ref().unwrap()), ["b.example", "c.example"]);
        assert_eq!(conf.search.unwrap()[0].source, Source::Environment("LOCALDOMAIN"));
        assert_eq!((number(conf.ndots), number(conf.timeout)), (Some(5), Some(3)));
        let mut conf = read("search a.example\n");
        conf.read_environment(|name| (name == "LOCALDOMAIN").then(OsString::new));
        assert_eq!(conf.search, Some(Vec::new()));
    }
}
