//! What lies between c-ares and its sockets: every message that c-ares sends and gets goes through here
//! (`ares_set_socket_functions_ex`).
//!
//! c-ares asks servers, waits, tries again and changes servers. What it does not do is done to the
//! messages on their way:
//!
//! - An answer is read here, whole, and kept for who asked; c-ares gets a copy in which the records that
//!   it cannot read have a type that it does not try to.
//! - A refusal without a question, as old servers send it for EDNS, gets the question that was asked,
//!   so that c-ares knows whose it is and asks again without EDNS (RFC 6891, 7).
//! - What is no answer to anything asked goes no further.
//! - A question that c-ares cannot write is sent in place of one that it can: see [`Placeholders`].
//! - What was wrong with an answer is remembered, for the error that c-ares ends in.

mod exchange;
mod placeholder;
#[cfg(unix)]
mod sockets;
mod stream;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use c_ares::DnsRecord;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use self::exchange::{Exchange, Kept};
use self::placeholder::Placeholders;
use self::stream::Stream;
use crate::error::{Code, Error, Result};
use crate::message::Message;

/// What lies between one c-ares channel and its sockets.
///
/// Its lock is waited for only where c-ares has a thread of its own, and never held while anybody's code
/// runs.
#[derive(Default)]
pub(crate) struct Transport(Mutex<State>);

#[derive(Default)]
struct State {
    exchange: Exchange,
    placeholders: Placeholders,
    connections: FxHashMap<c_ares::Socket, Connection>,
    /// Why there may be no server to ask.
    no_server: String,
}

/// A socket that c-ares has open.
struct Connection {
    /// `None` for UDP.
    stream: Option<Stream>,
    /// Whom it is connected to, port 0 of no address before.
    peer: SocketAddr,
}

impl Transport {
    /// Has everything that `channel` sends and gets go through a transport, which has to outlive it.
    /// Elsewhere than on Unix it does not. With `keep_all` every answer is kept, not only those that
    /// are [expected](Transport::expect): a thread of c-ares's may be quicker than who asks.
    pub(crate) fn install(channel: &c_ares::Channel, keep_all: bool) -> Arc<Transport> {
        let transport = Arc::new(Transport::default());
        transport.lock().exchange.keep_all = keep_all;
        #[cfg(unix)]
        sockets::install(channel, &transport);
        #[cfg(not(unix))]
        let _ = channel;
        transport
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says why there is no server to ask, if there is none.
    pub(crate) fn explain_no_server(&self, why: String) {
        self.lock().no_server = why;
    }

    /// Has the answers to the question with this number kept, until c-ares has said which it is.
    pub(crate) fn expect(&self, number: u16) {
        self.lock().exchange.expect(number);
    }

    /// Has `message` sent in place of the one that c-ares is given: a question by this name and of this
    /// type. `None` where there is no such question left.
    pub(crate) fn place(&self, message: Message) -> Option<placeholder::Placeholder> {
        self.lock().placeholders.add(message)
    }

    /// Lets go of a message that was sent in place of another.
    pub(crate) fn displace(&self, placeholder: &placeholder::Placeholder) {
        self.lock().placeholders.remove(placeholder);
    }

    /// The message that c-ares accepted as the answer to the question with this number, and lets go of
    /// the others. `number` is needed where c-ares has no answer.
    pub(crate) fn answer(
        &self,
        answer: c_ares::Result<&DnsRecord>,
        number: Option<u16>,
    ) -> Result<Message> {
        let number = answer.map_or(number, |answer| Some(answer.id()));
        let asked = number.and_then(|number| self.lock().exchange.end(number));
        match (answer, asked) {
            (Ok(answer), Some(asked)) => match accepted(answer, asked.kept) {
                Some(message) => Ok(message),
                None => written(answer),
            },
            // From c-ares's cache.
            (Ok(answer), None) => written(answer),
            (Err(error), asked) => {
                let code = Code::from(error);
                if code == Code::ENOSERVER {
                    return Err(Error::new(code, self.lock().no_server.clone()));
                }
                let fault = asked.and_then(|asked| asked.fault).filter(|_| may_have_a_fault(code));
                Err(Error::new(code, fault.unwrap_or_default()))
            }
        }
    }

    /// Forgets what was asked. Nothing is in flight.
    pub(crate) fn forget(&self) {
        self.lock().exchange.clear();
    }
}

/// Whether a status may come of an answer that could not be used.
fn may_have_a_fault(code: Code) -> bool {
    [Code::EBADRESP, Code::EFORMERR, Code::EBADNAME, Code::ETIMEOUT, Code::ECONNREFUSED]
        .contains(&code)
}

/// Which of the messages that came for a question is c-ares's answer.
fn accepted(answer: &DnsRecord, mut kept: SmallVec<[Kept; 1]>) -> Option<Message> {
    if kept.len() > 1 {
        let theirs = answer.write().ok()?;
        let is_theirs = |kept: &Kept| {
            let read = DnsRecord::parse(&kept.given, c_ares::DnsParseFlags::empty()).ok();
            read.and_then(|read| read.write().ok()).is_some_and(|wire| *wire == *theirs)
        };
        let index = kept.iter().position(is_theirs)?;
        return Some(kept.swap_remove(index).message);
    }
    kept.pop().map(|kept| kept.message)
}

/// c-ares's own copy of a message.
fn written(answer: &DnsRecord) -> Result<Message> {
    Message::parse(&answer.write()?)
}
