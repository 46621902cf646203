//! The life of Python objects: who keeps them, how Rust finds them again, and how they go.
//!
//! What the core calls back about is found by a pointer that counts as no reference (`back`): the
//! loop's table of what is active (`active`) is what keeps the object. An object whose count has
//! come to 0 is going, though Python may still run before its memory goes: in a finalizer of what
//! it has let go of, say. Nobody makes a reference to it again.
//!
//! PyPy gives every object attributes of its own accord. A `dict` that a class asks for there is made
//! with the object, and holds it for ever: so classes ask for one elsewhere only.

pub mod active;
pub mod back;
pub mod discard;
pub mod lending;
pub mod slot;
pub mod wrapper;
