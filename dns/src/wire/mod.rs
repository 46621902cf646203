//! Messages on the wire (RFC 1035, 4.1).
//!
//! c-ares reads and writes messages too, but it gives up a whole message for one record that it does
//! not understand, takes no message without a question, keeps one of two options with the same number,
//! and writes no name whose text is over 255 characters. So messages are read and written here, and
//! c-ares sees of each what it needs: see [`transport`](crate::transport).

mod reader;
mod writer;

pub(crate) use self::reader::{Malformed, Reader};
pub(crate) use self::writer::Writer;

/// Where a message's first name is, behind the header.
pub(crate) const HEADER: usize = 12;

/// The most bytes of a message, and of a record's data.
pub(crate) const MAX_MESSAGE: usize = 65_535;
