//! Files with several names in a tree that is copied: the copy has them too.
//!
//! The first name that is met is copied. Names that are met meanwhile wait until that copy is whole, and later ones
//! are given to it at once.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ffi::CStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::fs::Stat;

use crate::identity::Identity;
use crate::tree::folder::Folder;

/// A name in a folder of the tree.
pub(crate) struct Name<X>(pub(crate) Arc<Folder<X>>, pub(crate) Box<CStr>);

impl<X> Clone for Name<X> {
    fn clone(&self) -> Name<X> {
        Name(Arc::clone(&self.0), self.1.clone())
    }
}

/// What is known of a file with several names.
struct File<X> {
    /// How many of them have not been met.
    unseen: u64,
    copy: Copy<X>,
}

enum Copy<X> {
    /// It is being made, and these names wait for it.
    Begun(Vec<Name<X>>),
    /// It has this name.
    Made(Name<X>),
}

/// What is to be done with a name.
pub(crate) enum Met<X> {
    /// It is the first: the file is to be copied.
    First,
    /// It is a further name for the copy of this one.
    Again(Name<X>),
    /// It waits.
    Waits,
}

/// The files with several names that were met so far.
pub(crate) struct HardLinks<X>(Mutex<HashMap<Identity, File<X>>>);

impl<X> Default for HardLinks<X> {
    fn default() -> Self {
        HardLinks(Mutex::default())
    }
}

/// Whether a file has further names.
#[allow(clippy::unnecessary_cast)]
pub(crate) fn has_several(stat: &Stat) -> bool {
    stat.st_nlink as u64 > 1
}

impl<X> HardLinks<X> {
    fn files(&self) -> MutexGuard<'_, HashMap<Identity, File<X>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A name of the file with this `stat` is met. One that waits counts as something to be done in its folder.
    #[allow(clippy::unnecessary_cast)]
    pub(crate) fn meet(&self, stat: &Stat, folder: &Arc<Folder<X>>, name: &CStr) -> Met<X> {
        let mut files = self.files();
        match files.entry(Identity::of(stat)) {
            Entry::Vacant(place) => {
                let unseen = (stat.st_nlink as u64).saturating_sub(1);
                place.insert(File { unseen, copy: Copy::Begun(Vec::new()) });
                Met::First
            }
            Entry::Occupied(mut file) => {
                let known = file.get_mut();
                known.unseen = known.unseen.saturating_sub(1);
                match &mut known.copy {
                    Copy::Begun(waiting) => {
                        folder.begin();
                        waiting.push(Name(Arc::clone(folder), name.into()));
                        Met::Waits
                    }
                    Copy::Made(copy) => {
                        let copy = copy.clone();
                        if known.unseen == 0 {
                            file.remove();
                        }
                        Met::Again(copy)
                    }
                }
            }
        }
    }

    /// The copy of the file has been made under this name, or could not be. Gives the names that wait for it.
    pub(crate) fn ended(&self, stat: &Stat, made: Option<Name<X>>) -> Vec<Name<X>> {
        let mut files = self.files();
        let Entry::Occupied(mut file) = files.entry(Identity::of(stat)) else { return Vec::new() };
        let copy = match made {
            Some(name) if file.get().unseen > 0 => {
                std::mem::replace(&mut file.get_mut().copy, Copy::Made(name))
            }
            _ => file.remove().copy,
        };
        match copy {
            Copy::Begun(waiting) => waiting,
            Copy::Made(_) => Vec::new(),
        }
    }
}
