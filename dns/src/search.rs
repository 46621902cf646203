//! Which names stand for one that was asked for: the search domains (`resolv.conf(5)`), and the file
//! of aliases (`hostname(7)`).

use std::{env, fs};

use crate::engine::Engine;
use crate::name;

/// The environment variable that names the file of aliases.
const ALIASES: &str = "HOSTALIASES";

/// The names to ask for, one after the other, for one that was checked.
///
/// A name with at least `ndots` dots is asked for as it is first, one with fewer last, and one that ends
/// in a dot alone. A domain that would make the name too long is passed over.
pub(crate) fn names(name: &str, engine: &Engine) -> Vec<String> {
    if engine.has_aliases()
        && let Some(alias) = alias(name)
    {
        return vec![alias];
    }
    if name.ends_with('.') || !engine.searches() {
        return vec![name.to_owned()];
    }
    let configuration = &engine.configuration;
    let domains = configuration.search.iter().map(|domain| &*domain.value);
    with_domains(name, domains, configuration.ndots.value)
}

fn with_domains<'a>(name: &str, domains: impl Iterator<Item = &'a str>, ndots: u32) -> Vec<String> {
    let dots = name.bytes().filter(|byte| *byte == b'.').count();
    let longer = domains.filter_map(|domain| {
        let domain = domain.trim_matches('.');
        let longer = format!("{name}.{domain}");
        // To search the root is to ask for the name as it is.
        (!domain.is_empty() && name::validate(&longer).is_ok()).then_some(longer)
    });
    let mut names: Vec<_> = longer.collect();
    let last = u32::try_from(dots).is_ok_and(|dots| dots < ndots);
    names.insert(if last { names.len() } else { 0 }, name.to_owned());
    names
}

/// What the file of aliases has for a name without dots.
fn alias(name: &str) -> Option<String> {
    if name.contains('.') {
        return None;
    }
    let text = fs::read(env::var_os(ALIASES)?).ok()?;
    let text = String::from_utf8_lossy(&text);
    let found = text.lines().find_map(|line| {
        let mut words = line.split_ascii_whitespace();
        words.next().filter(|alias| alias.eq_ignore_ascii_case(name))?;
        words.next().map(str::to_owned)
    });
    found.filter(|name| name::validate(name).is_ok())
}

/// Whether a name is this host by definition (RFC 6761, 6.3).
pub(crate) fn is_localhost(name: &str) -> bool {
    is_within(name, "localhost")
}

/// Whether a name is Tor's, which no name server shall be asked for (RFC 7686).
pub(crate) fn is_onion(name: &str) -> bool {
    is_within(name, "onion")
}

fn is_within(name: &str, domain: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name).as_bytes();
    let Some(start) = name.len().checked_sub(domain.len()) else { return false };
    name[start..].eq_ignore_ascii_case(domain.as_bytes()) && (start == 0 || name[start - 1] == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(name: &str, domains: &[&str], ndots: u32) -> Vec<String> {
        with_domains(name, domains.iter().copied(), ndots)
    }

    #[test]
    fn dots_say_what_comes_first() {
        let domains = ["one.example", "two.example."];
        assert_eq!(list("a", &domains, 1), ["a.one.example", "a.two.example", "a"]);
        assert_eq!(list("a.b", &domains, 1), ["a.b", "a.b.one.example", "a.b.two.example"]);
        assert_eq!(list("a.b", &domains, 2), ["a.b.one.example", "a.b.two.example", "a.b"]);
        assert_eq!(list("a", &[".", ""], 1), ["a"]);
        assert_eq!(list("a", &[], 1), ["a"]);
    }

    #[test]
    fn a_domain_that_makes_the_name_too_long_is_passed_over() {
        let name = [60, 60, 60, 58].map(|length| "a".repeat(length)).join(".");
        assert_eq!(
            list(&name, &["default.svc.cluster.local", "b"], 5),
            [format!("{name}.b"), name]
        );
    }

    #[test]
    fn names_that_stay_here() {
        for name in ["localhost", "LocalHost.", "x.localhost", "a.b.localhost."] {
            assert!(is_localhost(name), "{name}");
        }
        for name in ["xlocalhost", "localhost.example", "", "."] {
            assert!(!is_localhost(name), "{name}");
        }
        assert!(is_onion("x.onion") && !is_onion("onion.example"));
    }
}
