//! The machine's processors.

use std::ffi::OsString;

use libuv_sys2 as uv;

use super::text::from_c;
use crate::{Error, Result};

/// One logical processor (`uv_cpu_info_t`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CpuInfo {
    /// The model's name, or `"unknown"`.
    pub model: OsString,
    /// The clock in MHz; 0 when unknown.
    pub speed: i32,
    /// What it spent its time on since the machine started.
    pub times: CpuTimes,
}

/// Milliseconds that a processor spent in each state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CpuTimes {
    /// In user mode.
    pub user: u64,
    /// In user mode at low priority.
    pub nice: u64,
    /// In the kernel.
    pub sys: u64,
    /// Idle.
    pub idle: u64,
    /// Serving interrupts.
    pub irq: u64,
}

/// Every logical processor of the machine (`uv_cpu_info`).
///
/// Fails with the code of whatever file could not be read, or `UV_EIO` for one that libuv could
/// not parse (it would abort the process).
pub fn cpu_info() -> Result<Vec<CpuInfo>> {
    guard::check()?;
    let mut infos = std::ptr::null_mut();
    let mut count = 0;
    // SAFETY: libuv writes both, and on success owns an array of `count` entries.
    let status = unsafe { uv::uv_cpu_info(&raw mut infos, &raw mut count) };
    Error::check(status, "the processors")?;
    let found = (0..count as usize).map(|index| {
        // SAFETY: index < count, and the array lives until it is freed below.
        let info = unsafe { &*infos.add(index) };
        let times = info.cpu_times;
        CpuInfo {
            // SAFETY: libuv ends each model with a NUL.
            model: unsafe { from_c(info.model) },
            speed: info.speed,
            times: CpuTimes {
                user: times.user,
                nice: times.nice,
                sys: times.sys,
                idle: times.idle,
                irq: times.irq,
            },
        }
    });
    let found = found.collect();
    // SAFETY: the array came from uv_cpu_info, and nothing borrows it any more.
    unsafe { uv::uv_free_cpu_info(infos, count) };
    Ok(found)
}

/// How many threads can usefully run at once: affinity and cgroup quota counted, at least 1
/// (`uv_available_parallelism`).
pub fn available_parallelism() -> u32 {
    // SAFETY: no arguments, no state.
    unsafe { uv::uv_available_parallelism() }
}

/// `uv_cpu_info` aborts on a `/proc/stat` that is empty or cut short, and on a `scaling_max_freq`
/// that opens but holds no number (the kernel says `EBUSY` for a processor that just went away).
#[cfg(target_os = "linux")]
mod guard {
    use std::fs;
    use std::path::{Path, PathBuf};

    use crate::{Code, Error, Result};

    pub fn check() -> Result<()> {
        check_under(Path::new("/"))
    }

    pub fn check_under(root: &Path) -> Result<()> {
        let stat = root.join("proc/stat");
        let text = fs::read(&stat).map_err(|error| failed(&error, &stat))?;
        if !text.ends_with(b"\n") {
            return Err(unparsable(&stat));
        }
        let lines = text.split(|&byte| byte == b'\n');
        for line in lines.skip(1).take_while(|line| line.starts_with(b"cpu")) {
            let name = line.split(|&byte| byte == b' ').next().unwrap_or_default();
            let name = String::from_utf8_lossy(name);
            let path: PathBuf =
                root.join("sys/devices/system/cpu").join(&*name).join("cpufreq/scaling_max_freq");
            if fs::File::open(&path).is_ok() {
                let text = fs::read(&path).map_err(|error| failed(&error, &path))?;
                if !text.trim_ascii_start().first().is_some_and(u8::is_ascii_digit) {
                    return Err(unparsable(&path));
                }
            }
        }
        Ok(())
    }

    fn failed(error: &std::io::Error, path: &Path) -> Error {
        let code = error.raw_os_error().map_or(Code::EIO, |errno| Code(-errno));
        Error::new(code, path.display().to_string())
    }

    fn unparsable(path: &Path) -> Error {
        Error::new(Code::EIO, format!("{} is not what libuv can read", path.display()))
    }
}

#[cfg(not(target_os = "linux"))]
mod guard {
    pub fn check() -> crate::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_processor_has_a_model_and_has_spent_time() {
        let infos = cpu_info().unwrap();
        assert!(infos.len() >= std::thread::available_parallelism().unwrap().get());
        for info in &infos {
            assert!(!info.model.is_empty());
            assert!(info.times.user + info.times.sys + info.times.idle > 0, "{info:?}");
        }
    }

    #[test]
    fn parallelism_is_between_one_and_the_number_of_processors() {
        let parallelism = available_parallelism() as usize;
        assert!((1..=cpu_info().unwrap().len()).contains(&parallelism));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn files_that_would_make_libuv_abort_are_errors() {
        use std::fs;

        use crate::Code;

        let root = std::env::temp_dir().join(format!("pyuv-cpu-{}", std::process::id()));
        let cpufreq = root.join("sys/devices/system/cpu/cpu0/cpufreq");
        fs::create_dir_all(&cpufreq).unwrap();
        fs::create_dir_all(root.join("proc")).unwrap();
        let code = || guard::check_under(&root).map_err(|error| error.code().unwrap());

        assert_eq!(code(), Err(Code::ENOENT));
        fs::write(root.join("proc/stat"), "").unwrap();
        assert_eq!(code(), Err(Code::EIO));
        fs::write(root.join("proc/stat"), "cpu  1 2 3 4 5 6 7\ncpu0 1 2 3 4 5 6").unwrap();
        assert_eq!(code(), Err(Code::EIO));
        fs::write(root.join("proc/stat"), "cpu  1 2\ncpu0 1 2 3 4 5 6 7\nintr 1\n").unwrap();
        assert_eq!(code(), Ok(()));
        fs::write(cpufreq.join("scaling_max_freq"), "<unknown>\n").unwrap();
        assert_eq!(code(), Err(Code::EIO));
        fs::write(cpufreq.join("scaling_max_freq"), "2400000\n").unwrap();
        assert_eq!(code(), Ok(()));
        fs::remove_dir_all(&root).unwrap();
    }
}
