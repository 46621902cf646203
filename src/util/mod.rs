//! libuv's miscellaneous functions: the machine, the process, its environment and the clocks.
//!
//! None of them needs a loop. Each file holds one concept and names the libuv functions it stands on.

mod affinity;
mod clock;
mod cpu;
mod directory;
mod env;
mod exepath;
mod group;
mod handle_type;
mod hostname;
mod interface;
mod kill;
mod memory;
mod passwd;
mod pid;
mod pipe;
mod priority;
mod process_title;
mod random;
mod rusage;
pub(crate) mod text;
mod thread;
mod uname;

pub use affinity::{cpumask_size, current_cpu, set_thread_affinity, thread_affinity};
pub use clock::{Clock, TimeSpec, TimeVal, clock_gettime, gettimeofday, hrtime, loadavg, uptime};
pub use cpu::{CpuInfo, CpuTimes, available_parallelism, cpu_info};
pub use directory::{chdir, cwd, homedir, tmpdir};
pub use env::{environ, getenv, setenv, unsetenv};
pub use exepath::exepath;
pub use group::{Group, group};
pub use handle_type::{HandleType, guess_handle_type};
pub use hostname::hostname;
pub use interface::{InterfaceAddress, interface_addresses, interface_identifier, interface_name};
pub use kill::kill;
pub use memory::{
    available_memory, constrained_memory, free_memory, resident_set_memory, total_memory,
};
pub use passwd::{Passwd, passwd};
pub use pid::{parent_pid, pid};
pub use pipe::{pipe, socketpair};
pub use priority::{PRIORITIES, priority, set_priority};
pub use process_title::{process_title, set_process_title};
pub use random::random;
pub use rusage::{Rusage, rusage, thread_rusage};
pub use thread::{set_thread_name, set_thread_priority, thread_name, thread_priority};
pub use uname::{Uname, uname};
