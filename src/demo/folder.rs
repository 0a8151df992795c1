//! The folder that the workspace is unpacked into, and taken out of again where `demo` fails.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::archive;
use crate::note::{Outcome, Refusal};

/// Cargo's settings of a workspace.
const SETTINGS: &str = ".cargo/config.toml";

/// Where the settings of the user or of a folder above would put the target folder elsewhere, these
/// keep it in the workspace.
const OWN_TARGET: &str = "[build]\ntarget-dir = \"target\"\n";

/// What comes into the folder beside the files of the archive.
const OTHERS: [&str; 3] = [".cargo", ".git", "target"];

/// A folder that holds nothing but what is put into it here.
#[derive(Debug)]
pub struct Folder {
    /// Its absolute path.
    pub path: PathBuf,
    /// The outermost folder that was made for it; `None` where it stood, empty.
    made: Option<PathBuf>,
    /// What of the archive stands in it at the top.
    tops: BTreeSet<OsString>,
}

impl Folder {
    /// Makes the folder `dir`, or takes it where it is empty.
    ///
    /// Refuses one that holds anything, and what is no folder.
    pub fn new(dir: &Path) -> Outcome<Self> {
        let shown = dir.display();
        let path = std::path::absolute(dir).map_err(|e| {
            Refusal::usage("demo-dir", format!("`{shown}` names no folder: {e}"))
                .help("name a new folder")
        })?;
        let cannot = |e: &io::Error| {
            Refusal::new("demo-dir", format!("cannot make the folder `{shown}`: {e}"))
                .help("name another folder: `cargo oxy-task demo <DIR>`")
        };
        let made = match fs::read_dir(&path) {
            Ok(mut entries) => {
                if entries.next().is_some() {
                    return Err(
                        Refusal::new("demo-dir", format!("`{shown}` is not empty")).help(format!(
                            "name a new folder (`cargo oxy-task demo <DIR>`), or look around in `{shown}` if that is an earlier demo"
                        )),
                    );
                }
                None
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                let missing = path.ancestors().take_while(|dir| !dir.exists());
                let outermost = missing.last().map(Path::to_path_buf);
                fs::create_dir_all(&path).map_err(|e| cannot(&e))?;
                outermost
            }
            Err(e) => return Err(cannot(&e)),
        };
        Ok(Self {
            path,
            made,
            tops: BTreeSet::new(),
        })
    }

    /// Writes the files of the archive; gives how many these are.
    pub fn unpack(&mut self) -> Outcome<usize> {
        self.write_files().map_err(|e| {
            Refusal::new(
                "demo-unpack",
                format!("cannot unpack into `{}`: {e}", self.path.display()),
            )
            .help("mend the cause, or name another folder")
        })
    }

    fn write_files(&mut self) -> io::Result<usize> {
        let files = archive::files(archive::ARCHIVE)?;
        for (path, bytes) in &files {
            if let Some(top) = path.iter().next() {
                self.tops.insert(top.to_owned());
            }
            let path = self.path.join(path);
            if let Some(above) = path.parent() {
                fs::create_dir_all(above)?;
            }
            File::create_new(path)?.write_all(bytes)?;
        }
        Ok(files.len())
    }

    /// Has cargo keep its target folder in this one, for everyone who works in it.
    pub fn keep_target(&self) -> Outcome<()> {
        let path = self.path.join(SETTINGS);
        let write = || {
            fs::create_dir_all(self.path.join(".cargo"))?;
            fs::write(&path, OWN_TARGET)
        };
        write().map_err(|e| {
            Refusal::new(
                "demo-unpack",
                format!("cannot write `{}`: {e}", path.display()),
            )
            .help("mend the cause, or name another folder")
        })
    }

    /// Takes everything out again, and the folder too where it was made; says in the refusal what is
    /// left where that fails.
    #[must_use]
    pub fn give_up(self, refusal: Refusal) -> Refusal {
        let removed = match &self.made {
            Some(made) => fs::remove_dir_all(made),
            None => self.empty(),
        };
        let Err(e) = removed else {
            return refusal;
        };
        let left = format!(
            "what was unpacked is left in `{}`, and is yours to remove: {e}",
            self.path.display()
        );
        let help = match &refusal.help {
            Some(help) => format!("{help}; {left}"),
            None => left,
        };
        refusal.help(help)
    }

    fn empty(&self) -> io::Result<()> {
        let others = OTHERS.map(OsString::from);
        for name in self.tops.iter().chain(&others) {
            let path = self.path.join(name);
            let removed = if path.is_dir() {
                fs::remove_dir_all(&path)
            } else {
                fs::remove_file(&path)
            };
            match removed {
                Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
                _ => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_was_made_goes_and_one_that_stood_is_empty_again() {
        let outer = tempfile::tempdir().unwrap();
        let stood = outer.path().join("stood");
        fs::create_dir(&stood).unwrap();
        for dir in ["made/of/several", "stood"] {
            let mut folder = Folder::new(&outer.path().join(dir)).unwrap();
            assert!(folder.unpack().unwrap() > 50);
            folder.keep_target().unwrap();
            assert!(folder.path.join("Cargo.lock").is_file());
            let refusal = Refusal::new("test", "failed");
            assert_eq!(folder.give_up(refusal).help, None);
        }
        assert!(!outer.path().join("made").exists());
        assert_eq!(fs::read_dir(&stood).unwrap().count(), 0);
    }

    #[test]
    fn what_holds_something_is_left_alone() {
        let outer = tempfile::tempdir().unwrap();
        let file = outer.path().join("notes.txt");
        fs::write(&file, "mine").unwrap();
        for dir in [outer.path(), file.as_path()] {
            let refusal = Folder::new(dir).unwrap_err();
            assert_eq!((refusal.code, refusal.exit_code()), ("demo-dir", 1));
            assert!(refusal.help.is_some());
        }
        assert_eq!(Folder::new(Path::new("")).unwrap_err().exit_code(), 2);
        assert_eq!(fs::read_dir(outer.path()).unwrap().count(), 1);
        assert_eq!(fs::read_to_string(file).unwrap(), "mine");
    }
}
