//! DNS on a libuv loop: c-ares's raw channel, its messages as plain Rust values.

pub mod error;
pub mod field;
pub mod message;
pub mod name;
pub mod record;
pub mod registry;

pub use error::{Code, Error, Result};
pub use message::{Flags, Message, Question};
pub use record::{Raw, Record, RecordData, data};
pub use registry::{Opcode, Rcode, RecordClass, RecordType};
