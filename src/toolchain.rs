//! cargo and rustfmt themselves, without the detour over rustup where that can be known.
//!
//! rustup's `cargo` and `rustfmt` look for the toolchain that counts here and then start its
//! program; that look takes as long as a fifth of what cargo does afterwards. Where nothing but
//! the default can count, its program is started at once. In every other case, and in every
//! doubt, rustup decides.

use std::path::{Path, PathBuf};

use toml_edit::TableLike;

/// Files by which a directory asks rustup for another toolchain.
const OVERRIDES: [&str; 2] = ["rust-toolchain", "rust-toolchain.toml"];

/// The cargo that runs the tool as its subcommand, which says so in `CARGO`; else that of the
/// default toolchain where nothing at or above `dir` asks for another one, else `cargo`.
#[must_use]
pub fn cargo(dir: &Path) -> PathBuf {
    let own = std::env::var_os("CARGO").map(PathBuf::from);
    own.or_else(|| default_program("cargo", dir))
        .unwrap_or_else(|| PathBuf::from("cargo"))
}

/// The cargo that builds: the one that runs the tool as its subcommand, else `cargo`.
///
/// Where rustup chooses the toolchain, it has to do so here: a cargo that it did not start leaves it
/// to look into the folder of each dependency.
#[must_use]
pub fn building_cargo() -> PathBuf {
    std::env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from)
}

/// The rustfmt that `RUSTFMT` names; else the one beside [`cargo`], else `rustfmt`.
#[must_use]
pub fn rustfmt(dir: &Path) -> PathBuf {
    let named = std::env::var_os("RUSTFMT").map(PathBuf::from);
    let cargo = std::env::var_os("CARGO").map(PathBuf::from);
    let beside = || match cargo {
        Some(cargo) => Some(cargo.parent()?.join(file_name("rustfmt"))).filter(|p| p.is_file()),
        None => default_program("rustfmt", dir),
    };
    named
        .or_else(beside)
        .unwrap_or_else(|| PathBuf::from("rustfmt"))
}

fn file_name(program: &str) -> String {
    format!("{program}{}", std::env::consts::EXE_SUFFIX)
}

/// A program of the default toolchain; `None` where rustup might choose another.
fn default_program(name: &str, dir: &Path) -> Option<PathBuf> {
    let path = default_programs(dir)?.join(file_name(name));
    path.is_file().then_some(path)
}

/// The folder of the default toolchain's programs; `None` where rustup might choose another.
fn default_programs(dir: &Path) -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?;
    if std::env::var_os("RUSTUP_TOOLCHAIN").is_some() || !is_rustups("cargo") {
        return None;
    }
    let asks = |dir: &Path| OVERRIDES.iter().any(|name| dir.join(name).exists());
    if here.ancestors().chain(dir.ancestors()).any(asks) {
        return None;
    }
    let home = match std::env::var_os("RUSTUP_HOME") {
        Some(home) => PathBuf::from(home),
        None => std::env::home_dir()?.join(".rustup"),
    };
    let settings = std::fs::read_to_string(home.join("settings.toml")).ok()?;
    let toolchain = default_toolchain(&settings)?;
    Some(home.join("toolchains").join(toolchain).join("bin"))
}

/// The default of rustup's settings, unless these give some directory another toolchain.
fn default_toolchain(settings: &str) -> Option<String> {
    let settings = settings.parse::<toml_edit::DocumentMut>().ok()?;
    let overrides = settings.get("overrides");
    let none = overrides.is_none_or(|item| item.as_table_like().is_some_and(TableLike::is_empty));
    let name = settings.get("default_toolchain")?.as_str()?;
    none.then(|| name.to_owned())
}

/// Whether the program that the path finds under this name is a link to rustup.
fn is_rustups(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .map(|dir| dir.join(file_name(program)))
        .find(|path| path.is_file());
    found
        .and_then(|path| path.canonicalize().ok())
        .is_some_and(|path| path.file_stem().is_some_and(|stem| stem == "rustup"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_counts_where_no_directory_has_its_own() {
        let settings =
            "version = \"12\"\ndefault_toolchain = \"stable-x86_64-unknown-linux-gnu\"\n";
        let name = Some("stable-x86_64-unknown-linux-gnu".to_owned());
        assert_eq!(default_toolchain(settings), name);
        assert_eq!(default_toolchain(&format!("{settings}[overrides]\n")), name);
        let other = format!("{settings}[overrides]\n\"/home/me/oxy\" = \"nightly\"\n");
        assert_eq!(default_toolchain(&other), None);
        assert_eq!(default_toolchain("version = \"12\"\n"), None);
        assert_eq!(default_toolchain("default_toolchain = "), None);
    }

    #[test]
    fn a_directory_that_asks_for_a_toolchain_leaves_it_to_rustup() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let inner = dir.path().join("a/b");
        std::fs::create_dir_all(&inner).expect("a directory in it");
        std::fs::write(dir.path().join("rust-toolchain.toml"), "").expect("a file in it");
        assert_eq!(default_programs(&inner), None);
    }
}
