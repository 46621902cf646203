//! The methods of `SSLTransport` that are called most, as raw ones.

use pyo3::prelude::*;

use super::{CORE, State, TLSCore, ends};
use crate::asyncio::core_methods::{core_methods, none, number, truth};

core_methods! {
    CORE: TLSCore;
    Write c"write" (1) "($self, data)" "Encrypts bytes, and sends them or has them wait.":
        |core, arguments| {
            TLSCore::write(core, &arguments.at(0))?;
            none(core)
        };
    WriteLines c"writelines" (1) "($self, list_of_data)"
        "Encrypts several pieces of bytes, small ones together.":
        |core, arguments| {
            TLSCore::write_lines(core, &arguments.at(0))?;
            none(core)
        };
    WriteBufferSize c"get_write_buffer_size" (0) "($self)" "How many bytes wait to be written.":
        |core, arguments| {
            let held = core.get().hold()?;
            number(core, core.get().write_buffer_size(core.py(), core.get().flow(&held))?)
        };
    PauseReading c"pause_reading" (0) "($self)" "Reads nothing until `resume_reading`.":
        |core, arguments| {
            TLSCore::pause_reading(core)?;
            none(core)
        };
    ResumeReading c"resume_reading" (0) "($self)" "Reads again.":
        |core, arguments| {
            TLSCore::resume_reading(core)?;
            none(core)
        };
    IsReading c"is_reading" (0) "($self)" "Whether data is read: neither paused nor closing.":
        |core, arguments| {
            let held = core.get().hold()?;
            let flow = core.get().flow(&held);
            truth(core, flow.state.get() <= State::Open && !flow.paused.get())
        };
    IsClosing c"is_closing" (0) "($self)" "Whether the transport is closing or closed.":
        |core, arguments| {
            let held = core.get().hold()?;
            truth(core, core.get().flow(&held).state.get() > State::Open)
        };
    Close c"close" (0) "($self)"
        "Closes the transport when everything is written and the peer was told; `connection_lost(None)` is \
         called then.":
        |core, arguments| {
            ends::close(core)?;
            none(core)
        };
    Abort c"abort" (0) "($self)" "Closes the transport at once; what waits to be written is lost.":
        |core, arguments| {
            ends::force_close(core, None)?;
            none(core)
        };
    GetProtocol c"get_protocol" (0) "($self)" "The protocol.":
        |core, arguments| {
            let protocol = core.get().protocol.get(core.py());
            Ok(protocol.map_or_else(|| core.py().None(), Bound::unbind))
        };
    SetProtocol c"set_protocol" (1) "($self, protocol)" "Has another protocol.":
        |core, arguments| {
            core.get().set_protocol(arguments.at(0).to_owned())?;
            none(core)
        };
}
