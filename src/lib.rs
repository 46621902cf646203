//! libuv's event loop and its handles, as safe Rust.

mod error;
pub mod util;

pub use error::{Code, Error, Result};
