//! Finds and parses files on demand: only what can matter is ever parsed.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use memchr::memmem;

use super::{FileFacts, Interest, read};
use crate::note::Outcome;
use crate::workspace::{Member, SourceFile, Workspace};

/// The workspace's files, parsed when they are asked for.
pub struct Index<'w> {
    /// The workspace that is read.
    pub workspace: &'w Workspace,
    interest: Interest,
    parsed: RefCell<BTreeMap<String, Arc<FileFacts>>>,
}

/// The facts of parsed files, by path.
#[derive(Default)]
pub struct Parsed(BTreeMap<String, Arc<FileFacts>>);

impl<'w> Index<'w> {
    /// An index that writes down matches over the enum that `interest` names.
    #[must_use]
    pub fn new(workspace: &'w Workspace, interest: Interest) -> Self {
        Self {
            workspace,
            interest,
            parsed: RefCell::default(),
        }
    }

    /// An index that takes the facts of files which `other` has parsed and which are the same
    /// here.
    #[must_use]
    pub fn sharing(mut self, other: &Parsed) -> Self {
        let same = |facts: &Arc<FileFacts>| {
            let here = self.workspace.files.get(&facts.file.path);
            here.is_some_and(|here| Arc::ptr_eq(here, &facts.file))
        };
        let shared = other.0.iter().filter(|(_, facts)| same(facts));
        let shared = shared
            .map(|(path, facts)| (path.clone(), Arc::clone(facts)))
            .collect();
        self.parsed = RefCell::new(shared);
        self
    }

    /// Everything that was parsed.
    #[must_use]
    pub fn into_parsed(self) -> Parsed {
        Parsed(self.parsed.into_inner())
    }

    /// The names and variants that matches are looked for by.
    #[must_use]
    pub fn interest(&self) -> &Interest {
        &self.interest
    }

    /// The facts of the file at `path`; refuses when it does not parse or does not exist.
    pub fn facts(&self, path: &str) -> Outcome<Arc<FileFacts>> {
        if let Some(facts) = self.parsed.borrow().get(path) {
            return Ok(Arc::clone(facts));
        }
        let Some(file) = self.workspace.files.get(path) else {
            return Err(crate::note::Refusal::new(
                "read",
                format!("`{path}` is no Rust file of this workspace"),
            ));
        };
        let facts = Arc::new(self.read(file)?);
        self.parsed
            .borrow_mut()
            .insert(path.to_owned(), Arc::clone(&facts));
        Ok(facts)
    }

    /// Parses `paths` on all cores; the first refusal in path order counts.
    pub fn parse_all(&self, paths: &[String]) -> Outcome<()> {
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let mut wanted: Vec<&Arc<SourceFile>> = paths
            .iter()
            .filter(|path| !self.parsed.borrow().contains_key(*path))
            .filter_map(|path| self.workspace.files.get(path))
            .collect();
        // The long files first, so that no core ends with the longest one.
        wanted.sort_by_key(|file| std::cmp::Reverse(file.text.len()));
        let next = std::sync::atomic::AtomicUsize::new(0);
        let wanted = &wanted;
        let reader = Reader {
            workspace: self.workspace,
            interest: &self.interest,
        };
        let reader = &reader;
        let next = &next;
        let results: Vec<(String, Outcome<FileFacts>)> = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..threads)
                .map(|_| {
                    std::thread::Builder::new()
                        .stack_size(PARSER_STACK)
                        .spawn_scoped(scope, move || {
                            let mut done = Vec::new();
                            loop {
                                let at = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                                let Some(file) = wanted.get(at) else { break };
                                done.push((file.path.clone(), reader.read(file)));
                            }
                            done
                        })
                })
                .collect();
            workers
                .into_iter()
                .flatten()
                .filter_map(|worker| worker.join().ok())
                .flatten()
                .collect()
        });
        let mut results = results;
        results.sort_by(|a, b| a.0.cmp(&b.0));
        for (path, facts) in results {
            self.parsed.borrow_mut().insert(path, Arc::new(facts?));
        }
        Ok(())
    }

    fn read(&self, file: &Arc<SourceFile>) -> Outcome<FileFacts> {
        Reader {
            workspace: self.workspace,
            interest: &self.interest,
        }
        .read(file)
    }

    /// Paths of the files whose text holds `needle`, in order.
    #[must_use]
    pub fn containing(&self, needle: &str) -> Vec<String> {
        let finder = memmem::Finder::new(needle.as_bytes());
        self.workspace
            .files
            .values()
            .filter(|file| finder.find(file.text.as_bytes()).is_some())
            .map(|file| file.path.clone())
            .collect()
    }

    /// The files of `member` whose text holds `needle`.
    #[must_use]
    pub fn containing_in(&self, member: &Member, needle: &str) -> Vec<String> {
        self.containing(needle)
            .into_iter()
            .filter(|path| {
                self.workspace
                    .member_of(path)
                    .is_some_and(|owner| owner.name == member.name)
            })
            .collect()
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
                    member.dependencies.iter().any(|dependency| {
                        dependency
                            .rename
                            .as_deref()
                            .unwrap_or(&dependency.package)
                            .replace('-', "_")
                            == head
                    })
                })
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
        let defines = |facts: &FileFacts| {
            facts.structs.iter().any(|s| s.name == name)
                || facts.enums.iter().any(|e| e.name == name)
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

/// What parsing a file needs of the index; threads share it.
struct Reader<'a> {
    workspace: &'a Workspace,
    interest: &'a Interest,
}

impl Reader<'_> {
    /// The facts of a file; everything in it is for tests where the file itself is.
    fn read(&self, file: &Arc<SourceFile>) -> Outcome<FileFacts> {
        let mut facts = read(file, self.interest)?;
        if is_for_tests(self.workspace, &file.path) {
            facts.functions.iter_mut().for_each(|f| f.is_test = true);
            facts.impls.iter_mut().for_each(|i| i.is_test = true);
            facts.matches.iter_mut().for_each(|m| m.is_test = true);
        }
        Ok(facts)
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

/// Stack of a thread that parses: syn descends once for each level of nesting.
pub(crate) const PARSER_STACK: usize = 64 << 20;
