//! Finds and parses files on demand: only what can matter is ever parsed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use memchr::memmem;
use rayon::iter::{IndexedParallelIterator, IntoParallelRefIterator, ParallelIterator};

use super::field_lists::{FieldList, field_lists};
use super::{FileFacts, Interest, read};
use crate::note::Outcome;
use crate::pool::pool;
use crate::workspace::{Member, SourceFile, Workspace};

/// The workspace's files, parsed when they are asked for; threads may share it.
pub struct Index<'w> {
    /// The workspace that is read.
    pub workspace: &'w Workspace,
    interest: Interest,
    parsed: Mutex<BTreeMap<String, Arc<FileFacts>>>,
    hits: Mutex<BTreeMap<String, Vec<String>>>,
}

/// What was read of a workspace, for an index over nearly the same files.
#[derive(Default)]
pub struct Memory {
    /// What the facts were read by.
    interest: Interest,
    files: BTreeMap<String, Arc<SourceFile>>,
    parsed: BTreeMap<String, Arc<FileFacts>>,
    /// Facts of files of which it was not known yet which member they belong to.
    early: Vec<FileFacts>,
    /// Files that hold a text, by the text.
    hits: BTreeMap<String, Vec<String>>,
}

impl Memory {
    /// Facts and finds of `files` that were read by `interest`.
    #[must_use]
    pub fn early(
        files: &BTreeMap<String, Arc<SourceFile>>,
        interest: Interest,
        facts: Vec<FileFacts>,
        hits: BTreeMap<String, Vec<String>>,
    ) -> Self {
        Self {
            interest,
            files: files.clone(),
            parsed: BTreeMap::new(),
            early: facts,
            hits,
        }
    }
}

impl<'w> Index<'w> {
    /// An index of the workspace's files.
    ///
    /// What `memory` holds of files that are the same here is not read again.
    #[must_use]
    pub fn new(workspace: &'w Workspace, memory: Memory) -> Self {
        let Memory {
            interest,
            files,
            mut parsed,
            early,
            mut hits,
        } = memory;
        let is_same = |path: &str, file: &Arc<SourceFile>| {
            let here = workspace.files.get(path);
            here.is_some_and(|here| Arc::ptr_eq(here, file))
        };
        let reader = Reader {
            workspace,
            interest: &interest,
        };
        parsed.extend(early.into_iter().map(|mut facts| {
            reader.place(&mut facts);
            (facts.file.path.clone(), Arc::new(facts))
        }));
        parsed.retain(|path, facts| is_same(path, &facts.file));
        let (gone, fresh) = differences(&files, &workspace.files);
        for (needle, paths) in &mut hits {
            paths.retain(|path| !gone.contains(path));
            paths.extend(holding(needle, fresh.iter().copied()));
            paths.sort();
        }
        Self {
            workspace,
            interest,
            parsed: Mutex::new(parsed),
            hits: Mutex::new(hits),
        }
    }

    /// From here on, matches over the enum that `interest` names are written down.
    pub fn learn(&mut self, interest: Interest) {
        let (new, old) = (interest.words(), self.interest.words());
        let words: Vec<&&String> = new.symmetric_difference(&old).collect();
        // A file without a word that makes the difference has the facts that it had.
        let is_same =
            |facts: &FileFacts| !words.iter().any(|w| facts.file.text.contains(w.as_str()));
        let parsed = self
            .parsed
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        parsed.retain(|_, facts| is_same(facts));
        self.interest = interest;
    }

    /// Everything that was read.
    #[must_use]
    pub fn into_memory(self) -> Memory {
        Memory {
            interest: self.interest,
            files: self.workspace.files.clone(),
            parsed: self
                .parsed
                .into_inner()
                .unwrap_or_else(PoisonError::into_inner),
            early: Vec::new(),
            hits: self
                .hits
                .into_inner()
                .unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// The names and variants that matches are looked for by.
    #[must_use]
    pub fn interest(&self) -> &Interest {
        &self.interest
    }

    /// The facts of the file at `path`; refuses when it does not parse or does not exist.
    pub fn facts(&self, path: &str) -> Outcome<Arc<FileFacts>> {
        if let Some(facts) = lock(&self.parsed).get(path) {
            return Ok(Arc::clone(facts));
        }
        let Some(file) = self.workspace.files.get(path) else {
            return Err(crate::note::Refusal::new(
                "read",
                format!("`{path}` is no Rust file of this workspace"),
            ));
        };
        let facts = Arc::new(self.reader().read(file)?);
        let mut parsed = lock(&self.parsed);
        // Another thread may have been faster: what it gave out stays the one.
        Ok(Arc::clone(parsed.entry(path.to_owned()).or_insert(facts)))
    }

    /// Parses `paths` on all cores; the first refusal in path order counts.
    pub fn parse_all(&self, paths: &[String]) -> Outcome<()> {
        let wanted: Vec<&Arc<SourceFile>> = paths
            .iter()
            .filter(|path| !lock(&self.parsed).contains_key(*path))
            .filter_map(|path| self.workspace.files.get(path))
            .collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let reader = self.reader();
        for (path, facts) in on_all_cores(wanted, &|file| reader.read(file)) {
            let facts = Arc::new(facts?);
            lock(&self.parsed).entry(path).or_insert(facts);
        }
        Ok(())
    }

    fn reader(&self) -> Reader<'_> {
        Reader {
            workspace: self.workspace,
            interest: &self.interest,
        }
    }

    /// Whether a file belongs to a test, example or bench, or to a module under `#[cfg(test)]`.
    #[must_use]
    pub fn is_for_tests(&self, path: &str) -> bool {
        is_for_tests(self.workspace, path)
    }

    /// Paths of the files whose text holds `needle`, in order.
    #[must_use]
    pub fn containing(&self, needle: &str) -> Vec<String> {
        // Nobody waits for a search: two threads that look for the same do it twice.
        let among = match known(&lock(&self.hits), needle) {
            Known::Paths(paths) => return paths,
            Known::Among(paths) => paths,
        };
        let paths = search(needle, among.as_deref(), &self.workspace.files);
        lock(&self.hits).insert(needle.to_owned(), paths.clone());
        paths
    }

    /// The files of `member` whose text holds `needle`.
    #[must_use]
    pub fn containing_in(&self, member: &Member, needle: &str) -> Vec<String> {
        let files = self.workspace.files.values();
        let inside = files.filter(|file| member.holds(&file.path));
        let mut paths = holding(needle, inside);
        paths.retain(|path| {
            let owner = self.workspace.member_of(path);
            owner.is_some_and(|owner| owner.name == member.name)
        });
        paths
    }

    /// The file that an absolute module path (`agentic_runtime::entity::run`) stands in.
    #[must_use]
    pub fn module_file(&self, path: &str) -> Option<String> {
        let (krate, rest) = path.split_once("::").unwrap_or((path, ""));
        let member = self
            .workspace
            .members
            .iter()
            .find(|member| member.crate_name() == krate)?;
        let root = &member.lib()?.root;
        let dir = root.rsplit_once('/').map_or("", |(dir, _)| dir);
        if rest.is_empty() {
            return Some(root.clone());
        }
        let stem = format!("{dir}/{}", rest.replace("::", "/"));
        [format!("{stem}.rs"), format!("{stem}/mod.rs")]
            .into_iter()
            .find(|path| self.workspace.files.contains_key(path))
    }

    /// The absolute module path of a file of a library, by where it lies.
    #[must_use]
    pub fn module_of(&self, path: &str) -> Option<String> {
        let member = self.workspace.member_of(path)?;
        let root = &member.lib()?.root;
        let dir = root.rsplit_once('/').map_or("", |(dir, _)| dir);
        if path == root {
            return Some(member.crate_name());
        }
        let inside = path.strip_prefix(dir)?.strip_prefix('/')?;
        let inside = inside
            .strip_suffix("/mod.rs")
            .or_else(|| inside.strip_suffix(".rs"))?;
        Some(format!(
            "{}::{}",
            member.crate_name(),
            inside.replace('/', "::")
        ))
    }

    /// The path under which other crates reach the item `name` of `module`: its own where every
    /// module on the way is public, else that of a re-export; `None` where there is neither.
    pub fn public_path(&self, module: &str, name: &str) -> Outcome<Option<String>> {
        let mut path = format!("{module}::{name}");
        let mut at = module.to_owned();
        while let Some((parent, child)) = at.clone().rsplit_once("::") {
            let Some(file) = self.module_file(parent) else {
                return Ok(None);
            };
            let facts = self.facts(&file)?;
            let Some(declared) = facts.modules.iter().find(|m| m.name == child) else {
                return Ok(None);
            };
            if !declared.is_pub {
                let inside = path
                    .strip_prefix(&format!("{parent}::"))
                    .unwrap_or(&path)
                    .to_owned();
                let export = facts.uses.iter().find(|u| {
                    let from = u
                        .path
                        .trim_start_matches("self::")
                        .trim_start_matches("crate::");
                    u.is_pub
                        && u.name == name
                        && (from == inside || from.ends_with(&format!("::{inside}")))
                });
                if export.is_none() {
                    return Ok(None);
                }
                path = format!("{parent}::{name}");
            }
            parent.clone_into(&mut at);
        }
        Ok(Some(path))
    }

    /// The absolute path of the item that `name` (a path as written) means in `facts`.
    ///
    /// Follows one `use`; a name that nothing imports is taken as defined in the file itself.
    #[must_use]
    pub fn resolve(&self, facts: &FileFacts, name: &str) -> Option<String> {
        let here = self.module_of(&facts.file.path)?;
        let (head, tail) = name
            .split_once("::")
            .map_or((name, None), |(head, tail)| (head, Some(tail)));
        let imported = facts.uses.iter().find(|u| u.name == head && u.is_top);
        let imported = imported.or_else(|| facts.uses.iter().find(|u| u.name == head));
        let absolute = match imported {
            Some(import) if import.path != head => self.absolute(&here, &import.path),
            _ => {
                let is_crate = matches!(head, "crate" | "self" | "super")
                    || (tail.is_some() && self.is_crate(facts, head));
                if is_crate {
                    return Some(self.absolute(&here, name));
                }
                format!("{here}::{head}")
            }
        };
        Some(tail.map_or(absolute.clone(), |tail| format!("{absolute}::{tail}")))
    }

    /// The absolute path of the item that `name` (a path as written) means at an offset of `facts`,
    /// by the imports of the function and the module around it.
    #[must_use]
    pub fn resolve_at(&self, facts: &FileFacts, name: &str, at: usize) -> String {
        let path = &facts.file.path;
        let here = self.module_of(path).unwrap_or_else(|| lone(path));
        let (head, tail) = name.split_once("::").unwrap_or((name, ""));
        let (import, inside) = facts.import_at(head, at);
        let here = [&[here.as_str()], &*inside].concat().join("::");
        let named = match import {
            Some(import) if tail.is_empty() => import.path.clone(),
            Some(import) => format!("{}::{tail}", import.path),
            None => name.to_owned(),
        };
        let first = named.split("::").next().unwrap_or_default();
        let is_relative = matches!(first, "crate" | "self" | "super");
        let names_crate =
            || self.is_crate(facts, head) || self.own_crate(facts).as_deref() == Some(head);
        let leads_out = import.is_some() || (!tail.is_empty() && names_crate());
        if is_relative || leads_out {
            self.absolute(&here, &named)
        } else {
            format!("{here}::{named}")
        }
    }

    /// Every list of named fields in a file, with what it means there.
    pub fn field_lists(&self, facts: &FileFacts) -> Outcome<Vec<FieldList>> {
        let path = &facts.file.path;
        let here = self.module_of(path).unwrap_or_else(|| lone(path));
        let own = self.own_crate(facts);
        field_lists(&facts.file, here, &|name| {
            own.as_deref() == Some(name) || self.is_crate(facts, name)
        })
    }

    /// The name of the crate that a file's package makes.
    fn own_crate(&self, facts: &FileFacts) -> Option<String> {
        let member = self.workspace.member_of(&facts.file.path);
        member.map(Member::crate_name)
    }

    /// Whether `head` names a crate that the file's member depends on (or one of std).
    fn is_crate(&self, facts: &FileFacts, head: &str) -> bool {
        if matches!(head, "std" | "core" | "alloc") {
            return true;
        }
        let child = facts.modules.iter().any(|module| module.name == head);
        !child
            && self
                .workspace
                .member_of(&facts.file.path)
                .is_some_and(|member| {
                    member
                        .dependencies
                        .iter()
                        .any(|dependency| dependency.crate_name() == head)
                })
    }

    /// Whether an absolute path, as `facts` name it, leads into a crate that is no member's.
    ///
    /// Where the name of the crate is not that of a dependency, it is not known to.
    #[must_use]
    pub fn is_outside(&self, facts: &FileFacts, path: &str) -> bool {
        let head = path.split("::").next().unwrap_or(path);
        if matches!(head, "std" | "core" | "alloc") {
            return true;
        }
        let workspace = self.workspace;
        let is_member = |name: &str| workspace.members.iter().any(|of| of.crate_name() == name);
        let Some(member) = workspace.member_of(&facts.file.path) else {
            return false;
        };
        let mut dependencies = member.dependencies.iter();
        !is_member(head)
            && dependencies
                .any(|of| of.crate_name() == head && workspace.member(&of.package).is_none())
    }

    /// `path` with `crate`, `self` and `super` resolved against the module `here`.
    fn absolute(&self, here: &str, path: &str) -> String {
        let path = path.trim_start_matches("::");
        let mut base: Vec<&str> = Vec::new();
        let mut parts = path.split("::").peekable();
        match parts.peek() {
            Some(&"crate") => {
                parts.next();
                base.push(here.split("::").next().unwrap_or(here));
            }
            Some(&"self" | &"super") => {
                base.extend(here.split("::"));
                if parts.peek() == Some(&"self") {
                    parts.next();
                }
                while parts.peek() == Some(&"super") {
                    parts.next();
                    base.pop();
                }
            }
            _ => {}
        }
        base.extend(parts);
        base.join("::")
    }

    /// The file and facts of the one struct or enum called `name` that a path names.
    ///
    /// `path` is absolute. Where the module's own file does not define it, the crate's other
    /// files are searched: a re-export names it where it is not.
    pub fn definition(&self, path: &str) -> Outcome<Option<Arc<FileFacts>>> {
        let Some((module, name)) = path.rsplit_once("::") else {
            return Ok(None);
        };
        // A struct without named fields is known as an item alone.
        let key = format!("struct {name}");
        let defines = |facts: &FileFacts| {
            facts.structs.iter().any(|s| s.name == name)
                || facts.enums.iter().any(|e| e.name == name)
                || facts.items.iter().any(|item| item.key == key)
        };
        if let Some(file) = self.module_file(module) {
            let facts = self.facts(&file)?;
            if defines(&facts) {
                return Ok(Some(facts));
            }
        }
        let krate = path.split("::").next().unwrap_or(path);
        let Some(member) = self
            .workspace
            .members
            .iter()
            .find(|member| member.crate_name() == krate)
        else {
            return Ok(None);
        };
        for keyword in ["struct", "enum"] {
            for file in self.containing_in(member, &format!("{keyword} {name}")) {
                let facts = self.facts(&file)?;
                if defines(&facts) {
                    return Ok(Some(facts));
                }
            }
        }
        Ok(None)
    }
}

/// Paths of `files` whose text holds `needle`; `known` are the finds so far.
///
/// Where a part of the needle was looked for before, only the files that hold that can hold all.
pub(crate) fn find(
    hits: &mut BTreeMap<String, Vec<String>>,
    needle: &str,
    files: &BTreeMap<String, Arc<SourceFile>>,
) -> Vec<String> {
    let among = match known(hits, needle) {
        Known::Paths(paths) => return paths,
        Known::Among(paths) => paths,
    };
    let paths = search(needle, among.as_deref(), files);
    hits.insert(needle.to_owned(), paths.clone());
    paths
}

/// What is known of a text that is looked for.
enum Known {
    /// The files that hold it.
    Paths(Vec<String>),
    /// Files of which some may hold it; `None` for all of them.
    Among(Option<Vec<String>>),
}

/// What earlier searches say about `needle`: a file that holds it holds every part of it.
fn known(hits: &BTreeMap<String, Vec<String>>, needle: &str) -> Known {
    if let Some(paths) = hits.get(needle) {
        return Known::Paths(paths.clone());
    }
    let parts = hits.iter().filter(|(part, _)| needle.contains(*part));
    let fewest = parts
        .map(|(_, paths)| paths)
        .min_by_key(|paths| paths.len());
    Known::Among(fewest.cloned())
}

/// The files that hold `needle`, those at the paths `among` or all.
fn search(
    needle: &str,
    among: Option<&[String]>,
    files: &BTreeMap<String, Arc<SourceFile>>,
) -> Vec<String> {
    match among {
        Some(paths) => holding(needle, paths.iter().filter_map(|path| files.get(path))),
        None => holding(needle, files.values()),
    }
}

/// The module path of a file that no other crate reaches, an integration test say: one of its own.
fn lone(path: &str) -> String {
    format!("{{{path}}}")
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What of `before` is no more the same in `after`, by its path, and what of `after` is new.
///
/// Both are sorted, so that one walk over the two compares them.
fn differences<'f>(
    before: &'f BTreeMap<String, Arc<SourceFile>>,
    after: &'f BTreeMap<String, Arc<SourceFile>>,
) -> (BTreeSet<&'f String>, Vec<&'f Arc<SourceFile>>) {
    let (mut gone, mut fresh) = (BTreeSet::new(), Vec::new());
    let mut others = before.iter().peekable();
    for (path, file) in after {
        while let Some((other, _)) = others.next_if(|(other, _)| *other < path) {
            gone.insert(other);
        }
        match others.next_if(|(other, _)| *other == path) {
            Some((_, other)) if Arc::ptr_eq(other, file) => {}
            Some((other, _)) => {
                gone.insert(other);
                fresh.push(file);
            }
            None => fresh.push(file),
        }
    }
    gone.extend(others.map(|(other, _)| other));
    (gone, fresh)
}

/// How many files are searched sooner than a second thread begins to.
const SEARCHED_ALONE: usize = 128;

/// Paths of `files` whose text holds `needle`.
fn holding<'f>(needle: &str, files: impl Iterator<Item = &'f Arc<SourceFile>>) -> Vec<String> {
    let finder = memmem::Finder::new(needle.as_bytes());
    let files: Vec<&Arc<SourceFile>> = files.collect();
    let holds = |file: &&Arc<SourceFile>| {
        let found = finder.find(file.text.as_bytes()).is_some();
        found.then(|| file.path.clone())
    };
    match pool().filter(|_| files.len() > SEARCHED_ALONE) {
        Some(pool) => pool.install(|| {
            let files = files.par_iter().with_min_len(SEARCHED_ALONE);
            files.filter_map(holds).collect()
        }),
        None => files.iter().filter_map(holds).collect(),
    }
}

/// What `work` gives for each file, by path in order. The work is done on all cores.
pub(crate) fn on_all_cores<T: Send>(
    mut files: Vec<&Arc<SourceFile>>,
    work: &(dyn Fn(&Arc<SourceFile>) -> T + Sync),
) -> BTreeMap<String, T> {
    // The long files first, so that no core ends with the longest one.
    files.sort_by_key(|file| std::cmp::Reverse(file.text.len()));
    let one = |file: &&Arc<SourceFile>| (file.path.clone(), work(file));
    match pool() {
        Some(pool) => pool.install(|| files.par_iter().with_max_len(1).map(one).collect()),
        None => files.iter().map(one).collect(),
    }
}

/// What parsing a file needs of the index; threads share it.
struct Reader<'a> {
    workspace: &'a Workspace,
    interest: &'a Interest,
}

impl Reader<'_> {
    /// The facts of a file; everything in it is for tests where the file itself is.
    fn read(&self, file: &Arc<SourceFile>) -> Outcome<FileFacts> {
        let mut facts = read(file, self.interest)?;
        self.place(&mut facts);
        Ok(facts)
    }

    /// Marks what the file's place in its package says about it.
    fn place(&self, facts: &mut FileFacts) {
        if is_for_tests(self.workspace, &facts.file.path) {
            facts.functions.iter_mut().for_each(|f| f.is_test = true);
            facts.impls.iter_mut().for_each(|i| i.is_test = true);
            facts.matches.iter_mut().for_each(|m| m.is_test = true);
        }
    }
}

/// Whether a file belongs to a test, example or bench, or to a module under `#[cfg(test)]`.
fn is_for_tests(workspace: &Workspace, path: &str) -> bool {
    let Some(member) = workspace.member_of(path) else {
        return false;
    };
    let inside = path.strip_prefix(&member.dir).unwrap_or(path);
    let inside = inside.trim_start_matches('/');
    let in_folder = ["tests/", "examples/", "benches/"]
        .iter()
        .any(|dir| inside.starts_with(dir));
    let targets = &member.targets;
    in_folder
        || targets
            .iter()
            .any(|target| target.is_test_like && target.root == path)
        || (!targets.iter().any(|target| target.root == path)
            && declared_for_tests(workspace, path))
}

/// Whether a parent declares the file's module, or one above it, under `#[cfg(test)]`.
fn declared_for_tests(workspace: &Workspace, path: &str) -> bool {
    let stem = path.trim_end_matches(".rs").trim_end_matches("/mod");
    let Some((dir, name)) = stem.rsplit_once('/') else {
        return false;
    };
    let parents = [
        format!("{dir}.rs"),
        format!("{dir}/mod.rs"),
        format!("{dir}/lib.rs"),
        format!("{dir}/main.rs"),
    ];
    for parent in parents.iter().filter(|parent| *parent != path) {
        let Some(file) = workspace.files.get(parent) else {
            continue;
        };
        let declaration = format!("mod {name};");
        if let Some(at) = file.text.find(&declaration) {
            let mut above = file.text[..file.line_start(at)]
                .lines()
                .rev()
                .take_while(|line| line.trim_start().starts_with("#["));
            return above.any(|line| line.contains("cfg(test)"))
                || declared_for_tests(workspace, parent);
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn differences_are_what_is_gone_and_what_is_new() {
        let file = |path: &str| {
            let file = SourceFile {
                path: path.to_owned(),
                absolute: PathBuf::new(),
                text: String::new(),
            };
            (path.to_owned(), Arc::new(file))
        };
        let before = BTreeMap::from(["b", "c", "d", "f"].map(file));
        let mut after = before.clone();
        after.remove("c");
        after.extend(["a", "d", "e", "g"].map(file));
        let (gone, fresh) = differences(&before, &after);
        let fresh: Vec<&str> = fresh.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(Vec::from_iter(gone), ["c", "d"]);
        assert_eq!(fresh, ["a", "d", "e", "g"]);
    }
}
