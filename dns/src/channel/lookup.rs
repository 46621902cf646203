//! What a channel can be asked, on its way to c-ares and back.

use std::sync::Arc;

use pyuv::Held;

use super::getaddrinfo::AddressInfo;
use super::gethostby::Host;
use super::getnameinfo::NameInfo;
use super::queue::{InFlight, Queue};
use crate::engine::Engine;
use crate::error::{Code, Result};
use crate::message::Message;

/// Who asked.
pub(crate) type Callback<A> = Box<dyn FnOnce(&Held, Result<A>) + Send>;

/// A callback of the user's, who is not shown that the loop is held.
pub(crate) fn callback<A>(of_user: impl FnOnce(Result<A>) + Send + 'static) -> Callback<A> {
    Box::new(move |_, answer| of_user(answer))
}

/// A question for c-ares.
pub(crate) trait Lookup: Send + 'static {
    type Answer: Answer;

    /// How many queries c-ares makes of it at a time.
    fn weight(&self) -> usize {
        1
    }

    /// Gives it to c-ares, which may answer from inside this call.
    fn ask(self, ares: &mut Engine, query: InFlight<Self::Answer>);
}

/// A lookup with its callback, whatever the kind.
pub(crate) trait Pending: Send {
    fn weight(&self) -> usize;

    fn ask(self: Box<Self>, ares: &mut Engine, queue: &Arc<Queue>);

    /// Ends it without asking.
    fn end(self: Box<Self>, code: Code) -> Done;
}

pub(crate) struct Asked<L: Lookup> {
    pub(crate) lookup: L,
    pub(crate) callback: Callback<L::Answer>,
}

impl<L: Lookup> Asked<L> {
    pub(crate) fn ask(self, ares: &mut Engine, queue: &Arc<Queue>) {
        let query = InFlight::new(queue, self.lookup.weight(), self.callback);
        self.lookup.ask(ares, query);
    }
}

impl<L: Lookup> Pending for Asked<L> {
    fn weight(&self) -> usize {
        self.lookup.weight()
    }

    fn ask(self: Box<Self>, ares: &mut Engine, queue: &Arc<Queue>) {
        Asked::ask(*self, ares, queue);
    }

    fn end(self: Box<Self>, code: Code) -> Done {
        L::Answer::done(self.callback, Err(code.into()))
    }
}

/// A kind of answer.
pub(crate) trait Answer: Sized + 'static {
    fn done(callback: Callback<Self>, result: Result<Self>) -> Done;
}

macro_rules! answers {
    ($($kind:ident)*) => {
        /// An answer, and whom to tell.
        pub(crate) enum Done {
            $($kind(Callback<$kind>, Result<$kind>),)*
        }

        impl Done {
            pub(crate) fn tell(self, held: &Held) {
                match self {
                    $(Done::$kind(callback, result) => callback(held, result),)*
                }
            }
        }

        $(impl Answer for $kind {
            fn done(callback: Callback<$kind>, result: Result<$kind>) -> Done {
                Done::$kind(callback, result)
            }
        })*
    };
}

answers! { Message AddressInfo Host NameInfo }
