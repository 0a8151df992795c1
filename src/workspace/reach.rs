//! Folders of a package that hold no code of it, so that nobody need list them.
//!
//! A package may be the folder of something else too, a web front end say, with hundreds of
//! folders. What cargo compiles there starts at a target's root file and goes on along `mod`,
//! `#[path]` and `include!`: a folder is left aside only where none of them can lead into it.

use std::path::{Component, Path};

/// The folders in which cargo looks for targets that no manifest names, beside `src`.
const OF_TARGETS: [&str; 3] = ["tests", "examples", "benches"];

/// What cargo looks for in `src`.
const OF_SRC: [&str; 3] = ["lib.rs", "main.rs", "bin"];

/// Whether `dir` stands in a package that has nothing to compile in it, as far as the package's
/// own manifest and the files beside it say.
///
/// A member deeper down, which another manifest names, and a file that another folder's code
/// leads to by its path are for the caller to look for: see [`leads_out`].
///
/// What stands below a source folder, or one of tests, is never left aside: a package there is
/// rare, and to ask each of its folders for a manifest is not worth it.
pub(super) fn is_aside(root: &Path, dir: &Path) -> bool {
    if is_below_code(root, dir) {
        return false;
    }
    let (Some(package), Some(name)) = (dir.parent(), dir.file_name().and_then(|n| n.to_str()))
    else {
        return false;
    };
    let has_target = match name {
        "src" => OF_SRC.iter().any(|entry| dir.join(entry).exists()),
        _ => OF_TARGETS.contains(&name),
    };
    if has_target {
        return false;
    }
    let Ok(manifest) = std::fs::read_to_string(package.join("Cargo.toml")) else {
        return false;
    };
    let Ok(manifest) = toml_edit::Document::parse(manifest.as_str()) else {
        return false;
    };
    manifest.get("workspace").is_none()
        && !roots(&manifest).any(|root| leads_into(root, name))
        && !dir.join("Cargo.toml").exists()
        && !has_root_with_modules(package)
}

/// Whether a folder between `root` and `dir` is one in which packages keep their code.
fn is_below_code(root: &Path, dir: &Path) -> bool {
    let above = dir
        .parent()
        .and_then(|above| above.strip_prefix(root).ok())
        .map(Path::components);
    let mut above = above.into_iter().flatten();
    above.any(|part| {
        let name = part.as_os_str().to_str();
        name.is_some_and(|name| name == "src" || OF_TARGETS.contains(&name))
    })
}

/// Paths of the root files that a manifest names.
fn roots(manifest: &toml_edit::Table) -> impl Iterator<Item = &str> {
    let lists = ["bin", "test", "example", "bench"].into_iter();
    let lists = lists.filter_map(|kind| manifest.get(kind)?.as_array_of_tables());
    let targets = lists.flatten().filter_map(|target| target.get("path"));
    let lib = manifest.get("lib").and_then(|lib| lib.get("path"));
    let build = manifest
        .get("package")
        .and_then(|package| package.get("build"));
    let roots = targets.chain(lib).chain(build);
    roots.filter_map(toml_edit::Item::as_str)
}

/// Whether `root`, a path relative to its package, stands in the folder `name` there.
fn leads_into(root: &str, name: &str) -> bool {
    let mut parts = Path::new(root).components();
    let goes_up = parts.clone().any(|part| part == Component::ParentDir);
    let first = parts.find(|part| *part != Component::CurDir);
    goes_up || !matches!(first, Some(Component::Normal(part)) if part != name)
}

/// Whether a Rust file right in `package` may say more than stands in it.
fn has_root_with_modules(package: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(package) else {
        return true;
    };
    let mut roots = entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "rs"));
    roots.any(|root| {
        std::fs::read_to_string(root).map_or(true, |text| {
            text.contains("mod") || text.contains("include")
        })
    })
}

/// Whether a string of `text` is the path of a Rust file that goes up, or starts at the top:
/// code that may be compiled from where no `mod` leads.
pub(super) fn leads_out(text: &str) -> bool {
    memchr::memmem::find_iter(text.as_bytes(), ".rs\"").any(|end| {
        let start = text[..end].rfind('"').map_or(0, |at| at + 1);
        let path = &text[start..end];
        let has_drive = path.as_bytes().get(1) == Some(&b':');
        path.contains("..") || path.starts_with(['/', '\\']) || has_drive
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A package with `files` (name and text) and the folder `web/views`.
    fn is_web_aside(files: &[(&str, &str)]) -> bool {
        let dir = tempfile::tempdir().unwrap();
        let web = dir.path().join("web");
        std::fs::create_dir_all(web.join("views")).unwrap();
        for (name, text) in files {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        is_aside(dir.path(), &web)
    }

    #[test]
    fn a_folder_that_nothing_leads_into_is_left_aside() {
        let manifest = ("Cargo.toml", "[package]\nname = \"a\"\n");
        assert!(is_web_aside(&[manifest, ("lib.rs", "// Nothing.\n")]));
        assert!(is_web_aside(&[manifest, ("src/lib.rs", "mod web;\n")]));
        let commented = "# The library stands beside web/.\n[package]\nname = \"web\"\n\n\
                         [lib]\npath = \"./lib.rs\"\n";
        assert!(is_web_aside(&[("Cargo.toml", commented)]));
    }

    #[test]
    fn every_way_into_a_folder_counts() {
        let manifest = ("Cargo.toml", "[package]\nname = \"a\"\n");
        assert!(!is_web_aside(&[("other.txt", "no package\n")]));
        assert!(!is_web_aside(&[manifest, ("lib.rs", "mod web;\n")]));
        assert!(!is_web_aside(&[
            manifest,
            ("build.rs", "include!(\"web/a.rs\");\n")
        ]));
        assert!(!is_web_aside(&[manifest, ("web/Cargo.toml", "")]));
        for target in [
            "[lib]\npath = \"web/a.rs\"",
            "[lib]\npath = \"./web/a.rs\"",
            "[lib]\npath = \"x/../web/a.rs\"",
            "[lib]\npath = \"../a/web/a.rs\"",
            "[[bench]]\nname = \"b\"\npath = \"web/b.rs\"",
            "[package]\nbuild = \"web/build.rs\"",
        ] {
            assert!(!is_web_aside(&[("Cargo.toml", target)]), "{target}");
        }
        assert!(!is_web_aside(&[(
            "Cargo.toml",
            "[workspace]\nmembers = [\"*\"]\n"
        )]));
    }

    #[test]
    fn the_source_folder_counts_where_cargo_finds_a_target_in_it() {
        let dir = tempfile::tempdir().unwrap();
        let src = dir.path().join("src");
        std::fs::create_dir(&src).unwrap();
        std::fs::write(dir.path().join("Cargo.toml"), "[package]\nname = \"a\"\n").unwrap();
        assert!(is_aside(dir.path(), &src));
        std::fs::write(src.join("main.rs"), "").unwrap();
        assert!(!is_aside(dir.path(), &src));
        for name in OF_TARGETS {
            assert!(!is_aside(dir.path(), &dir.path().join(name)));
        }
    }

    #[test]
    fn a_path_that_leaves_the_folders_of_the_code_is_seen() {
        assert!(leads_out("#[path = \"../../web/a.rs\"]\nmod a;\n"));
        assert!(leads_out("include!(r\"C:\\web\\a.rs\");"));
        assert!(leads_out(
            "include!(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/web/a.rs\"));"
        ));
        assert!(!leads_out("#[path = \"a_tests.rs\"]\nmod tests;\n"));
        assert!(!leads_out("let up = \"..\";\n"));
        // What a build script tells cargo is no path.
        assert!(!leads_out(
            "println!(\"cargo:rerun-if-changed=build.rs\");\n"
        ));
    }
}
