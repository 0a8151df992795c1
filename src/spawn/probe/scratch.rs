//! The folder of one probe, in the target folder: what a killed run left is cleared by the next.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::apply::State;
use crate::note::{Outcome, Refusal};

/// A folder that goes when the probe ends.
pub(super) struct Scratch {
    dir: PathBuf,
    /// Held as long as the folder is used: two probes of one workspace wait for each other.
    _lock: File,
}

impl Scratch {
    /// A new folder in what is kept of the workspace, alone there.
    pub(super) fn new(state: &State) -> Outcome<Self> {
        let probes = &state.path("probe");
        let make = || {
            state.make()?;
            std::fs::create_dir_all(probes)?;
            // What stands there is cleared: it must be the tool's own.
            if probes.symlink_metadata()?.is_symlink() {
                return Err(io::Error::other("it is a link"));
            }
            let mut lock = File::options();
            lock.create(true).truncate(false).write(true);
            let lock = lock.open(probes.join("lock"))?;
            lock.lock()?;
            for entry in std::fs::read_dir(probes)? {
                let entry = entry?;
                if entry.file_type()?.is_dir() {
                    // Links in it are taken away, not followed.
                    std::fs::remove_dir_all(entry.path())?;
                }
            }
            // What a killed run started may still run: it shall not find its files again.
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
            let name = format!(
                "{}-{}",
                std::process::id(),
                now.unwrap_or_default().as_nanos()
            );
            let dir = probes.join(name);
            std::fs::create_dir(&dir)?;
            Ok(Self { dir, _lock: lock })
        };
        make().map_err(|e| cannot(probes, &e))
    }

    /// The folder.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Where the mirror stands.
    pub(super) fn tree(&self) -> PathBuf {
        self.dir.join("tree")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be taken away now is taken away by the next probe.
        std::fs::remove_dir_all(&self.dir).ok();
    }
}

/// The refusal that says what cannot be made where.
pub(super) fn cannot(path: &Path, error: &io::Error) -> Refusal {
    Refusal::new(
        "probe-scratch",
        format!("cannot make `{}`: {error}", path.display()),
    )
    .help("the compiler is asked there: mend the cause, or give each type with `--type NAME=TYPE`")
}
