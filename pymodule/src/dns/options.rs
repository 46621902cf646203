//! The options of `pyuv.dns.Channel`: one table of their names and kinds.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyFloat, PyInt, PyString};
use pyuv_dns::{ChannelFlags, Options};

use super::argument::{path, servers, strings};
use super::channel::{Channel, initialised_twice};
use super::value::Value;
use crate::r#loop::Loop;
use crate::number::{Bounded, number, type_name};
use crate::seconds::duration;

type Object<'a, 'py> = &'a Bound<'py, PyAny>;

/// How an option of each kind comes in. The errors name the option and the value.
pub mod kind {
    use super::*;

    pub fn int<T: Bounded>(what: &str, value: Object<'_, '_>) -> PyResult<T> {
        number(what, value)
    }

    pub fn seconds(what: &str, value: Object<'_, '_>) -> PyResult<Duration> {
        if !value.is_instance_of::<PyFloat>() && !value.is_instance_of::<PyInt>() {
            return Err(wrong(what, "a number of seconds", value));
        }
        duration(what, value.extract()?)
    }

    pub fn truth(what: &str, value: Object<'_, '_>) -> PyResult<bool> {
        match value.cast::<PyBool>() {
            Ok(truth) => Ok(truth.is_true()),
            Err(_) => Err(wrong(what, "a bool", value)),
        }
    }

    pub fn text(what: &str, value: Object<'_, '_>) -> PyResult<String> {
        match value.cast::<PyString>() {
            Ok(text) => Ok(text.to_str()?.to_owned()),
            Err(_) => Err(wrong(what, "a str", value)),
        }
    }

    pub fn texts(what: &str, value: Object<'_, '_>) -> PyResult<Vec<String>> {
        strings(what, value)
    }

    pub fn file(what: &str, value: Object<'_, '_>) -> PyResult<String> {
        path(what, value)
    }

    pub fn ip4(_what: &str, value: Object<'_, '_>) -> PyResult<Ipv4Addr> {
        Value::from_py(value)
    }

    pub fn ip6(_what: &str, value: Object<'_, '_>) -> PyResult<Ipv6Addr> {
        Value::from_py(value)
    }

    pub fn flags(what: &str, value: Object<'_, '_>) -> PyResult<ChannelFlags> {
        let bits = number(what, value)?;
        ChannelFlags::from_bits(bits).ok_or_else(|| {
            PyValueError::new_err(format!("{what} {bits:#x} holds bits that are no ARES_FLAG"))
        })
    }

    fn wrong(what: &str, kind: &str, value: Object<'_, '_>) -> PyErr {
        PyTypeError::new_err(format!("{what} must be {kind}, not {}", type_name(value)))
    }
}

/// A table's rows are the fields of `Options` with the kind of each.
macro_rules! channel_options {
    ($($name:ident: $kind:ident,)*) => {
        #[pymethods]
        impl Channel {
            #[pyo3(signature = (r#loop, servers=None, *, query_cache_max_ttl=None, $($name=None),*))]
            #[expect(clippy::too_many_arguments, reason = "ares_init_options has that many")]
            fn __init__(
                slf: &Bound<'_, Channel>,
                r#loop: &Bound<'_, Loop>,
                servers: Option<&Bound<'_, PyAny>>,
                query_cache_max_ttl: Option<&Bound<'_, PyAny>>,
                $($name: Option<&Bound<'_, PyAny>>,)*
            ) -> PyResult<()> {
                if slf.get().is_initialised() {
                    return Err(initialised_twice());
                }
                let ttl = query_cache_max_ttl.map(|ttl| kind::int("query_cache_max_ttl", ttl));
                let options = Options {
                    servers: servers.map(self::servers).transpose()?,
                    query_cache_max_ttl: ttl.transpose()?.unwrap_or(0),
                    $($name: $name.map(|value| kind::$kind(stringify!($name), value)).transpose()?,)*
                };
                slf.get().init(r#loop, options)?;
                Loop::add_channel(r#loop, slf.as_any())
            }
        }
    };
}

channel_options! {
    timeout: seconds,
    max_timeout: seconds,
    tries: int,
    ndots: int,
    flags: flags,
    domains: texts,
    lookups: text,
    sortlist: texts,
    rotate: truth,
    udp_port: int,
    tcp_port: int,
    max_in_flight: int,
    resolvconf_path: file,
    hosts_path: file,
    edns_size: int,
    socket_send_buffer_size: int,
    socket_receive_buffer_size: int,
    udp_max_queries: int,
    server_retry_chance: int,
    server_retry_delay: seconds,
    local_ip4: ip4,
    local_ip6: ip6,
    local_dev: text,
}
