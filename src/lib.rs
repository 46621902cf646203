//! libuv's event loop and its handles, as safe Rust.

mod error;

pub use error::{Code, Error, Result};
