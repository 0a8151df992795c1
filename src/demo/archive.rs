//! The embedded archive, and what it holds.

use std::io::{self, Read};
use std::path::PathBuf;

use flate2::read::GzDecoder;
use tar::Archive;

/// The workspace as a compressed tar; `tests/archive.rs` keeps it in step with the tree it is made of.
pub const ARCHIVE: &[u8] = include_bytes!("../../templates/fleet.tar.gz");

/// Every file of `archive`, in its order: the path relative to the workspace root, and the bytes.
pub fn files(archive: &[u8]) -> io::Result<Vec<(PathBuf, Vec<u8>)>> {
    let mut archive = Archive::new(GzDecoder::new(archive));
    let mut files = Vec::new();
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path = entry.path()?.into_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes)?;
        files.push((path, bytes));
    }
    Ok(files)
}
