//! The questions that need not be asked again.

use std::hash::{DefaultHasher, Hash, Hasher};

/// Questions that were answered before. Each takes eight bytes, a hash: two questions share one
/// once in some ten million million pairs.
#[derive(Default)]
pub struct Answered {
    hashes: Vec<u64>,
    sorted: bool,
}

impl Answered {
    /// Remembers a question: a name as it stands in the list of names, and the type in words.
    pub fn insert(&mut self, name: &[u8], record_type: &str) {
        self.hashes.push(hash(name, record_type));
        self.sorted = false;
    }

    /// How many questions were remembered.
    pub fn len(&self) -> usize {
        self.hashes.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }

    pub(super) fn contains(&mut self, name: &[u8], record_type: &str) -> bool {
        if self.hashes.is_empty() {
            return false;
        }
        if !self.sorted {
            self.hashes.sort_unstable();
            self.sorted = true;
        }
        self.hashes.binary_search(&hash(name, record_type)).is_ok()
    }
}

fn hash(name: &[u8], record_type: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (name, record_type).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_a_name_and_a_type() {
        let mut answered = Answered::default();
        assert!(!answered.contains(b"a.example", "A"));
        answered.insert(b"a.example", "A");
        answered.insert(b"b.example", "MX");
        assert!(answered.contains(b"a.example", "A"));
        assert!(answered.contains(b"b.example", "MX"));
        assert!(!answered.contains(b"a.example", "MX"));
        answered.insert(b"\xff", "MX");
        assert!(answered.contains(b"\xff", "MX"));
        assert_eq!(answered.len(), 3);
    }
}
