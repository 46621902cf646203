//! The methods of `SocketTransport` that are called most, as raw ones.

use pyo3::prelude::*;

use super::{CORE, StreamCore, closing};
use crate::asyncio::core_methods::{core_methods, none, number, truth};

core_methods! {
    CORE: StreamCore;
    Write c"write" (1) "($self, data)"
        "Writes bytes: at once, as far as the system takes them, and the rest when it does.":
        |core, arguments| {
            StreamCore::write(core, &arguments.at(0))?;
            none(core)
        };
    WriteLines c"writelines" (1) "($self, list_of_data)"
        "Writes several pieces of bytes, by one system call where that takes them.":
        |core, arguments| {
            StreamCore::write_lines(core, &arguments.at(0))?;
            none(core)
        };
    WriteEof c"write_eof" (0) "($self)"
        "Ends what is written, after all that is queued; the peer reads the end then.":
        |core, arguments| {
            StreamCore::write_eof(core)?;
            none(core)
        };
    WriteBufferSize c"get_write_buffer_size" (0) "($self)" "How many bytes wait to be written.":
        |core, arguments| {
            let this = core.get();
            let held = this.hold()?;
            number(core, this.write_buffer_size(this.flow(&held)))
        };
    PauseReading c"pause_reading" (0) "($self)" "Reads nothing until `resume_reading`.":
        |core, arguments| {
            StreamCore::pause_reading(core)?;
            none(core)
        };
    ResumeReading c"resume_reading" (0) "($self)" "Reads again.":
        |core, arguments| {
            StreamCore::resume_reading(core)?;
            none(core)
        };
    IsReading c"is_reading" (0) "($self)" "Whether data is read: neither paused nor closing.":
        |core, arguments| {
            let held = core.get().hold()?;
            let flow = core.get().flow(&held);
            truth(core, !core.get().is_closing() && !flow.paused.get())
        };
    IsClosing c"is_closing" (0) "($self)" "Whether the transport is closing or closed.":
        |core, arguments| truth(core, core.get().is_closing());
    Close c"close" (0) "($self)"
        "Closes the transport when everything is written; `connection_lost(None)` is called then.":
        |core, arguments| {
            closing::close(core)?;
            none(core)
        };
    Abort c"abort" (0) "($self)" "Closes the transport at once; what waits to be written is lost.":
        |core, arguments| {
            closing::force_close(core, None)?;
            none(core)
        };
    GetProtocol c"get_protocol" (0) "($self)" "The protocol.":
        |core, arguments| {
            let protocol = core.get().protocol.get(core.py());
            Ok(protocol.map_or_else(|| core.py().None(), Bound::unbind))
        };
    SetProtocol c"set_protocol" (1) "($self, protocol)" "Has another protocol.":
        |core, arguments| {
            StreamCore::set_protocol(core, arguments.at(0).to_owned())?;
            none(core)
        };
}
