//! DNS on a libuv loop: c-ares's raw channel, its messages as plain Rust values.

pub mod channel;
pub mod error;
pub mod field;
pub mod message;
pub mod name;
pub mod options;
mod queue;
pub mod record;
pub mod registry;
mod server;
mod sockets;

pub use c_ares::Flags as ChannelFlags;
pub use channel::Channel;
pub use error::{Code, Error, Result};
pub use message::{Flags, Message, Question};
pub use options::{DEFAULT_MAX_IN_FLIGHT, LIMIT_IN_FLIGHT, Options};
pub use record::{Raw, Record, RecordData, data};
pub use registry::{Opcode, Rcode, RecordClass, RecordType};
