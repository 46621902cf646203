//! A pointer that a handle's user gives it, and whose it is.

use std::os::raw::c_void;
use std::ptr;
use std::sync::atomic::Ordering;

use super::Handle;

/// Whose the data of handles is: each user of the crate has one, as a static, and is told from the
/// others by its address.
#[derive(Debug)]
pub struct DataOwner {
    /// Statics of no size may share an address.
    _address: u8,
}

impl DataOwner {
    /// For a static.
    #[expect(clippy::new_without_default, reason = "one that is no static is of no use")]
    pub const fn new() -> DataOwner {
        DataOwner { _address: 0 }
    }
}

impl Handle {
    /// The pointer that this owner gave the handle; null where there is none, or another's.
    #[inline]
    pub fn data(&self, owner: &'static DataOwner) -> *mut c_void {
        let (data, whose) = self.shared().data();
        if !ptr::eq(whose.load(Ordering::Relaxed), owner) {
            return ptr::null_mut();
        }
        data.load(Ordering::Acquire)
    }

    /// Whether anybody's data is set.
    pub fn has_data(&self) -> bool {
        !self.shared().data().0.load(Ordering::Acquire).is_null()
    }

    /// Gives the handle a pointer that is this owner's, or null; the crate does nothing with it.
    /// What another owner has set stays.
    pub fn set_data(&self, owner: &'static DataOwner, data: *mut c_void) {
        let (place, whose) = self.shared().data();
        let (none, ours) = (ptr::null_mut(), ptr::from_ref(owner).cast_mut());
        let claimed = whose.compare_exchange(none, ours, Ordering::Relaxed, Ordering::Relaxed);
        if claimed.map_or_else(|whose| whose == ours, |_| true) {
            place.store(data, Ordering::Release);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Loop, Timer};

    #[test]
    fn data_is_seen_by_its_owner_alone() {
        static OURS: DataOwner = DataOwner::new();
        static THEIRS: DataOwner = DataOwner::new();
        let event_loop = Loop::new().unwrap();
        let timer = Timer::new(&event_loop).unwrap();
        assert!(!timer.has_data());
        let mut thing = 1;
        timer.set_data(&OURS, (&raw mut thing).cast());
        assert_eq!(timer.data(&OURS), (&raw mut thing).cast());
        assert_eq!(timer.data(&THEIRS), ptr::null_mut());
        timer.set_data(&THEIRS, ptr::dangling_mut());
        assert_eq!(timer.data(&OURS), (&raw mut thing).cast());
        timer.set_data(&OURS, ptr::null_mut());
        assert!(!timer.has_data());
    }
}
