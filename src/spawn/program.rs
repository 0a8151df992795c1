//! The workspace's functions and types by name, and what a name means where it is written.
//!
//! Nothing is parsed before somebody asks for it: one pass over the texts says which file
//! declares a name.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use memchr::memmem;

use crate::index::{FileFacts, FnCode, FnFact, Index, StructFact, on_all_cores};
use crate::note::Outcome;
use crate::workspace::SourceFile;

/// Names that a file declares, by the keyword before them.
const KEYWORDS: [&str; 6] = ["fn ", "struct ", "enum ", "static ", "trait ", "type "];

/// What the analysis knows of the workspace.
pub struct Program<'i, 'w> {
    /// The files.
    pub index: &'i Index<'w>,
    /// Files by keyword and name.
    declared: [HashMap<String, Vec<String>>; KEYWORDS.len()],
    /// What is known of each member's files, by path.
    places: HashMap<String, FilePlace>,
    code: Mutex<Codes>,
    methods: Mutex<Methods>,
}

/// Where a file belongs.
struct FilePlace {
    /// Its crate, as it is written in paths.
    krate: String,
    is_for_tests: OnceLock<bool>,
}

/// The methods of a type, by its name, theirs and the number of their arguments.
type Methods = HashMap<(Option<String>, String, usize), Vec<FnRef>>;

/// The code of functions, by file and index.
type Codes = HashMap<(String, usize), Option<Arc<FnCode>>>;

/// A function of the workspace.
#[derive(Clone)]
pub struct FnRef {
    /// Its file.
    pub facts: Arc<FileFacts>,
    /// Its index in the file's functions.
    pub at: usize,
}

impl FnRef {
    /// What is known of it.
    #[must_use]
    pub fn fact(&self) -> &FnFact {
        &self.facts.functions[self.at]
    }

    /// The type whose `impl` it stands in, without generic arguments.
    #[must_use]
    pub fn self_type(&self) -> Option<&str> {
        let of = self.fact().in_impl?;
        Some(super::types::head(&self.facts.impls[of].self_type))
    }

    /// What tells it from other functions, in an order that does not depend on anything else.
    #[must_use]
    pub fn key(&self) -> (String, usize) {
        (self.facts.file.path.clone(), self.at)
    }
}

impl<'i, 'w> Program<'i, 'w> {
    /// Looks through the workspace's texts once.
    #[must_use]
    pub fn new(index: &'i Index<'w>) -> Self {
        let files = index.workspace.files.values();
        let files = files.filter(|file| index.workspace.member_of(&file.path).is_some());
        let found: BTreeMap<String, [Vec<String>; KEYWORDS.len()]> =
            on_all_cores(files.collect(), &|file| {
                KEYWORDS.map(|keyword| declared(&file.text, keyword))
            });
        let mut declared: [HashMap<String, Vec<String>>; KEYWORDS.len()] = Default::default();
        for (path, names) in found {
            for (names, into) in names.into_iter().zip(&mut declared) {
                for name in names {
                    let paths = into.entry(name).or_default();
                    if paths.last() != Some(&path) {
                        paths.push(path.clone());
                    }
                }
            }
        }
        let mut places = HashMap::new();
        for path in index.workspace.files.keys() {
            if let Some(member) = index.workspace.member_of(path) {
                let place = FilePlace {
                    krate: member.crate_name(),
                    is_for_tests: OnceLock::new(),
                };
                places.insert(path.clone(), place);
            }
        }
        Self {
            index,
            declared,
            places,
            code: Mutex::default(),
            methods: Mutex::default(),
        }
    }

    fn files(&self, keyword: usize, name: &str) -> &[String] {
        self.declared[keyword]
            .get(name)
            .map_or(&[], |paths| paths.as_slice())
    }

    /// The file at `path`, and those that declare functions which it calls and which may spawn what
    /// they are given; what those call in turn included.
    pub fn near(&self, path: &str) -> Outcome<BTreeSet<String>> {
        let files = &self.index.workspace.files;
        let text = files.get(path).map_or("", |file| file.text.as_str());
        let mut found = BTreeSet::from([path.to_owned()]);
        let mut calls: BTreeSet<String> = called_in(text).map(str::to_owned).collect();
        while !calls.is_empty() {
            let mut next = BTreeSet::new();
            for name in &calls {
                for path in self.files(0, name) {
                    let may = files
                        .get(path)
                        .is_some_and(|file| gives_work(&file.text, name));
                    if !may || !found.insert(path.clone()) {
                        continue;
                    }
                    let facts = self.index.facts(path)?;
                    for function in &facts.functions {
                        let text = facts.text(&function.range);
                        let signature = text.split('{').next().unwrap_or(text);
                        if takes_work(signature) {
                            next.extend(called_in(text).map(str::to_owned));
                        }
                    }
                }
            }
            calls = next;
        }
        Ok(found)
    }

    /// Whether a function called `name` is declared anywhere.
    #[must_use]
    pub fn declares(&self, name: &str) -> bool {
        !self.files(0, name).is_empty()
    }

    /// Every function called `name` outside tests in the files that `may` says so of, in the order
    /// of the files. Of the others nothing is parsed.
    fn functions(&self, name: &str, may: &dyn Fn(&SourceFile) -> bool) -> Outcome<Vec<FnRef>> {
        let mut found = Vec::new();
        for path in self.files(0, name) {
            let file = self.index.workspace.files.get(path);
            if !file.is_some_and(|file| may(file)) {
                continue;
            }
            let facts = self.index.facts(path)?;
            for (at, function) in facts.functions.iter().enumerate() {
                if function.name == name && !function.is_test {
                    found.push(FnRef {
                        facts: Arc::clone(&facts),
                        at,
                    });
                }
            }
        }
        Ok(found)
    }

    /// The code of a function, read once; `None` for one without a body.
    #[must_use]
    pub fn code(&self, function: &FnRef) -> Option<Arc<FnCode>> {
        let key = function.key();
        if let Some(code) = self.lock().get(&key) {
            return code.clone();
        }
        let code = function.facts.code(function.fact()).map(Arc::new);
        self.lock().entry(key).or_insert(code).clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Codes> {
        self.code.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The crate that a file belongs to, as it is written in paths.
    fn crate_of(&self, path: &str) -> Option<&str> {
        self.places.get(path).map(|place| place.krate.as_str())
    }

    /// Whether a file belongs to a member, and not to its tests.
    #[must_use]
    pub fn is_real(&self, path: &str) -> bool {
        self.places.get(path).is_some_and(|place| {
            !*place
                .is_for_tests
                .get_or_init(|| self.index.is_for_tests(path))
        })
    }

    /// Files outside tests that may name `function`, in order: of one that is not public those of
    /// its own crate.
    #[must_use]
    pub fn may_name(&self, function: &FnRef) -> Vec<String> {
        let name = &function.fact().name;
        let member = self.index.workspace.member_of(&function.facts.file.path);
        let mut paths = match member.filter(|_| !function.fact().is_pub) {
            Some(member) => self.index.containing_in(member, name),
            None => self.index.containing(name),
        };
        paths.retain(|path| self.is_real(path));
        paths
    }

    /// The absolute path that `path` stands for in a function of the file.
    ///
    /// Imports inside of the function, `uses`, are seen before those of the file.
    #[must_use]
    pub fn absolute(&self, facts: &FileFacts, uses: &[(String, String)], path: &str) -> String {
        if let Some(path) = path.strip_prefix("::") {
            return path.to_owned();
        }
        let (head, tail) = path
            .split_once("::")
            .map_or((path, None), |(head, tail)| (head, Some(tail)));
        let local = uses.iter().find(|(of, name)| name == head && of != head);
        let written = match (local, tail) {
            (Some((of, _)), Some(tail)) => format!("{of}::{tail}"),
            (Some((of, _)), None) => of.clone(),
            (None, _) => path.to_owned(),
        };
        let resolved = self.index.resolve(facts, &written);
        resolved.unwrap_or_else(|| self.without_library(facts, &written))
    }

    /// What [`Index::resolve`] would say for a file of a package without a library.
    fn without_library(&self, facts: &FileFacts, path: &str) -> String {
        let own = self.crate_of(&facts.file.path).unwrap_or_default();
        let (head, tail) = path
            .split_once("::")
            .map_or((path, None), |(head, tail)| (head, Some(tail)));
        let import = facts.uses.iter().find(|u| u.name == head && u.path != head);
        let path = match (import, tail) {
            (Some(import), Some(tail)) => format!("{}::{tail}", import.path),
            (Some(import), None) => import.path.clone(),
            (None, _) => path.to_owned(),
        };
        for prefix in ["crate::", "self::", "super::"] {
            if let Some(rest) = path.strip_prefix(prefix) {
                return format!("{own}::{rest}");
            }
        }
        path
    }

    /// The functions that a call of `path` reaches: one, or none where that is not sure.
    pub fn called(
        &self,
        from: &FnRef,
        uses: &[(String, String)],
        path: &str,
    ) -> Outcome<Option<FnRef>> {
        let own_type = from.self_type().unwrap_or("Self").to_owned();
        let written = match path.strip_prefix("Self::") {
            Some(rest) => format!("{own_type}::{rest}"),
            None => path.to_owned(),
        };
        let absolute = self.absolute(&from.facts, uses, &written);
        // What is imported under another name has its own.
        let name = absolute.rsplit("::").next().unwrap_or(&absolute);
        if self.files(0, name).is_empty() {
            return Ok(None);
        }
        let own = self
            .crate_of(&from.facts.file.path)
            .unwrap_or_default()
            .to_owned();
        let krate = absolute.split("::").next().unwrap_or_default();
        // A name alone that nothing imports, or a child module, belongs to the own crate.
        let is_member = |krate: &str| {
            let mut members = self.index.workspace.members.iter();
            members.any(|member| member.crate_name() == krate)
        };
        let krate = if is_member(krate) {
            krate.to_owned()
        } else if self.is_own(&from.facts, uses, &written) {
            own
        } else {
            return Ok(None);
        };
        let owner = absolute.rsplit("::").nth(1).unwrap_or_default();
        let is_type = owner.starts_with(char::is_uppercase);
        let mut candidates = self.functions(name, &|file| {
            // The block that a type's function stands in names the type.
            self.crate_of(&file.path) == Some(krate.as_str()) && (!is_type || holds(file, owner))
        })?;
        candidates.retain(|candidate| {
            if is_type {
                candidate.self_type() == Some(owner)
            } else {
                candidate.self_type().is_none() && !candidate.fact().has_self
            }
        });
        if candidates.len() > 1 {
            let exact = candidates.iter().position(|candidate| {
                self.module_path(candidate).is_some_and(|module| {
                    let of = if is_type {
                        format!("{module}::{owner}")
                    } else {
                        module
                    };
                    absolute == format!("{of}::{name}")
                })
            });
            let beside = || {
                candidates.iter().position(|candidate| {
                    candidate.facts.file.path == from.facts.file.path && !written.contains("::")
                })
            };
            return Ok(exact.or_else(beside).map(|at| candidates.swap_remove(at)));
        }
        Ok(candidates.pop())
    }

    /// The same, and where the path leads to a re-export of a public module, what that names.
    pub fn called_through(
        &self,
        from: &FnRef,
        uses: &[(String, String)],
        path: &str,
    ) -> Outcome<Option<FnRef>> {
        if let Some(found) = self.called(from, uses, path)? {
            return Ok(Some(found));
        }
        let mut absolute = self.absolute(&from.facts, uses, path);
        for _ in 0..RE_EXPORTS {
            let Some((module, name)) = absolute.rsplit_once("::") else {
                return Ok(None);
            };
            let Some(file) = self.index.module_file(module) else {
                return Ok(None);
            };
            let facts = self.index.facts(&file)?;
            let declared = facts.functions.iter().position(|of| {
                of.name == name && of.in_impl.is_none() && of.module.is_empty() && !of.is_test
            });
            if let Some(at) = declared {
                return Ok(Some(FnRef { facts, at }));
            }
            let Some(import) = facts.uses.iter().find(|of| of.is_pub && of.name == name) else {
                return Ok(None);
            };
            let next = self.absolute(&facts, &[], &import.path);
            // A path that starts at a module beside it.
            let head = import.path.split("::").next().unwrap_or_default();
            let is_child = facts.modules.iter().any(|of| of.name == head);
            absolute = if is_child && next == import.path {
                format!("{module}::{next}")
            } else {
                next
            };
        }
        Ok(None)
    }

    /// Whether a path starts at a name of the file's own crate.
    fn is_own(&self, facts: &FileFacts, uses: &[(String, String)], path: &str) -> bool {
        let head = path.split("::").next().unwrap_or(path);
        if matches!(head, "crate" | "self" | "super") {
            return true;
        }
        let imports = facts.uses.iter().map(|u| (&u.path, &u.name));
        let import = uses.iter().map(|(p, n)| (p, n)).chain(imports);
        let mut import = import.filter(|(_, name)| *name == head);
        match import.next() {
            Some((path, _)) => matches!(path.split("::").next(), Some("crate" | "self" | "super")),
            None => true,
        }
    }

    fn module_path(&self, function: &FnRef) -> Option<String> {
        let file = self.index.module_of(&function.facts.file.path)?;
        let parts = std::iter::once(&file).chain(&function.fact().module);
        Some(parts.map(String::as_str).collect::<Vec<_>>().join("::"))
    }

    /// The methods called `name` that a value of the type `ty` has: one, or those of every
    /// implementation where the type is a trait's object.
    ///
    /// Where the type is not known (`None`), those of a name that only one type or trait has.
    pub fn methods(&self, ty: Option<&str>, name: &str, arguments: usize) -> Outcome<Vec<FnRef>> {
        if !self.declares(name) {
            return Ok(Vec::new());
        }
        let head = ty.map(|ty| super::types::head(ty).to_owned());
        let key = (head, name.to_owned(), arguments);
        let known = self.methods.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = known.get(&key) {
            return Ok(found.clone());
        }
        drop(known);
        let found = self.find_methods(ty, name, arguments)?;
        let mut known = self.methods.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(known.entry(key).or_insert(found).clone())
    }

    fn find_methods(&self, ty: Option<&str>, name: &str, arguments: usize) -> Outcome<Vec<FnRef>> {
        let fits = |f: &FnRef| f.fact().has_self && f.fact().params.len() == arguments;
        let Some(ty) = ty else {
            if COMMON.contains(&name) || self.files(0, name).len() > MANY {
                return Ok(Vec::new());
            }
            let mut found = self.functions(name, &|_| true)?;
            found.retain(fits);
            let mut owners: Vec<String> = found.iter().map(Self::owner).collect();
            owners.sort();
            owners.dedup();
            return Ok(if owners.len() == 1 { found } else { Vec::new() });
        };
        let named = super::types::head(ty);
        let mut found = self.functions(name, &|file| holds(file, named))?;
        found.retain(fits);
        let head = super::types::head(ty);
        let own: Vec<FnRef> = found
            .iter()
            .filter(|f| f.self_type() == Some(head))
            .cloned()
            .collect();
        if !own.is_empty() {
            return Ok(own);
        }
        // A trait's object, a parameter bound by a trait: whatever implements it.
        found.retain(|f| match f.fact().in_impl {
            Some(of) => f.facts.impls[of]
                .trait_path
                .as_deref()
                .is_some_and(|path| super::types::head(path) == head),
            None => false,
        });
        Ok(found)
    }

    /// The trait that a method implements, else its type.
    fn owner(function: &FnRef) -> String {
        match function.fact().in_impl {
            Some(of) => {
                let of = &function.facts.impls[of];
                let owner = of.trait_path.as_deref().unwrap_or(&of.self_type);
                super::types::head(owner).to_owned()
            }
            // A trait's own declaration counts with its implementations.
            None => String::new(),
        }
    }

    /// The struct that the path of a type means in the file, where that is sure.
    pub fn struct_named(
        &self,
        facts: &FileFacts,
        path: &str,
    ) -> Outcome<Option<(Arc<FileFacts>, StructFact)>> {
        let Some(file) = self.type_file(facts, path, 1)? else {
            return Ok(None);
        };
        let name = super::types::head(path);
        let found = file.structs.iter().find(|s| s.name == name).cloned();
        Ok(found.map(|fact| (file, fact)))
    }

    /// The file that declares the struct (keyword 1) or enum (keyword 2) that `path` means in a file.
    pub fn type_file(
        &self,
        facts: &FileFacts,
        path: &str,
        keyword: usize,
    ) -> Outcome<Option<Arc<FileFacts>>> {
        let name = path.rsplit("::").next().unwrap_or(path);
        let paths = self.files(keyword, name);
        let is_alone = !path.contains("::");
        if is_alone && paths.iter().any(|path| *path == facts.file.path) {
            return self.index.facts(&facts.file.path).map(Some);
        }
        match paths {
            [] => Ok(None),
            [one] => {
                // What is imported from a crate outside the workspace only has the same name.
                let absolute = self.absolute(facts, &[], path);
                let krate = absolute.split("::").next().unwrap_or_default();
                let mut members = self.index.workspace.members.iter();
                let is_ours = members.any(|member| member.crate_name() == krate);
                if is_ours || !absolute.contains("::") {
                    self.index.facts(one).map(Some)
                } else {
                    Ok(None)
                }
            }
            several => {
                let absolute = self.absolute(facts, &[], path);
                let Some((module, _)) = absolute.rsplit_once("::") else {
                    return Ok(None);
                };
                let exact = self.index.module_file(module);
                let exact = exact.filter(|path| several.contains(path));
                let krate = absolute.split("::").next().unwrap_or_default();
                let mut inside = several
                    .iter()
                    .filter(|path| self.crate_of(path) == Some(krate));
                let only = match (inside.next(), inside.next()) {
                    (Some(one), None) => Some(one.clone()),
                    _ => None,
                };
                let path = exact.or(only);
                path.map(|path| self.index.facts(&path)).transpose()
            }
        }
    }

    /// The type of the static called `name`, as it is written.
    #[must_use]
    pub fn static_type(&self, name: &str) -> Option<(String, String)> {
        let [path] = self.files(3, name) else {
            return None;
        };
        let text = &self.index.workspace.files.get(path)?.text;
        let needle = format!("static {name}:");
        let at = text.find(&needle)? + needle.len();
        let end = text[at..].find('=')? + at;
        let ty = text[at..end]
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        Some((path.clone(), ty))
    }
}

/// How many re-exports are followed, one behind the other.
const RE_EXPORTS: usize = 4;

/// Of a name that more files declare nobody can say whose it is: none of them is parsed for it.
const MANY: usize = 12;

/// Whether a text speaks of a parameter that is work: a future, or what can be called.
fn takes_work(text: &str) -> bool {
    ["Future", "FnOnce", "Fn(", "FnMut"]
        .iter()
        .any(|word| text.contains(word))
}

/// Whether a text declares a function called `name` that takes work.
fn gives_work(text: &str, name: &str) -> bool {
    let declaration = format!("fn {name}");
    let mut declarations = text.match_indices(&declaration);
    declarations.any(|(at, _)| {
        let rest = &text[at..];
        takes_work(rest.split(['{', ';']).next().unwrap_or(rest))
    })
}

/// Names that stand before an opening parenthesis in a text.
fn called_in(text: &str) -> impl Iterator<Item = &str> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices('(').filter_map(move |(at, _)| {
        let before = text[..at].trim_end_matches(|c: char| c == '!' || c.is_whitespace());
        // Generic arguments may stand between the name and its parenthesis.
        let before = match before.strip_suffix('>') {
            Some(inner) => inner.rsplit_once("::<").map_or(before, |(name, _)| name),
            None => before,
        };
        let start = before.trim_end_matches(is_part).len();
        Some(&before[start..]).filter(|name| !name.is_empty())
    })
}

fn holds(file: &SourceFile, name: &str) -> bool {
    memmem::find(file.text.as_bytes(), name.as_bytes()).is_some()
}

/// Methods of std and of common crates: a workspace's own of that name says nothing about a value
/// whose type is not known.
pub const COMMON: [&str; 40] = [
    "new", "clone", "get", "set", "insert", "remove", "push", "pop", "send", "recv", "run", "next",
    "len", "is_empty", "iter", "map", "into", "from", "write", "read", "flush", "close", "lock",
    "update", "delete", "save", "execute", "query", "all", "one", "start", "stop", "build", "call",
    "join", "spawn", "handle", "load", "open", "find",
];

/// The names that stand behind `keyword` in a text.
fn declared(text: &str, keyword: &str) -> Vec<String> {
    let bytes = text.as_bytes();
    let is_word = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b >= 0x80;
    let mut names = Vec::new();
    for at in memmem::find_iter(bytes, keyword) {
        if at > 0 && is_word(bytes[at - 1]) {
            continue;
        }
        let start = at + keyword.len();
        let len = bytes[start..].iter().take_while(|b| is_word(**b)).count();
        if len > 0 {
            names.push(text[start..start + len].to_owned());
        }
    }
    names.sort();
    names.dedup();
    names
}
