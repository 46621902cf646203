//! Memory of Python objects, for the operations of `pyuv-fs`.

use pyuv_fs::{Buffer, Destination, Source};

/// Memory that somebody else keeps.
pub struct Lent(Vec<Buffer>);

impl Lent {
    /// # Safety
    /// The memory stays valid until the operation that is given this is over or dropped: whoever
    /// makes this keeps it in the operation's `convert`.
    pub unsafe fn new(buffers: Vec<Buffer>) -> Lent {
        Lent(buffers)
    }
}

// SAFETY: the maker vouches for the memory.
unsafe impl Source for Lent {
    fn buffers(&self) -> impl AsRef<[Buffer]> + Send + use<> {
        self.0.clone()
    }
}

/// One piece of memory that somebody else keeps, and nobody else uses.
pub struct LentOne(Buffer);

impl LentOne {
    /// # Safety
    /// As for [`Lent`]; and the memory may be written, and is used by nobody else.
    pub unsafe fn new(buffer: Buffer) -> LentOne {
        LentOne(buffer)
    }
}

// SAFETY: the maker vouches for the memory.
unsafe impl Destination for LentOne {
    type Filled = usize;

    fn buffer(&mut self) -> Buffer {
        self.0
    }

    unsafe fn filled(self, length: usize) -> usize {
        length
    }
}
