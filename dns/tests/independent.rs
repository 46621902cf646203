//! What `resolve` and a channel answer, beside what another client of the same servers does: the crate
//! c-ares-resolver, which has its own loop, its own thread, and none of this crate's configuration or sockets.

#![cfg(unix)]

mod util;

use std::net::UdpSocket;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use c_ares_resolver::BlockingResolver;
use pyuv::{Loop, RunMode};
use pyuv_dns::{Channel, Code, Message, Options, RecordClass, RecordType, Result, resolve};
use util::Server;

const ZONE: &str = r#"$ORIGIN example.com.
$TTL 300
@ SOA ns1 hostmaster\.dns 2024010101 7200 3600 1209600 60
@ NS ns1
@ A 192.0.2.1
@ AAAA 2001:db8::1
@ MX 10 mail
@ MX 20 backup.mail
@ TXT "v=spf1 mx -all"
@ HINFO "PDP-11" "UNIX"
@ CAA 0 issue "ca.example.net"
@ HTTPS 1 . alpn="h2,h3" ipv4hint=192.0.2.1
ns1 A 192.0.2.2
mail A 192.0.2.4
www A 192.0.2.10
two A 192.0.2.21
two A 192.0.2.22
_underscore A 192.0.2.32
alias CNAME www
chain1 CNAME alias
dangling CNAME no-such-name
_sip._tcp SRV 10 60 5060 sip1
_sip._tcp SRV 20 0 5061 .
sip NAPTR 100 10 "S" "SIP+D2T" "" _sip._tcp
_443._tcp.www TLSA 3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
svc SVCB 1 www alpn="dot" port=853
_http._tcp URI 10 1 "https://www.example.com/"
several.txt TXT "one" "" "three"
binary.txt TXT "\000\001\200\255 \"quoted\" back\\slash"
"#;

/// knotd with a zone, where it is installed.
struct Knot {
    process: Child,
    folder: PathBuf,
    address: String,
}

impl Drop for Knot {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Knot {
    fn start() -> Option<Knot> {
        let address = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let folder = std::env::temp_dir().join(format!("pyuv-knot-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let configuration = format!(
            "server:\n    rundir: \"{0}\"\n    listen: 127.0.0.1@{1}\ndatabase:\n    storage: \"{0}\"\n\
             zone:\n  - domain: example.com\n    storage: \"{0}\"\n    file: example.zone\n    \
             zonefile-sync: -1\n    zonefile-load: whole\n    journal-content: none\n    semantic-checks: off\n",
            folder.display(),
            address.port(),
        );
        let path = folder.join("knot.conf");
        std::fs::write(&path, configuration).unwrap();
        std::fs::write(folder.join("example.zone"), ZONE).unwrap();
        let null = || Stdio::null();
        let started = ["knotd", "/usr/sbin/knotd"].into_iter().find_map(|program| {
            Command::new(program).arg("-c").arg(&path).stdout(null()).stderr(null()).spawn().ok()
        });
        let process = started?;
        let knot = Knot { process, folder, address: address.to_string() };
        let begin = Instant::now();
        while resolve("example.com", RecordType::SOA, &knot.options()).is_err() {
            assert!(begin.elapsed() < Duration::from_secs(50), "knotd does not answer");
            std::thread::sleep(Duration::from_millis(50));
        }
        Some(knot)
    }

    fn options(&self) -> Options {
        Options { servers: Some(vec![self.address.clone()]), ..Options::default() }
    }
}

fn other(address: &str) -> BlockingResolver {
    let resolver = BlockingResolver::new().unwrap();
    resolver.set_servers([address]).unwrap();
    resolver
}

/// What an answer says, whatever the order of its records.
fn said(message: &Message) -> (u16, Vec<String>, Vec<String>) {
    let sorted = |records: &[pyuv_dns::Record]| {
        let mut lines: Vec<String> = records.iter().map(|record| format!("{record:?}")).collect();
        lines.sort();
        lines
    };
    (message.rcode.0, sorted(&message.answer), sorted(&message.authority))
}

fn by_channel(options: Options, name: &str, record_type: RecordType) -> Result<Message> {
    let event_loop = Loop::new().unwrap();
    let channel = Channel::new(&event_loop, options).unwrap();
    let (sender, answers) = mpsc::channel();
    let done = move |answer| sender.send(answer).unwrap();
    channel.query(name, record_type, done).unwrap();
    event_loop.run(RunMode::Default).unwrap();
    answers.try_recv().unwrap()
}

#[test]
fn they_agree_on_a_zone() {
    let Some(knot) = Knot::start() else {
        eprintln!("knotd is not installed");
        return;
    };
    let other = other(&knot.address);
    let names = [
        "",
        "ns1.",
        "www.",
        "two.",
        "_underscore.",
        "alias.",
        "chain1.",
        "dangling.",
        "_sip._tcp.",
        "sip.",
        "_443._tcp.www.",
        "svc.",
        "_http._tcp.",
        "several.txt.",
        "binary.txt.",
        "nowhere.",
    ];
    let types = [
        RecordType::A,
        RecordType::AAAA,
        RecordType::NS,
        RecordType::SOA,
        RecordType::MX,
        RecordType::TXT,
        RecordType::CNAME,
        RecordType::SRV,
        RecordType::NAPTR,
        RecordType::CAA,
        RecordType::TLSA,
        RecordType::SVCB,
        RecordType::HTTPS,
        RecordType::URI,
        RecordType::HINFO,
    ];
    let mut answered = 0;
    for name in names.map(|name| format!("{name}example.com")) {
        for record_type in types {
            let theirs = other.query(&name, RecordClass::IN.0, record_type.0);
            let ours = resolve(&name, record_type, &knot.options());
            let channels = by_channel(knot.options(), &name, record_type);
            match theirs {
                Ok(wire) => {
                    let theirs = said(&Message::parse(&wire).unwrap());
                    assert_eq!(said(&ours.unwrap()), theirs, "{name} {record_type:?}");
                    assert_eq!(said(&channels.unwrap()), theirs, "{name} {record_type:?}");
                    answered += 1;
                }
                Err(error) => {
                    let status = error as i32;
                    assert_eq!(ours.unwrap_err().code().map(|code| code.0), Some(status), "{name}");
                    assert_eq!(
                        channels.unwrap_err().code().map(|code| code.0),
                        Some(status),
                        "{name}"
                    );
                }
            }
        }
    }
    assert!(answered > 30, "{answered} answers");
}

#[test]
fn they_agree_on_a_server_that_misbehaves() {
    let server = Server::start();
    let other = other(&server.address.to_string());
    for name in ["here", "missing", "empty", "refused", "truncated", "garbage"] {
        let theirs = other.query(name, RecordClass::IN.0, RecordType::A.0);
        let ours = resolve(name, RecordType::A, &server.hasty());
        let channels = by_channel(server.hasty(), name, RecordType::A);
        let status = |answer: Result<Message>| answer.err().and_then(|error| error.code());
        match theirs {
            Ok(wire) => {
                let theirs = said(&Message::parse(&wire).unwrap());
                assert_eq!(said(&ours.unwrap()), theirs, "{name}");
                assert_eq!(said(&channels.unwrap()), theirs, "{name}");
            }
            Err(error) => {
                let theirs = Some(Code(error as i32));
                assert_eq!((status(ours), status(channels)), (theirs, theirs), "{name}");
            }
        }
    }
}
