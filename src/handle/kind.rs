//! What a type of handle says of itself, and the macro by which it does.

use std::ops::Deref;

use super::{Handle, HandleType};
use crate::error::{Code, Result};
use crate::r#loop::Held;

/// A type of handle, by [`unsafe_handle_kind!`](crate::unsafe_handle_kind) alone.
///
/// # Safety
/// Implementors are `repr(transparent)` over [`Handle`], and only ever wrap one that was created as
/// theirs.
pub unsafe trait HandleKind: Deref + Into<Handle> + Sized {
    /// The type that values of this kind have.
    const TYPE: HandleType;
    /// What no other kind has.
    const IDENTITY: &'static Identity;
}

/// What is in a handle's allocation, and what a type of handle does besides its callback.
///
/// # Safety
/// `Uv` is a handle struct of libuv's, for which all zeroes is a valid value. `IS_STREAM` is left
/// alone.
pub unsafe trait Kind: HandleKind {
    /// The `uv_*_t`.
    type Uv;
    /// The closure that its callback runs.
    type Callback: Send;
    /// What it needs beside, for the loop's owner; if it is Sync, for anybody.
    type Extra: Send;

    /// Called just before `uv_close`, which comes once, whoever closes the handle.
    fn before_close(&self, held: &Held) {
        let _ = held;
    }

    /// Called just after `uv_close`.
    fn after_close(&self, held: &Held) {
        let _ = held;
    }

    /// Called in a child process before `uv_loop_fork`.
    fn after_fork(&self, held: &Held) {
        let _ = held;
    }

    /// Asked whether the handle, which counts no request, is of use though nobody
    /// holds it any more. `active` is libuv's word for it.
    fn is_busy(&self, held: &Held, active: bool) -> bool {
        let _ = held;
        active
    }

    /// Called when the kernel has refused to wait for the handle's descriptor, for
    /// somebody else has closed it. libuv waits for nothing of it any more.
    fn fd_lost(&self, held: &Held, code: Code) {
        let _ = (held, code);
    }

    /// Whether the handle has what a [`Stream`](crate::Stream) has, beside libuv's struct too.
    #[doc(hidden)]
    const IS_STREAM: bool = false;

    /// Whether `uv_loop_fork` may be called from the handle's callback.
    const MAY_FORK_IN_CALLBACK: bool = true;

    /// Called before `uv_loop_fork`, in whichever process.
    fn before_loop_fork(&self, held: &Held) {
        let _ = held;
    }

    /// Called after `uv_loop_fork`, in whichever process. An error is what `Loop::fork` returns,
    /// with the loop usable all the same.
    fn after_loop_fork(&self, held: &Held) -> Result<()> {
        let _ = held;
        Ok(())
    }
}

/// Which struct a [`HandleKind`] is, whatever it says its type is.
pub struct Identity(#[allow(dead_code)] u8);

impl Identity {
    #[doc(hidden)]
    pub const fn new() -> Identity {
        Identity(0)
    }
}

/// Makes `struct $name(Handle)`, `repr(transparent)`, a handle type: `HandleType::$name`.
///
/// It is as unsafe as implementing [`Kind`](crate::kind::Kind) and
/// [`HandleKind`](crate::HandleKind) is, and begins with that word: whoever writes it says that the
/// struct is such a one, that only [`create`](crate::kind::create) makes values of it, and that
/// `$uv` is the handle struct of libuv's that its `init` gets.
#[macro_export]
macro_rules! unsafe_handle_kind {
    ($unsafe:tt $name:ident, $uv:ty, $callback:ty, $extra:ty { $($hooks:tt)* }) => {
        $crate::unsafe_handle_kind! {
            @of Handle, $unsafe $name, $uv, $callback, $extra { $($hooks)* }
        }
    };
    (@of $base:ident, $unsafe:tt $name:ident, $uv:ty, $callback:ty, $extra:ty {
        $($hooks:tt)*
    }) => {
        impl std::ops::Deref for $name {
            type Target = $crate::$base;
            fn deref(&self) -> &$crate::$base {
                &self.0
            }
        }

        // SAFETY: whoever uses the macro says so. Casts compare IDENTITY.
        $unsafe impl $crate::HandleKind for $name {
            const TYPE: $crate::HandleType = $crate::HandleType::$name;
            const IDENTITY: &'static $crate::kind::Identity = {
                static IDENTITY: $crate::kind::Identity = $crate::kind::Identity::new();
                &IDENTITY
            };
        }

        // SAFETY: as above.
        $unsafe impl $crate::kind::Kind for $name {
            type Uv = $uv;
            type Callback = $callback;
            type Extra = $extra;
            $($hooks)*
        }

        impl From<$name> for $crate::Handle {
            fn from(handle: $name) -> $crate::Handle {
                handle.0.into()
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Debug::fmt(&self.0, f)
            }
        }
    };
}
// Within the crate, `create` and its kin are at hand, and the rules above this file are known.
#[allow(clippy::unsafe_removed_from_name)]
pub(crate) use unsafe_handle_kind as handle_kind;

/// [`handle_kind`] for `struct $name(Stream)`, a handle type that is a stream.
macro_rules! stream_kind {
    ($unsafe:tt $name:ident, $uv:ty { $($hooks:tt)* }) => {
        $crate::unsafe_handle_kind! {
            @of Stream, $unsafe $name, $uv, $crate::stream::Callback, $crate::stream::State {
                const IS_STREAM: bool = true;
                fn before_close(&self, held: &$crate::r#loop::Held) {
                    self.give_back(held);
                }
                fn after_close(&self, held: &$crate::r#loop::Held) {
                    self.cancel_ahead(held);
                }
                $($hooks)*
            }
        }
    };
}
pub(crate) use stream_kind;
