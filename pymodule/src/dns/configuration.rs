//! `pyuv.dns.Configuration`: what a channel goes by.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use pyuv_dns::Configuration;
use pyuv_dns::configuration::Setting;

use crate::structseq::{StructSeq, objects};

pub static CONFIGURATION: StructSeq<11> = StructSeq::new(
    c"pyuv.dns.Configuration",
    c"What a channel goes by, and where each part of it was found.",
    [
        (c"servers", c"the name servers, a tuple of str"),
        (c"search", c"the search domains, a tuple of str"),
        (c"ndots", c"how many dots make a name absolute"),
        (c"timeout", c"seconds that a server has for an answer"),
        (c"tries", c"how often each server is asked"),
        (c"rotate", c"whether a random server is asked instead of the first"),
        (c"use_vc", c"whether servers are asked over TCP only"),
        (c"lookups", c"where hosts are looked up: b for DNS, f for the hosts file"),
        (c"sortlist", c"networks, the nearest first, a tuple of str"),
        (c"sources", c"where each of these was found, a dict: a str, or a tuple of str"),
        (c"problems", c"what was found and cannot be followed, a tuple of str"),
    ],
);

pub fn configuration_to_py<'py>(
    py: Python<'py>,
    found: &Configuration,
) -> PyResult<Bound<'py, PyAny>> {
    let sources = PyDict::new(py);
    for (name, settings) in [("servers", &found.servers), ("search", &found.search)] {
        let each = settings.iter().map(|setting| setting.source.to_string());
        sources.set_item(name, PyTuple::new(py, each.collect::<Vec<_>>())?)?;
    }
    for (name, source) in [
        ("ndots", &found.ndots.source),
        ("timeout", &found.timeout.source),
        ("tries", &found.tries.source),
        ("rotate", &found.rotate.source),
        ("use_vc", &found.use_vc.source),
        ("lookups", &found.lookups.source),
        ("sortlist", &found.sortlist.source),
    ] {
        sources.set_item(name, source.to_string())?;
    }
    let values = |settings: &[Setting<String>]| {
        PyTuple::new(py, settings.iter().map(|setting| setting.value.as_str()))
    };
    let problems = found.problems.iter().map(ToString::to_string).collect::<Vec<_>>();
    let objects = objects![
        py,
        values(&found.servers)?,
        values(&found.search)?,
        found.ndots.value,
        found.timeout.value.as_secs_f64(),
        found.tries.value,
        found.rotate.value,
        found.use_vc.value,
        found.lookups.value.as_str(),
        PyTuple::new(py, &found.sortlist.value)?,
        sources,
        PyTuple::new(py, problems)?
    ];
    CONFIGURATION.make(py, objects)
}
