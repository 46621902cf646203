//! DNS on a libuv loop: c-ares's raw channel, its messages as plain Rust values, and the system's
//! resolver.
//!
//! [`Channel`] asks name servers itself, on the loop of the crate `pyuv` and without a thread:
//! any record type, any number of queries at once; hosts too, with their file. [`resolve()`] asks
//! name servers without a loop and waits. [`getaddrinfo`](getaddrinfo()) and
//! [`getnameinfo`](getnameinfo()) ask the operating system, on libuv's thread pool, and know what
//! it knows: `/etc/hosts`, `nsswitch.conf`, mDNS.
//!
//! ```
//! use pyuv::{Loop, RunMode};
//! use pyuv_dns::{Hints, getaddrinfo};
//!
//! let event_loop = Loop::new()?;
//! getaddrinfo(&event_loop, Some("localhost"), Some("80"), Hints::default(), |result| {
//!     for found in result.unwrap_or_default() {
//!         println!("{}", found.address);
//!     }
//! })?;
//! event_loop.run(RunMode::Default)?;
//! # Ok::<(), pyuv_dns::Error>(())
//! ```
//!
//! A [`Message`] is read from bytes and written to them, or built of [`Record`]s:
//!
//! ```
//! use pyuv_dns::{Flags, Message, Opcode, Question, Rcode, RecordClass, RecordType};
//!
//! let query = Message {
//!     id: 7,
//!     flags: Flags::RD,
//!     opcode: Opcode::QUERY,
//!     rcode: Rcode::NOERROR,
//!     question: Box::from([Question {
//!         name: "example.com".into(),
//!         record_type: RecordType::MX,
//!         class: RecordClass::IN,
//!     }]),
//!     answer: Box::default(),
//!     authority: Box::default(),
//!     additional: Box::default(),
//! };
//! assert_eq!(Message::parse(&query.to_bytes()?)?, query);
//! # Ok::<(), pyuv_dns::Error>(())
//! ```
//!
//! A [`Bulk`] asks for a list of names, as many as you like, and makes a line of JSON of each answer.
//!
//! Names and text of DNS messages are in [`field`] and [`name`]; every number of the protocol that
//! has a name in [`registry`].

pub mod bulk;
pub mod channel;
pub mod configuration;
mod engine;
pub mod error;
pub mod field;
pub mod getaddrinfo;
pub mod getnameinfo;
mod hosts;
pub mod idna;
pub mod json;
pub mod message;
pub mod name;
mod numeric;
pub mod options;
pub mod presentation;
pub mod record;
pub mod registry;
mod resolve;
mod search;
mod server;
mod sort;
mod transport;
pub mod version;
mod wire;

pub use bulk::{Bulk, BulkOptions};
pub use c_ares::{
    AddrInfoFlags, AddrInfoHints, AddressFamily, Flags as ChannelFlags, NIFlags, ServerStateFlags,
};
pub use channel::{AddressInfo, AddressNode, Alias, Channel, Host, NameInfo, ServerStateCallback};
pub use configuration::Configuration;
pub use error::{Code, Error, Result};
pub use getaddrinfo::{AddrInfo, Hints, getaddrinfo, getaddrinfo_sync};
pub use getnameinfo::{getnameinfo, getnameinfo_sync};
pub use message::{Flags, Message, Question};
pub use options::{DEFAULT_MAX_IN_FLIGHT, LIMIT_IN_FLIGHT, Options};
pub use record::{Raw, Record, RecordData, data};
pub use registry::{Opcode, Rcode, RecordClass, RecordType};
pub use resolve::{Resolution, resolve};
pub use server::split_servers;
pub use version::version;
