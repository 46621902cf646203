//! Asking without a loop: on a c-ares channel that has a thread of its own.
//!
//! The thread comes with an epoll descriptor and an inotify watch on `/etc`, and to close that
//! watch takes Linux some 10 ms. So a resolver stays for whoever asks with the same options next, as
//! long as the system's configuration stays the same, and there are [`MAX_RESOLVERS`] at most.
//!
//! A forked child has the resolvers but not their threads. It makes its own and leaves those alone:
//! destroying one would wait for its thread.

use std::mem::ManuallyDrop;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{process, ptr};

use crate::channel::{check_class, no_panic, synthesized};
use crate::configuration::Configuration;
use crate::engine::Engine;
use crate::error::{Code, Result};
use crate::idna;
use crate::message::Message;
use crate::options::Options;
use crate::registry::{RecordClass, RecordType};

/// How many resolvers stay, each with a thread.
const MAX_RESOLVERS: usize = 4;

/// How many questions a resolver may have before another takes its place. Those that nobody waits
/// for any more stay with c-ares until they time out, and it has 65,536 numbers for them.
const MAX_QUESTIONS: usize = 4096;

/// A question that c-ares is working on, on a thread of its own.
pub struct Resolution {
    /// `None` where no server was asked.
    resolver: Option<Arc<Shared>>,
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
        let name = idna::to_ask(name)?;
        check_class(class)?;
        let (sender, answer) = sync_channel(1);
        let answer = Mutex::new(answer);
        if let Some(known) = synthesized(&name, record_type, class) {
            let _ = sender.send(known);
            return Ok(Resolution { resolver: None, answer });
        }
        let resolver = shared(options)?;
        resolver.lock().query(&name, record_type, class, move |answer| {
            no_panic(|| drop(sender.send(answer.read())));
        });
        Ok(Resolution { resolver: Some(resolver), answer })
    }

    /// The answer, if it comes within `timeout`. In a forked child none does: `ARES_ECANCELLED`.
    pub fn wait(&self, timeout: Duration) -> Option<Result<Message>> {
        if self.resolver.as_ref().is_some_and(|resolver| resolver.is_forked()) {
            return Some(Err(Code::ECANCELLED.into()));
        }
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

/// A resolver that belongs to one process.
struct Shared {
    engine: ManuallyDrop<Mutex<Engine>>,
    process: u32,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Engine> {
        self.engine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_forked(&self) -> bool {
        self.process != process::id()
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if !self.is_forked() {
            // SAFETY: it is dropped here alone, and not used afterwards.
            unsafe { ManuallyDrop::drop(&mut self.engine) };
        }
    }
}

/// What resolvers are told apart by.
type Key = (Options, Configuration);

/// The resolvers of one process, the latest used last.
struct Resolvers {
    process: u32,
    kept: Mutex<Vec<(Key, Arc<Shared>)>>,
}

/// The resolvers of this process. Never freed: a child of a fork may have been left a lock that
/// nobody will unlock, and starts afresh.
fn resolvers() -> &'static Resolvers {
    static RESOLVERS: AtomicPtr<Resolvers> = AtomicPtr::new(ptr::null_mut());
    let process = process::id();
    let mut known = RESOLVERS.load(Ordering::Acquire);
    loop {
        // SAFETY: null, or leaked below.
        match unsafe { known.as_ref() } {
            Some(resolvers) if resolvers.process == process => return resolvers,
            _ => {}
        }
        let new = Box::into_raw(Box::new(Resolvers { process, kept: Mutex::default() }));
        match RESOLVERS.compare_exchange(known, new, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => known = new,
            Err(theirs) => {
                // SAFETY: nobody has seen it.
                drop(unsafe { Box::from_raw(new) });
                known = theirs;
            }
        }
    }
}

/// The resolver with these options.
fn shared(options: &Options) -> Result<Arc<Shared>> {
    options.check()?;
    let key = (options.clone(), Configuration::read(options));
    let resolvers = resolvers();
    let mut kept = resolvers.kept.lock().unwrap_or_else(PoisonError::into_inner);
    let known = kept.iter().position(|(known, _)| *known == key);
    let (found, full) = match known.map(|index| kept.remove(index)) {
        Some((_, found)) if found.lock().queue_active_queries() < MAX_QUESTIONS => (found, None),
        full => {
            let engine = options.engine(key.1.clone(), None::<fn(c_ares::Socket, bool, bool)>)?;
            let engine = ManuallyDrop::new(Mutex::new(engine));
            (Arc::new(Shared { engine, process: resolvers.process }), full)
        }
    };
    kept.push((key, found.clone()));
    let oldest = (kept.len() > MAX_RESOLVERS).then(|| kept.remove(0));
    drop(kept);
    // Their threads end when nobody waits for an answer of theirs.
    drop((full, oldest));
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(server: &str) -> Options {
        Options { servers: Some(vec![server.to_owned()]), ..Options::default() }
    }

    #[test]
    fn the_same_options_get_the_same_resolver_and_few_stay() {
        let first = shared(&to("127.0.0.1:1")).unwrap();
        assert!(Arc::ptr_eq(&first, &shared(&to("127.0.0.1:1")).unwrap()));
        let weak = Arc::downgrade(&first);
        drop(first);
        assert!(weak.upgrade().is_some());
        for port in 2..=MAX_RESOLVERS + 1 {
            shared(&to(&format!("127.0.0.1:{port}"))).unwrap();
        }
        assert!(weak.upgrade().is_none());
        assert_eq!(resolvers().kept.lock().unwrap().len(), MAX_RESOLVERS);
    }

    #[test]
    fn questions_that_nobody_waits_for_do_not_use_up_the_numbers() {
        // Bound and never read.
        let silent = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let server = to(&silent.local_addr().unwrap().to_string());
        // None is over before all are asked, on however slow a machine.
        let options = Options { timeout: Some(Duration::from_secs(600)), ..server };
        let first = Arc::downgrade(&shared(&options).unwrap());
        for _ in 0..=MAX_QUESTIONS {
            let asked = Resolution::start("x.example", RecordType::A, RecordClass::IN, &options);
            assert!(asked.unwrap().wait(Duration::ZERO).is_none());
        }
        assert!(first.upgrade().is_none());
    }
}
