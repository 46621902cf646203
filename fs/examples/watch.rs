//! Prints what happens in folders, and to files: `cargo run --example watch -- PATH...`

use pyuv::{Loop, RunMode};
use pyuv_fs::{FsEvent, FsEventFlags, FsEvents};

fn main() -> pyuv::Result<()> {
    let event_loop = Loop::new()?;
    for path in std::env::args_os().skip(1) {
        let name = path.to_string_lossy().into_owned();
        FsEvent::new(&event_loop)?.start(
            path,
            FsEventFlags::empty(),
            move |_, change| match change {
                Ok(change) => {
                    let what = if change.events.contains(FsEvents::RENAME) {
                        "new or gone"
                    } else {
                        "changed"
                    };
                    let entry = String::from_utf8_lossy(change.filename.unwrap_or_default());
                    println!("{name}: {what}: {entry}");
                }
                Err(error) => eprintln!("{error}"),
            },
        )?;
    }
    event_loop.run(RunMode::Default)?;
    Ok(())
}
