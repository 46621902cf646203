//! The names to ask for: lines of `NAME [TYPE]`, from pieces of a text that end anywhere.

/// A line that is longer is no name. What is kept of it is enough to find it.
const LONGEST: usize = 4096;

/// How much text that was read already stays in front of what is left.
const COMPACT: usize = 1 << 16;

/// The words of a line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line<'a> {
    pub(super) name: &'a [u8],
    pub(super) record_type: Option<&'a [u8]>,
}

#[derive(Default)]
pub(super) struct Lines {
    text: Vec<u8>,
    /// What of it was read.
    read: usize,
    /// The rest of a line that was too long is still to come.
    skipping: bool,
    ended: bool,
}

impl Lines {
    /// Adds what comes next.
    pub(super) fn push(&mut self, mut piece: &[u8]) {
        if self.skipping {
            let Some(end) = newline(piece) else { return };
            piece = &piece[end..];
            self.skipping = false;
        }
        if self.read >= COMPACT {
            self.text.drain(..self.read);
            self.read = 0;
        }
        self.text.extend_from_slice(piece);
    }

    /// Says that nothing comes any more: a last line needs no newline.
    pub(super) fn end(&mut self) {
        self.ended = true;
    }

    /// How many bytes are left to read.
    pub(super) fn left(&self) -> usize {
        self.text.len() - self.read
    }

    /// Whether nothing comes any more.
    pub(super) fn is_ended(&self) -> bool {
        self.ended
    }

    /// Whether nothing is left either.
    pub(super) fn is_over(&self) -> bool {
        self.ended && self.left() == 0
    }

    /// The next line that has words and does not begin with `#`; `None` if there is none yet.
    pub(super) fn next(&mut self) -> Option<Line<'_>> {
        let (start, end) = loop {
            let start = self.read;
            let left = &self.text[start..];
            let length = match newline(left) {
                Some(length) => {
                    self.read += length + 1;
                    length
                }
                None if self.ended && !left.is_empty() => {
                    self.read = self.text.len();
                    left.len()
                }
                None => {
                    if left.len() > LONGEST {
                        self.text.truncate(start + LONGEST);
                        self.skipping = true;
                    }
                    return None;
                }
            };
            let end = start + length.min(LONGEST);
            let first = words(&self.text[start..end]).next();
            if first.is_some_and(|word| !word.starts_with(b"#")) {
                break (start, end);
            }
        };
        let mut words = words(&self.text[start..end]);
        words.next().map(|name| Line { name, record_type: words.next() })
    }
}

fn newline(text: &[u8]) -> Option<usize> {
    text.iter().position(|byte| *byte == b'\n')
}

fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(lines: &mut Lines) -> Vec<String> {
        let mut found = Vec::new();
        while let Some(Line { name, record_type }) = lines.next() {
            let record_type = record_type.map(|word| format!(" {}", word.escape_ascii()));
            found.push(format!("{}{}", name.escape_ascii(), record_type.unwrap_or_default()));
        }
        found
    }

    #[test]
    fn comments_and_empty_lines_are_passed_over() {
        let mut lines = Lines::default();
        lines.push(b"# head\n\n  a.example \t MX  # why\r\n\t\n#b\nc.example\nd.exam");
        assert_eq!(names(&mut lines), ["a.example MX", "c.example"]);
        assert!(!lines.is_over());
        lines.push(b"ple");
        assert_eq!(lines.next(), None);
        lines.end();
        assert_eq!(names(&mut lines), ["d.example"]);
        assert!(lines.is_over());
    }

    #[test]
    fn pieces_may_end_anywhere() {
        let text = b"one A\n\xff two\n\nthree";
        for size in 1..text.len() {
            let mut lines = Lines::default();
            let mut found = Vec::new();
            for piece in text.chunks(size) {
                lines.push(piece);
                found.extend(names(&mut lines));
            }
            lines.end();
            found.extend(names(&mut lines));
            assert_eq!(found, ["one A", r"\xff two", "three"], "{size}");
        }
    }

    #[test]
    fn a_line_that_is_too_long_is_cut_and_takes_no_memory() {
        let mut lines = Lines::default();
        for _ in 0..100 {
            lines.push(&[b'x'; 1 << 16]);
            assert_eq!(lines.next(), None);
            assert!(lines.left() <= LONGEST);
        }
        lines.push(b"xx\nnext\n");
        assert_eq!(names(&mut lines), ["x".repeat(LONGEST), "next".to_owned()]);
        lines.push(&[b'y'; LONGEST + 1]);
        lines.end();
        assert_eq!(names(&mut lines), ["y".repeat(LONGEST)]);
    }

    #[test]
    fn what_was_read_is_let_go() {
        let mut lines = Lines::default();
        for _ in 0..1000 {
            lines.push(&b"a.example\n".repeat(1000));
            assert_eq!(names(&mut lines).len(), 1000);
        }
        assert!(lines.text.capacity() < 4 * COMPACT);
    }
}
