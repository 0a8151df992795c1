//! The embedded workspace, made of the tree that the tests use.
#![allow(missing_docs, clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cargo_oxy_task::demo;
use flate2::{Compression, GzBuilder, read::GzDecoder};
use ignore::WalkBuilder;
use tar::{Archive, Builder, EntryType, Header};

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file of the tree that git does not ignore, sorted; target folders aside.
fn tree() -> BTreeMap<PathBuf, Vec<u8>> {
    let root = repository().join("tests/fixtures/fleet");
    let mut walk = WalkBuilder::new(&root);
    walk.standard_filters(false)
        .git_ignore(true)
        .parents(true)
        .require_git(false)
        .filter_entry(|entry| entry.file_name() != "target" && entry.file_name() != ".git");
    let entries = walk.build().map(Result::unwrap);
    let files = entries.filter(|entry| entry.file_type().unwrap().is_file());
    files
        .map(|entry| {
            let path = entry.path().strip_prefix(&root).unwrap().to_path_buf();
            (path, std::fs::read(entry.path()).unwrap())
        })
        .collect()
}

/// The archive: nothing in it tells when, where or by whom it was made.
fn build(tree: &BTreeMap<PathBuf, Vec<u8>>) -> Vec<u8> {
    let gz = GzBuilder::new()
        .mtime(0)
        .write(Vec::new(), Compression::best());
    let mut tar = Builder::new(gz);
    for (path, bytes) in tree {
        let mut header = Header::new_ustar();
        header.set_entry_type(EntryType::Regular);
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        tar.append_data(&mut header, path, bytes.as_slice())
            .unwrap();
    }
    tar.into_inner().unwrap().finish().unwrap()
}

/// `templates/fleet.tar.gz` holds the tree. With `INSTA_UPDATE=always` it is written anew.
#[test]
fn the_archive_is_the_tree() {
    let tree = tree();
    let path = repository().join("templates/fleet.tar.gz");
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        std::fs::write(&path, build(&tree)).unwrap();
    }
    let files = demo::files(&std::fs::read(path).unwrap()).unwrap();
    let stale =
        "templates/fleet.tar.gz is stale: run this test with INSTA_UPDATE=always, then build again";
    let (paths, expected): (Vec<_>, Vec<_>) = (
        files.iter().map(|(path, _)| path).collect(),
        tree.keys().collect(),
    );
    assert_eq!(paths, expected, "{stale}");
    for (path, bytes) in &files {
        assert!(tree[path] == *bytes, "{}: {stale}", path.display());
    }
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        return;
    }
    assert!(demo::files(demo::ARCHIVE).unwrap() == files, "{stale}");
}

#[test]
fn it_is_the_same_whenever_it_is_made() {
    let tree = tree();
    let archive = build(&tree);
    assert!(archive == build(&tree));
    for archive in [archive.as_slice(), demo::ARCHIVE] {
        // The time, and the name and comment that it does not have.
        assert_eq!(archive[3..8], [0; 5]);
        let mut tar = Archive::new(GzDecoder::new(archive));
        for entry in tar.entries().unwrap() {
            let entry = entry.unwrap();
            let header = entry.header();
            assert_eq!(header.entry_type(), EntryType::Regular);
            assert_eq!(header.mode().unwrap(), 0o644);
            let numbers = [header.mtime(), header.uid(), header.gid()].map(Result::unwrap);
            assert_eq!(numbers, [0; 3]);
            let path = entry.path().unwrap();
            let is_plain = |part| matches!(part, std::path::Component::Normal(_));
            assert!(path.components().all(is_plain), "{}", path.display());
        }
    }
    let ignored = |path: &&PathBuf| path.iter().any(|part| part == "target" || part == ".git");
    assert_eq!(tree.keys().find(ignored), None);
}
