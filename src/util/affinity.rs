//! Which processors the calling thread may run on, and which it is on.

use std::collections::BTreeSet;

use libuv_sys2 as uv;

use crate::{Code, Error, Result};

/// How many processors a mask can name (`uv_cpumask_size`): the numbers are `0..cpumask_size()`.
///
/// `UV_ENOTSUP` where the system has no thread affinity (macOS).
pub fn cpumask_size() -> Result<usize> {
    // SAFETY: no arguments, no state.
    let size = unsafe { uv::uv_cpumask_size() };
    Ok(Error::check(size, "the size of a processor mask")? as usize)
}

/// The processors that the calling thread may run on (`uv_thread_getaffinity`).
pub fn thread_affinity() -> Result<BTreeSet<usize>> {
    let mut mask = vec![0; cpumask_size()?];
    // SAFETY: no arguments; the calling thread lives as long as this call.
    let mut thread = unsafe { uv::uv_thread_self() };
    // SAFETY: the mask has the size that libuv asks for, and its length goes with it.
    let status =
        unsafe { uv::uv_thread_getaffinity(&raw mut thread, mask.as_mut_ptr(), mask.len()) };
    Error::check(status, "the thread's affinity")?;
    Ok(numbers(&mask))
}

/// Lets the calling thread run on these processors only, and returns those it could run on before
/// (`uv_thread_setaffinity`).
///
/// `UV_EINVAL` for a number outside of `0..cpumask_size()`, and for a set in which no processor
/// exists.
pub fn set_thread_affinity(cpus: &BTreeSet<usize>) -> Result<BTreeSet<usize>> {
    let mut mask = vec![0; cpumask_size()?];
    for &cpu in cpus {
        *mask.get_mut(cpu).ok_or_else(|| {
            Error::new(Code::EINVAL, format!("processor {cpu} does not fit in a mask"))
        })? = 1;
    }
    let mut old = vec![0; mask.len()];
    // SAFETY: no arguments; the calling thread lives as long as this call.
    let mut thread = unsafe { uv::uv_thread_self() };
    // SAFETY: both masks have the size that libuv asks for, and their length goes with them.
    let status = unsafe {
        uv::uv_thread_setaffinity(&raw mut thread, mask.as_mut_ptr(), old.as_mut_ptr(), mask.len())
    };
    match Error::check(status, "") {
        Ok(_) => Ok(numbers(&old)),
        Err(error) => {
            Err(Error::new(error.code().unwrap_or(Code::EINVAL), format!("processors {cpus:?}")))
        }
    }
}

/// The processor that the calling thread is running on (`uv_thread_getcpu`): a hint, since it can
/// move at any moment.
pub fn current_cpu() -> Result<usize> {
    // SAFETY: no arguments, no state.
    let cpu = unsafe { uv::uv_thread_getcpu() };
    Ok(Error::check(cpu, "the thread's processor")? as usize)
}

fn numbers(mask: &[std::ffi::c_char]) -> BTreeSet<usize> {
    mask.iter().enumerate().filter(|&(_, &set)| set != 0).map(|(cpu, _)| cpu).collect()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_thread_moves_to_the_one_processor_it_may_use_and_back() {
        let before = thread_affinity().unwrap();
        let last = *before.last().unwrap();
        assert_eq!(set_thread_affinity(&BTreeSet::from([last])), Ok(before.clone()));
        assert_eq!(current_cpu(), Ok(last));
        assert_eq!(thread_affinity(), Ok(BTreeSet::from([last])));
        assert_eq!(set_thread_affinity(&before), Ok(BTreeSet::from([last])));
    }

    #[test]
    fn a_processor_outside_of_the_mask_or_none_at_all_is_refused() {
        let beyond = BTreeSet::from([cpumask_size().unwrap()]);
        assert_eq!(set_thread_affinity(&beyond).unwrap_err().code(), Some(Code::EINVAL));
        assert_eq!(set_thread_affinity(&BTreeSet::new()).unwrap_err().code(), Some(Code::EINVAL));
    }
}
