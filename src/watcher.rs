//! The shape that idle, prepare and check handles share: a callback in each iteration.

/// Writes a handle type over `uv_$name_init`, `_start` and `_stop`. With `counted $field`, the
/// loop's field of that name counts how many are active.
macro_rules! watcher {
    (
        $(#[$doc:meta])*
        $name:ident, $uv:ident, $init:ident, $start:ident, $stop:ident $(, counted $field:ident)?
    ) => {
        $(#[$doc])*
        #[repr(transparent)]
        pub struct $name($crate::Handle);

        type Callback = Box<dyn FnMut(&$name) + Send>;

        // SAFETY: the struct is transparent over a Handle, made by `create` alone, with `$init`.
        $crate::handle::handle_kind!(unsafe $name, libuv_sys2::$uv, Callback, () {
            $(
                fn before_close(&self, held: &$crate::Held) {
                    let count = &held.$field;
                    count.set(count.get() - usize::from(self.header(held).is_active()));
                }
            )?
        });

        impl $name {
            #[doc = concat!("A new, inactive handle (`", stringify!($init), "`).")]
            pub fn new(event_loop: &$crate::Loop) -> $crate::Result<$name> {
                $crate::Handle::create(event_loop, (), stringify!($init), |event_loop, handle| {
                    // SAFETY: the loop is open and ours; the handle's memory is its own.
                    unsafe { libuv_sys2::$init(event_loop, handle) }
                })
            }

            #[doc = concat!(
                "Has `callback` called in each iteration (`", stringify!($start), "`). ",
                "On a handle that is active already, `callback` replaces the one before."
            )]
            pub fn start(&self, callback: impl FnMut(&$name) + Send + 'static) -> $crate::Result<()> {
                unsafe extern "C" fn trampoline(handle: *mut libuv_sys2::$uv) {
                    // SAFETY: libuv gives the handle that this was started with.
                    unsafe {
                        $crate::handle::dispatch::<$name>(handle, |callback, handle, _| callback(handle));
                    }
                }
                let entered = self.enter()?;
                $(
                    let count = &entered.$field;
                    count.set(count.get() + usize::from(!self.header(&entered).is_active()));
                )?
                // SAFETY: the handle is open, of this type, and its loop is ours.
                unsafe {
                    libuv_sys2::$start(self.uv(), Some(trampoline));
                    self.set_callback::<$name>(&entered, Box::new(callback));
                }
                Ok(())
            }

            #[doc = concat!("Calls it no more (`", stringify!($stop), "`).")]
            pub fn stop(&self) -> $crate::Result<()> {
                let _entered = self.enter()?;
                $(
                    let count = &_entered.$field;
                    count.set(count.get() - usize::from(self.header(&_entered).is_active()));
                )?
                // SAFETY: the handle is open, of this type, and its loop is ours.
                unsafe { libuv_sys2::$stop(self.uv()) };
                Ok(())
            }
        }
    };
}
pub(crate) use watcher;
