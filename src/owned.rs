//! What belongs to a loop's owner though it is kept elsewhere.

use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use crate::r#loop::{Held, Loop};

/// A value of whoever owns a loop: any thread may keep it, drop it and refer to it, but only the
/// loop's owner gets at what is inside, by showing that it is the owner.
///
/// It is to a loop what a `Mutex` is to a lock, without a lock: nobody waits, and one who has a
/// [`Held`] of the loop anyway, as every callback has, pays a comparison. So the value has to be
/// `Send` and nothing more; `Cell` and `RefCell` in it are fine.
///
/// It does not keep the loop. A loop that is made later may have the address of one that is gone:
/// then its owner is the next to reach the value, which is one after another still.
///
/// ```
/// use std::cell::Cell;
/// use pyuv::{Loop, Owned};
///
/// let event_loop = Loop::new()?;
/// let count = Owned::new(&event_loop, Cell::new(1));
/// let held = event_loop.hold()?;
/// count.get(&held).set(2);
/// assert_eq!(count.get(&held).get(), 2);
/// # Ok::<(), pyuv::Error>(())
/// ```
#[derive(Default)]
#[repr(C)]
pub struct Owned<T> {
    /// The loop's address, or null for one of nobody's yet. It is compared, never followed; once
    /// set it stays.
    owner: AtomicPtr<Held>,
    value: T,
}

// SAFETY: only the thread that owns the loop gets a `&T`, for no longer than it does, and the next
// to own the loop comes after it. What a `&T` allows is so done by one thread after another, as
// `Send` allows.
unsafe impl<T: Send> Sync for Owned<T> {}

impl<T> Owned<T> {
    /// A value of the owner of this loop.
    pub fn new(event_loop: &Loop, value: T) -> Owned<T> {
        Owned { owner: AtomicPtr::new(event_loop.address()), value }
    }

    /// A value for the owner of the loop that first asks for it: for what is made before it is known
    /// which loop it is on. If all zeroes is a `T`, so it is an unclaimed `Owned<T>`.
    pub const fn unclaimed(value: T) -> Owned<T> {
        Owned { owner: AtomicPtr::new(ptr::null_mut()), value }
    }

    /// The value.
    ///
    /// # Panics
    /// If it is another loop that is held.
    #[inline]
    pub fn get<'a>(&'a self, held: &'a Held) -> &'a T {
        if !ptr::eq(self.owner.load(Ordering::Relaxed), held) {
            self.claim(held);
        }
        &self.value
    }

    /// Whether this is the loop that the value belongs to, or may come to belong to.
    pub fn is_of(&self, held: &Held) -> bool {
        let owner = self.owner.load(Ordering::Relaxed);
        owner.is_null() || ptr::eq(owner, held)
    }

    #[cold]
    fn claim(&self, held: &Held) {
        let this = ptr::from_ref(held).cast_mut();
        let nobody = ptr::null_mut();
        let claimed =
            self.owner.compare_exchange(nobody, this, Ordering::Relaxed, Ordering::Relaxed);
        // Two that claim it at once are on different loops, and one of them comes second.
        assert!(
            claimed.is_ok(),
            "what belongs to one loop's owner was asked for with another loop"
        );
    }

    /// The value, for a garbage collector that looks at it from whichever thread.
    ///
    /// # Safety
    /// Nobody is in the middle of changing the value, or begins to before the reference is gone:
    /// as in a collector that runs while every other thread waits for it, if whoever changes the
    /// value never lets one run.
    pub unsafe fn get_unheld(&self) -> &T {
        &self.value
    }

    /// The value, for somebody who alone refers to it.
    pub fn get_mut(&mut self) -> &mut T {
        &mut self.value
    }

    /// The value, which is its owner's no longer.
    pub fn into_inner(self) -> T {
        self.value
    }
}

impl<T> std::fmt::Debug for Owned<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Owned({:p})", self.owner.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::Arc;

    use super::*;
    use crate::Error;

    fn refuses<T>(owned: &Owned<T>, held: &Held) -> bool {
        catch_unwind(AssertUnwindSafe(|| _ = owned.get(held))).is_err()
    }

    #[test]
    fn it_is_reached_with_its_own_loop_alone() {
        let (ours, other) = (Loop::new().unwrap(), Loop::new().unwrap());
        let owned = Owned::new(&ours, RefCell::new(vec![1]));
        let (held, wrong) = (ours.enter().unwrap(), other.enter().unwrap());
        owned.get(&held).borrow_mut().push(2);
        assert!(owned.is_of(&held) && !owned.is_of(&wrong));
        assert!(refuses(&owned, &wrong));
        assert_eq!(owned.into_inner().into_inner(), [1, 2]);
    }

    #[test]
    fn the_first_loop_to_ask_gets_what_is_unclaimed() {
        let (ours, other) = (Loop::new().unwrap(), Loop::new().unwrap());
        let owned = Owned::unclaimed(Cell::new(1));
        let (held, wrong) = (ours.enter().unwrap(), other.enter().unwrap());
        assert!(owned.is_of(&wrong));
        owned.get(&held).set(2);
        assert!(refuses(&owned, &wrong));
        assert_eq!(owned.get(&held).get(), 2);
    }

    #[test]
    fn threads_take_turns_at_it() {
        let event_loop = Loop::new().unwrap();
        let owned = Arc::new(Owned::new(&event_loop, Cell::new(0)));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..1000 {
                        let held = loop {
                            match event_loop.enter() {
                                Ok(held) => break held,
                                Err(error) => assert_eq!(error, Error::WrongThread),
                            }
                            std::hint::spin_loop();
                        };
                        let count = owned.get(&held);
                        count.set(count.get() + 1);
                    }
                });
            }
        });
        assert_eq!(owned.get(&event_loop.enter().unwrap()).get(), 4000);
    }
}
