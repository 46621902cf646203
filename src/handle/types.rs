//! `uv_handle_type`: what a handle is.

macro_rules! handle_types {
    ($($variant:ident = $constant:ident, $name:literal;)*) => {
        /// What a handle is (`uv_handle_type`).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum HandleType {
            $(#[doc = concat!("`", stringify!($constant), "`")] $variant,)*
        }

        impl HandleType {
            /// The class's name: `"Timer"`.
            pub fn name(self) -> &'static str {
                match self { $(HandleType::$variant => $name,)* }
            }
        }
    };
}

handle_types! {
    Async = UV_ASYNC, "Async";
    Check = UV_CHECK, "Check";
    FsEvent = UV_FS_EVENT, "FSEvent";
    FsPoll = UV_FS_POLL, "FSPoll";
    Idle = UV_IDLE, "Idle";
    Pipe = UV_NAMED_PIPE, "Pipe";
    Poll = UV_POLL, "Poll";
    Prepare = UV_PREPARE, "Prepare";
    Process = UV_PROCESS, "Process";
    Signal = UV_SIGNAL, "Signal";
    TCP = UV_TCP, "TCP";
    TTY = UV_TTY, "TTY";
    Timer = UV_TIMER, "Timer";
    UDP = UV_UDP, "UDP";
}
