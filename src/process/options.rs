//! `uv_process_options_t`: what to start, and how.

use std::ffi::{OsStr, OsString};

use libuv_sys2 as uv;

use crate::stdio::Stdio;

bitflags::bitflags! {
    /// How a process is started (`uv_process_flags`). What begins with `WINDOWS` has no effect
    /// elsewhere.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
    pub struct ProcessFlags: u32 {
        /// `UV_PROCESS_DETACHED`: in a session of its own, where it outlives this one. It keeps
        /// the loop running all the same: [`set_ref`](crate::Handle::set_ref).
        const DETACHED = uv::uv_process_flags_UV_PROCESS_DETACHED as _;
        /// `UV_PROCESS_WINDOWS_VERBATIM_ARGUMENTS`
        const WINDOWS_VERBATIM_ARGUMENTS =
            uv::uv_process_flags_UV_PROCESS_WINDOWS_VERBATIM_ARGUMENTS as _;
        /// `UV_PROCESS_WINDOWS_HIDE`
        const WINDOWS_HIDE = uv::uv_process_flags_UV_PROCESS_WINDOWS_HIDE as _;
        /// `UV_PROCESS_WINDOWS_HIDE_CONSOLE`
        const WINDOWS_HIDE_CONSOLE = uv::uv_process_flags_UV_PROCESS_WINDOWS_HIDE_CONSOLE as _;
        /// `UV_PROCESS_WINDOWS_HIDE_GUI`
        const WINDOWS_HIDE_GUI = uv::uv_process_flags_UV_PROCESS_WINDOWS_HIDE_GUI as _;
        /// `UV_PROCESS_WINDOWS_FILE_PATH_EXACT_NAME`
        const WINDOWS_FILE_PATH_EXACT_NAME =
            uv::uv_process_flags_UV_PROCESS_WINDOWS_FILE_PATH_EXACT_NAME as _;
    }
}

/// What [`Process::spawn`](crate::Process::spawn) starts (`uv_process_options_t`).
///
/// ```no_run
/// use pyuv::{Loop, Process, ProcessOptions, RunMode, Stdio};
///
/// let event_loop = Loop::new()?;
/// let options = ProcessOptions::new("ls").arg("-l").cwd("/").stdio([Stdio::Ignore, Stdio::Fd(1)]);
/// Process::spawn(&event_loop, &options, |_, exit| println!("{exit:?}"))?;
/// event_loop.run(RunMode::Default)?;
/// # Ok::<(), pyuv::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct ProcessOptions<'a> {
    pub(super) executable: OsString,
    pub(super) args: Vec<OsString>,
    pub(super) env: Option<Vec<(OsString, OsString)>>,
    pub(super) cwd: Option<OsString>,
    pub(super) uid: Option<u32>,
    pub(super) gid: Option<u32>,
    pub(super) flags: ProcessFlags,
    pub(super) stdio: Vec<Stdio<'a>>,
}

impl<'a> ProcessOptions<'a> {
    /// Starts `executable`, whose first argument is that name. One without a slash is looked for
    /// in the folders of `PATH`, in the child's environment; without a `PATH` there, in the
    /// system's.
    pub fn new(executable: impl AsRef<OsStr>) -> Self {
        let executable = executable.as_ref().to_owned();
        ProcessOptions {
            args: vec![executable.clone()],
            executable,
            env: None,
            cwd: None,
            uid: None,
            gid: None,
            flags: ProcessFlags::empty(),
            stdio: Vec::new(),
        }
    }

    /// What the program is told to be its name, its first argument.
    #[must_use]
    pub fn arg0(mut self, name: impl AsRef<OsStr>) -> Self {
        self.args[0] = name.as_ref().to_owned();
        self
    }

    /// One more argument.
    #[must_use]
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.args.push(argument.as_ref().to_owned());
        self
    }

    /// More arguments.
    #[must_use]
    pub fn args<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(arguments.into_iter().map(|argument| argument.as_ref().to_owned()));
        self
    }

    /// The whole environment, in place of this process's.
    #[must_use]
    pub fn env<N: AsRef<OsStr>, V: AsRef<OsStr>>(
        mut self,
        variables: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let owned = variables
            .into_iter()
            .map(|(name, value)| (name.as_ref().to_owned(), value.as_ref().to_owned()));
        self.env = Some(owned.collect());
        self
    }

    /// The working directory, from which a relative path of the executable is then taken, too.
    #[must_use]
    pub fn cwd(mut self, folder: impl AsRef<OsStr>) -> Self {
        self.cwd = Some(folder.as_ref().to_owned());
        self
    }

    /// The user it runs as (`UV_PROCESS_SETUID`), without the supplementary groups of this one.
    #[must_use]
    pub fn uid(mut self, uid: u32) -> Self {
        self.uid = Some(uid);
        self
    }

    /// The group it runs as (`UV_PROCESS_SETGID`), without the supplementary groups of this one.
    #[must_use]
    pub fn gid(mut self, gid: u32) -> Self {
        self.gid = Some(gid);
        self
    }

    /// How it is started.
    #[must_use]
    pub fn flags(mut self, flags: ProcessFlags) -> Self {
        self.flags = flags;
        self
    }

    /// Its fds, from 0 on. Those up to 2 that are not listed are `/dev/null`; other fds of this
    /// process are inherited only if they are not close-on-exec.
    #[must_use]
    pub fn stdio(mut self, stdio: impl IntoIterator<Item = Stdio<'a>>) -> Self {
        self.stdio = stdio.into_iter().collect();
        self
    }
}
