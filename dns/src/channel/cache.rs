//! Answers to `query` that are given again without c-ares.
//!
//! c-ares has a cache of its own, which stays in use for everything else. For each answer that
//! c-ares 1.34 takes from there it writes the whole message and parses it again, twice the
//! time that the rest of a lookup takes. The rules here are c-ares's: an answer is kept
//! for as long as its shortest-lived record or the channel's `query_cache_max_ttl` allows, its records
//! grow older meanwhile, and other servers or another configuration start afresh. What is not an
//! answer with records, NXDOMAIN for instance, is left to c-ares.

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::message::{Flags, Message};
use crate::record::Record;
use crate::registry::{RecordClass, RecordType};

/// How many answers there are at least before those that are too old are looked for.
const SWEEP: usize = 1024;

pub(crate) struct Cache {
    max_ttl: u32,
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    answers: HashMap<Key, Kept>,
    /// How many there may be before it is time to look for old ones.
    sweep_at: usize,
    generation: u64,
}

type Key = (Box<str>, RecordType, RecordClass);

struct Kept {
    message: Message,
    since: Instant,
    until: Instant,
}

/// Where an answer belongs that is not there yet.
pub(crate) struct Place {
    key: Key,
    generation: u64,
}

impl Cache {
    /// A cache that keeps nothing for longer than so many seconds; with 0, nothing at all.
    pub(crate) fn new(max_ttl: u32) -> Cache {
        Cache { max_ttl, state: RefCell::default() }
    }

    /// The answer to a question, or where to keep it. Neither where nothing is kept.
    pub(crate) fn find(
        &self,
        name: &str,
        record_type: RecordType,
        class: RecordClass,
    ) -> (Option<Message>, Option<Place>) {
        if self.max_ttl == 0 {
            return (None, None);
        }
        let name = name.strip_suffix('.').unwrap_or(name);
        let key = (name.to_ascii_lowercase().into_boxed_str(), record_type, class);
        let now = Instant::now();
        let state = self.state.borrow();
        match state.answers.get(&key) {
            Some(kept) if now < kept.until => (Some(kept.aged(now)), None),
            _ => (None, Some(Place { key, generation: state.generation })),
        }
    }

    /// Keeps an answer that a server has just given.
    pub(crate) fn keep(&self, place: Place, message: &Message) {
        let Some(ttl) = lifetime(message).map(|ttl| ttl.min(self.max_ttl)).filter(|ttl| *ttl > 0)
        else {
            return;
        };
        let since = Instant::now();
        let until = since + Duration::from_secs(ttl.into());
        let mut state = self.state.borrow_mut();
        if state.generation != place.generation {
            return;
        }
        if state.answers.len() >= state.sweep_at.max(SWEEP) {
            state.answers.retain(|_, kept| since < kept.until);
            state.sweep_at = 2 * state.answers.len();
        }
        state.answers.insert(place.key, Kept { message: message.clone(), since, until });
    }

    /// Starts afresh. What was asked before is not kept.
    pub(crate) fn clear(&self) {
        let mut state = self.state.borrow_mut();
        state.generation += 1;
        let forgotten = std::mem::take(&mut state.answers);
        drop(state);
        drop(forgotten);
    }
}

impl Kept {
    /// The message with what its records have left.
    fn aged(&self, now: Instant) -> Message {
        let mut message = self.message.clone();
        let age = u32::try_from(now.duration_since(self.since).as_secs()).unwrap_or(u32::MAX);
        if age > 0 {
            let sections = [&mut message.answer, &mut message.authority, &mut message.additional];
            for record in sections.into_iter().flatten() {
                record.ttl = record.ttl.saturating_sub(age);
            }
        }
        message
    }
}

/// How many seconds a message may be kept; `None` for one that may not.
fn lifetime(message: &Message) -> Option<u32> {
    if message.answer.is_empty() || message.flags.contains(Flags::TC) {
        return None;
    }
    let sections = [&message.answer, &message.authority, &message.additional];
    sections.into_iter().flatten().filter(|record| has_ttl(record)).map(|record| record.ttl).min()
}

/// Whether a record's time to live says anything.
fn has_ttl(record: &Record) -> bool {
    ![RecordType::OPT, RecordType::SOA, RecordType::SIG].contains(&record.record_type())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{RecordData, data};
    use crate::registry::{Opcode, Rcode};

    fn message(ttls: &[u32]) -> Message {
        let address = |ttl: &u32| Record {
            name: "a.example".into(),
            class: RecordClass::IN,
            ttl: *ttl,
            data: RecordData::A(data::A { addr: [192, 0, 2, 1].into() }),
        };
        Message {
            id: 7,
            flags: Flags::QR,
            opcode: Opcode::QUERY,
            rcode: Rcode::NOERROR,
            question: Box::default(),
            answer: ttls.iter().map(address).collect(),
            authority: Box::default(),
            additional: Box::default(),
        }
    }

    fn find(cache: &Cache, name: &str) -> (Option<Message>, Option<Place>) {
        cache.find(name, RecordType::A, RecordClass::IN)
    }

    fn keep(cache: &Cache, name: &str, message: &Message) {
        let place = find(cache, name).1.expect("it is not there yet");
        cache.keep(place, message);
    }

    fn has(cache: &Cache, name: &str) -> bool {
        find(cache, name).0.is_some()
    }

    #[test]
    fn an_answer_is_found_in_any_case_and_with_a_final_dot() {
        let cache = Cache::new(60);
        keep(&cache, "a.example", &message(&[300]));
        assert_eq!(find(&cache, "A.Example.").0, Some(message(&[300])));
        assert!(!has(&cache, "b.example"));
        let other = cache.find("a.example", RecordType::AAAA, RecordClass::IN).0;
        let chaos = cache.find("a.example", RecordType::A, RecordClass::CHAOS).0;
        assert_eq!((other, chaos), (None, None));
    }

    #[test]
    fn records_grow_older_until_the_first_is_too_old() {
        let cache = Cache::new(60);
        keep(&cache, "a.example", &message(&[300, 30, u32::MAX]));
        let mut state = cache.state.borrow_mut();
        let kept = state.answers.values_mut().next().unwrap();
        assert_eq!(kept.until - kept.since, Duration::from_secs(30));
        let later = kept.since + Duration::from_millis(29_900);
        assert_eq!(kept.aged(later), message(&[271, 1, u32::MAX - 29]));
        kept.until = kept.since;
        drop(state);
        assert!(!has(&cache, "a.example"));
    }

    #[test]
    fn the_channel_s_limit_holds_too() {
        let cache = Cache::new(60);
        keep(&cache, "a.example", &message(&[300]));
        let state = cache.state.borrow();
        let kept = state.answers.values().next().unwrap();
        assert_eq!(kept.until - kept.since, Duration::from_secs(60));
    }

    #[test]
    fn what_may_not_be_kept_is_not() {
        let cache = Cache::new(60);
        keep(&cache, "a.example", &message(&[300, 0]));
        keep(&cache, "a.example", &message(&[]));
        keep(&cache, "a.example", &Message { flags: Flags::TC, ..message(&[300]) });
        assert!(!has(&cache, "a.example"));
        assert!(Cache::new(0).find("a.example", RecordType::A, RecordClass::IN).1.is_none());
    }

    #[test]
    fn an_answer_to_what_was_asked_before_it_was_cleared_is_not_kept() {
        let cache = Cache::new(60);
        keep(&cache, "a.example", &message(&[300]));
        let place = find(&cache, "b.example").1.unwrap();
        cache.clear();
        cache.keep(place, &message(&[300]));
        assert!(!has(&cache, "a.example"));
        assert!(!has(&cache, "b.example"));
    }

    #[test]
    fn old_answers_are_let_go() {
        let cache = Cache::new(60);
        for number in 0..10 * SWEEP {
            keep(&cache, &format!("n{number}.example"), &message(&[300]));
            let mut state = cache.state.borrow_mut();
            for kept in state.answers.values_mut() {
                kept.until = kept.since;
            }
            assert!(state.answers.len() <= SWEEP);
        }
    }
}
