//! What a channel goes by: its options, the environment, `resolv.conf` and `nsswitch.conf`.
//!
//! c-ares reads these files too, and drops without a word what it does not expect: a line whose value
//! has a tab or is long, all but one name of `LOCALDOMAIN`, `domain` after `search`, a server that it
//! cannot use. So they are read here, as glibc 2.26 and later reads them, and c-ares is told the
//! outcome. [`Configuration::problems`] is what could not be followed.

mod resolv_conf;
mod services;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use std::{env, fs};

use self::resolv_conf::ResolvConf;
use crate::options::{DEFAULT_TIMEOUT, DEFAULT_TRIES, Options, check_network};
use crate::{name, server};

/// Where `resolv.conf` is unless [`Options::resolvconf_path`] says otherwise.
const RESOLV_CONF: &str = "/etc/resolv.conf";

/// Whether the system keeps its configuration in these files. Elsewhere c-ares asks the system.
pub(crate) const IN_FILES: bool =
    cfg!(not(any(windows, target_vendor = "apple", target_os = "android")));

/// Where a setting comes from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Source {
    /// Nobody has set it.
    Default,
    /// [`Options`], or [`set_servers`](crate::Channel::set_servers).
    Options,
    /// An environment variable.
    Environment(&'static str),
    /// A line of a file, counted from 1.
    File(Arc<str>, usize),
    /// What follows the first dot of the host's own name.
    HostName,
}

/// `"default"`, `"options"`, `"LOCALDOMAIN"`, `"/etc/resolv.conf:3"`, `"host name"`.
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Default => f.write_str("default"),
            Source::Options => f.write_str("options"),
            Source::Environment(variable) => f.write_str(variable),
            Source::File(path, line) => write!(f, "{path}:{line}"),
            Source::HostName => f.write_str("host name"),
        }
    }
}

/// A value, and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Setting<T> {
    /// The value.
    pub value: T,
    /// Where it was found.
    pub source: Source,
}

impl<T> Setting<T> {
    fn new(value: T, source: Source) -> Setting<T> {
        Setting { value, source }
    }

    /// `option` if it is set, else what was found, else `default`.
    fn choose(option: Option<T>, found: Option<Setting<T>>, default: T) -> Setting<T> {
        match option {
            Some(value) => Setting::new(value, Source::Options),
            None => found.unwrap_or(Setting::new(default, Source::Default)),
        }
    }
}

/// Something that was found and cannot be followed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Problem {
    /// Where it stands.
    pub source: Source,
    /// What is wrong with it.
    pub what: String,
}

/// `"/etc/resolv.conf:3: there is no interface \"eth9\": fe80::1%eth9"`.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.source, self.what)
    }
}

/// What a channel goes by, and where each part of it was found.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Configuration {
    /// The name servers, each as [`Options::servers`] takes it. Empty where all that were named
    /// cannot be used: then nobody is asked.
    pub servers: Vec<Setting<String>>,
    /// The search domains in their order.
    pub search: Vec<Setting<String>>,
    /// How many dots make a name absolute.
    pub ndots: Setting<u32>,
    /// How long a server has for an answer.
    pub timeout: Setting<Duration>,
    /// How often each server is asked.
    pub tries: Setting<u32>,
    /// Whether a random server is asked instead of the first.
    pub rotate: Setting<bool>,
    /// Whether servers are asked over TCP only.
    pub use_vc: Setting<bool>,
    /// Where host lookups look, as [`Options::lookups`] says it.
    pub lookups: Setting<String>,
    /// Networks, the nearest first, as [`Options::sortlist`] has them.
    pub sortlist: Setting<Vec<String>>,
    /// What was found and cannot be followed.
    pub problems: Vec<Problem>,
    /// The addresses and ports were left to c-ares, which asks the system.
    pub(crate) left_to_c_ares: bool,
}

impl Configuration {
    /// Reads the files and the environment. What `options` sets is not looked for elsewhere. A file
    /// that cannot be read is a problem if it was named, and else empty.
    pub fn read(options: &Options) -> Configuration {
        let mut problems = Vec::new();
        let files = IN_FILES || options.resolvconf_path.is_some();
        let mut found = ResolvConf::default();
        if files {
            let path = options.resolvconf_path.as_deref().unwrap_or(RESOLV_CONF);
            match fs::read(path) {
                Ok(text) => found.read(&path.into(), &text),
                Err(error) if options.resolvconf_path.is_some() => problems.push(Problem {
                    source: Source::Options,
                    what: format!("resolvconf_path {path}: {error}"),
                }),
                Err(_) => {}
            }
            found.read_environment(|name| env::var_os(name));
        }
        problems.append(&mut found.problems);
        let servers = match &options.servers {
            Some(servers) => with(servers, Source::Options),
            None => usable(found.servers, &mut problems),
        };
        let search = match &options.domains {
            Some(domains) => with(domains, Source::Options),
            None => found.search.unwrap_or_else(|| host_domain().into_iter().collect()),
        };
        // The names that nobody could ask for are passed over.
        let search = search.into_iter().filter(|domain| {
            let checked = name::validate_in_record(domain.value.trim_end_matches('.'));
            if let Err(error) = &checked {
                let what = format!("search domain: {error}");
                problems.push(Problem { source: domain.source.clone(), what });
            }
            checked.is_ok()
        });
        let search = search.collect();
        let services = if options.lookups.is_none() && IN_FILES {
            services::lookups().or(found.lookups)
        } else {
            None
        };
        if let Some(sortlist) = &mut found.sortlist {
            let source = sortlist.source.clone();
            sortlist.value.retain(|network| match check_network(network) {
                Ok(()) => true,
                Err(error) => {
                    problems.push(Problem { source: source.clone(), what: error.to_string() });
                    false
                }
            });
        }
        let lookups = Setting::choose(options.lookups.clone(), services, "fb".to_owned());
        let tries = found.attempts.map(|tries| Setting { value: tries.value.max(1), ..tries });
        let timeout = found.timeout.map(|seconds| Setting {
            value: Duration::from_secs(u64::from(seconds.value.max(1))),
            source: seconds.source,
        });
        Configuration {
            servers,
            search,
            ndots: Setting::choose(options.ndots, found.ndots, 1),
            timeout: Setting::choose(options.timeout, timeout, DEFAULT_TIMEOUT),
            tries: Setting::choose(options.tries, tries, DEFAULT_TRIES),
            rotate: Setting::choose(options.rotate, found.rotate, false),
            use_vc: Setting::choose(None, found.use_vc, false),
            lookups,
            sortlist: Setting::choose(options.sortlist.clone(), found.sortlist, Vec::new()),
            problems,
            left_to_c_ares: !files,
        }
    }

    /// These servers are asked now.
    pub(crate) fn set_servers(&mut self, servers: &[String]) {
        self.servers = with(servers, Source::Options);
    }

    /// Why there is no server to ask.
    pub(crate) fn why_no_server(&self) -> String {
        let problems: Vec<_> = self.problems.iter().map(Problem::to_string).collect();
        problems.join("; ")
    }
}

/// Values of one source.
fn with(values: &[String], source: Source) -> Vec<Setting<String>> {
    values.iter().map(|value| Setting::new(value.clone(), source.clone())).collect()
}

/// The servers that c-ares can ask. Where none was named, it is the one on this host.
fn usable(named: Vec<Setting<String>>, problems: &mut Vec<Problem>) -> Vec<Setting<String>> {
    if named.is_empty() {
        return vec![Setting::new("127.0.0.1".to_owned(), Source::Default)];
    }
    let usable = named.into_iter().filter(|server| match server::to_csv(&[&server.value]) {
        Ok(_) => true,
        Err(error) => {
            problems.push(Problem { source: server.source.clone(), what: error.to_string() });
            false
        }
    });
    usable.collect()
}

/// The domain that the host's own name is in.
fn host_domain() -> Option<Setting<String>> {
    let name = host_name()?;
    let (_, domain) = name.split_once('.')?;
    (!domain.is_empty()).then(|| Setting::new(domain.to_owned(), Source::HostName))
}

/// The host's own name (`gethostname`).
pub(crate) fn host_name() -> Option<String> {
    let mut buffer = [0_u8; 256];
    // SAFETY: the buffer has the length given.
    let failed = unsafe { libc::gethostname(buffer.as_mut_ptr().cast(), buffer.len() as _) } != 0;
    let end = buffer.iter().position(|byte| *byte == 0)?;
    (!failed).then(|| String::from_utf8_lossy(&buffer[..end]).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Configuration {
        let path = std::env::temp_dir().join(format!(
            "pyuv-resolv-{}-{:?}.conf",
            std::process::id(),
            std::thread::current().id()
        ));
        fs::write(&path, text).unwrap();
        let resolvconf_path = Some(path.to_str().unwrap().to_owned());
        let read = Configuration::read(&Options { resolvconf_path, ..Options::default() });
        fs::remove_file(path).unwrap();
        read
    }

    fn values(settings: &[Setting<String>]) -> Vec<&str> {
        settings.iter().map(|setting| &*setting.value).collect()
    }

    #[test]
    fn no_server_named_is_the_one_on_this_host() {
        let found = read("search example.com\n");
        assert_eq!(values(&found.servers), ["127.0.0.1"]);
        assert_eq!(found.servers[0].source, Source::Default);
    }

    #[test]
    fn a_server_that_cannot_be_used_is_reported_and_not_replaced() {
        let found = read("nameserver fe80::1\nnameserver fe80::2%no-such-interface\n");
        assert_eq!(found.servers, []);
        let why = found.why_no_server();
        assert!(why.contains(":1: ") && why.contains("needs its interface"), "{why}");
        assert!(why.contains(":2: ") && why.contains("no-such-interface"), "{why}");
        let found = read("nameserver fe80::1\nnameserver 192.0.2.1\n");
        assert_eq!((values(&found.servers), found.problems.len()), (vec!["192.0.2.1"], 1));
    }

    #[test]
    fn options_come_first() {
        let options = Options {
            resolvconf_path: Some("/nonexistent/resolv.conf".into()),
            servers: Some(vec!["192.0.2.1".into()]),
            domains: Some(Vec::new()),
            ndots: Some(7),
            lookups: Some("b".into()),
            ..Options::default()
        };
        let found = Configuration::read(&options);
        assert_eq!(values(&found.servers), ["192.0.2.1"]);
        assert_eq!((found.search.len(), found.ndots.value), (0, 7));
        assert_eq!(found.lookups, Setting::new("b".to_owned(), Source::Options));
        assert_eq!(found.timeout, Setting::new(DEFAULT_TIMEOUT, Source::Default));
        assert!(found.problems[0].to_string().contains("/nonexistent/resolv.conf"));
    }

    #[test]
    fn zero_is_the_least_that_makes_sense() {
        let found = read("options timeout:0 attempts:0\n");
        assert_eq!((found.timeout.value, found.tries.value), (Duration::from_secs(1), 1));
    }
}
