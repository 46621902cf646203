//! Looks up hosts as a program would that wants to connect: hosts file, search domains, both
//! families; then the names of what it found.
//!
//! `cargo run -p pyuv-dns --example host -- [@SERVER] HOST...`

use std::sync::Arc;

use pyuv::{Loop, RunMode};
use pyuv_dns::{AddrInfoHints, Channel, NIFlags, Options};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (servers, hosts): (Vec<_>, Vec<_>) =
        std::env::args().skip(1).partition(|argument| argument.starts_with('@'));
    if hosts.is_empty() {
        return Err("usage: host [@SERVER] HOST...".into());
    }
    let servers: Vec<_> = servers.iter().map(|server| server[1..].to_owned()).collect();
    let options =
        Options { servers: (!servers.is_empty()).then_some(servers), ..Options::default() };
    let event_loop = Loop::new()?;
    let channel = Arc::new(Channel::new(&event_loop, options)?);
    channel.set_server_state_callback(Some(Arc::new(|server, success, _| {
        if !success {
            eprintln!("no answer from {server}");
        }
    })))?;
    for host in hosts {
        let label = host.clone();
        let asker = channel.clone();
        channel.getaddrinfo(Some(&host), None, AddrInfoHints::default(), move |found| {
            let found = match found {
                Ok(found) => found,
                Err(error) => return println!("{label}: {error}"),
            };
            for node in &found.nodes {
                let address = node.address;
                let label = label.clone();
                let asked = asker.getnameinfo(address, NIFlags::LOOKUPHOST, move |names| {
                    let name = names.ok().and_then(|names| names.node).unwrap_or_default();
                    println!("{label}: {} is {name}", address.ip());
                });
                if let Err(error) = asked {
                    println!("{error}");
                }
            }
        })?;
    }
    event_loop.run(RunMode::Default)?;
    Ok(())
}
