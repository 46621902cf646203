//! How long the next message will be.
//!
//! Small messages are copied out of the loop's slab. For large ones the copy is what costs; but to read
//! into an object it has to be known how long the message will be. Often it is as long as the one
//! before: after two that were, the next is read into an object of that size.

/// From what length on it is worth it.
const LARGE: usize = 4096;

/// What is known of a stream's messages.
#[derive(Default)]
pub struct MessageSize {
    /// How long the last message was.
    last: usize,
    /// Whether the one before it was as long.
    steady: bool,
}

impl MessageSize {
    /// Notes a message of so many bytes.
    pub fn note(&mut self, length: usize) {
        self.steady = length == self.last;
        self.last = length;
    }

    /// How long the next message will be, if it is to be read into an object of its own.
    #[inline]
    pub fn expected(&self) -> Option<usize> {
        (self.steady && self.last >= LARGE).then_some(self.last)
    }
}
