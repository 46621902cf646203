//! Asking without a loop: on c-ares-resolver, whose channel has a thread of its own.

use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use c_ares_resolver::Resolver;

use crate::channel::{check_class, copy_message, no_panic};
use crate::error::{Code, Result};
use crate::message::Message;
use crate::name;
use crate::options::Options;
use crate::registry::{RecordClass, RecordType};

/// A question that c-ares is working on, on a thread of its own.
///
/// That thread ends when this is dropped, and the question with it.
pub struct Resolution {
    /// Dropped first: that joins the thread.
    _resolver: Resolver,
    answer: Mutex<Receiver<Result<Message>>>,
}

impl Resolution {
    /// Asks for the records of `name` that are of one type and class (`ares_query_dnsrec`).
    ///
    /// The error names the option or the name that is wrong. `max_in_flight` is not looked at.
    pub fn start(
        name: &str,
        record_type: RecordType,
        class: RecordClass,
        options: &Options,
    ) -> Result<Resolution> {
        name::validate(name)?;
        check_class(class)?;
        let resolver = options.resolver()?;
        let (sender, answer) = sync_channel(1);
        // What the call returns, the closure has been told.
        let _ = resolver.query_dnsrec(name, class.into(), record_type.into(), move |answer| {
            no_panic(|| drop(sender.send(copy_message(answer))));
        });
        Ok(Resolution { _resolver: resolver, answer: Mutex::new(answer) })
    }

    /// The answer, if it comes within `timeout`.
    pub fn wait(&self, timeout: Duration) -> Option<Result<Message>> {
        let answer = self.answer.lock().unwrap_or_else(PoisonError::into_inner);
        match answer.recv_timeout(timeout) {
            Ok(answer) => Some(answer),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(Err(Code::EDESTRUCTION.into())),
        }
    }
}

/// Asks for the records of `name` that are of one type, and waits for the answer or for c-ares to
/// give up: after `timeout` x `tries` for each server.
///
/// ```no_run
/// use pyuv_dns::{Options, RecordType, resolve};
///
/// let message = resolve("example.com", RecordType::MX, &Options::default())?;
/// for record in &message.answer {
///     println!("{:?}", record.data);
/// }
/// # Ok::<(), pyuv_dns::Error>(())
/// ```
pub fn resolve(name: &str, record_type: RecordType, options: &Options) -> Result<Message> {
    let resolution = Resolution::start(name, record_type, RecordClass::IN, options)?;
    loop {
        if let Some(answer) = resolution.wait(Duration::from_secs(3600)) {
            return answer;
        }
    }
}
