//! What a path means where it is written: by the blocks and modules around it, inside one file.

use std::collections::BTreeMap;

use super::pattern::unraw;
use super::read::{leaves, path_text};

/// What is known of a path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Meaning {
    /// Absolute paths that it may stand for: one where it is declared or imported by its name, one
    /// for each `use a::*` in scope where it is not.
    pub paths: Vec<String>,
    /// Whether it is declared or imported by its name.
    pub is_sure: bool,
    /// Whether it is of a type that this very file declares.
    pub is_own: bool,
}

/// The names that a file gives, seen from inside outwards.
pub(super) struct Scopes<'f> {
    /// The absolute path of the file's module.
    here: String,
    /// Whether the name is that of a crate.
    is_crate: &'f dyn Fn(&str) -> bool,
    stack: Vec<Scope>,
}

struct Scope {
    is_block: bool,
    /// Inline modules of the file down to this one.
    module: Vec<String>,
    /// Types and modules, and whether it is a type.
    declared: BTreeMap<String, bool>,
    /// Type aliases and imports by name; a glob is `*`.
    uses: Vec<(String, String)>,
}

impl<'f> Scopes<'f> {
    /// The scopes of a file whose module is `here`.
    pub(super) fn new(here: String, is_crate: &'f dyn Fn(&str) -> bool) -> Self {
        Self {
            here,
            is_crate,
            stack: Vec::new(),
        }
    }

    /// Goes into a module; the file itself has no name.
    pub(super) fn enter_module(&mut self, name: Option<String>, items: &[syn::Item]) {
        let mut module = self.module().to_vec();
        module.extend(name);
        self.enter(false, module, items.iter());
    }

    /// Goes into a block.
    pub(super) fn enter_block(&mut self, block: &syn::Block) {
        let items = block.stmts.iter().filter_map(|statement| match statement {
            syn::Stmt::Item(item) => Some(item),
            _ => None,
        });
        self.enter(true, self.module().to_vec(), items);
    }

    fn enter<'i>(
        &mut self,
        is_block: bool,
        module: Vec<String>,
        items: impl Iterator<Item = &'i syn::Item>,
    ) {
        let mut scope = Scope {
            is_block,
            module,
            declared: BTreeMap::new(),
            uses: Vec::new(),
        };
        for item in items {
            let name = match item {
                syn::Item::Struct(item) => &item.ident,
                syn::Item::Enum(item) => &item.ident,
                syn::Item::Union(item) => &item.ident,
                syn::Item::Mod(item) => &item.ident,
                syn::Item::Trait(item) => &item.ident,
                syn::Item::Type(item) => {
                    if let syn::Type::Path(of) = &*item.ty {
                        let of = path_text(&of.path).replace("r#", "");
                        scope.uses.push((of, unraw(&item.ident)));
                    }
                    continue;
                }
                syn::Item::Use(item) => {
                    leaves(&item.tree, "", &mut scope.uses);
                    continue;
                }
                _ => continue,
            };
            let is_type = !matches!(item, syn::Item::Mod(_));
            scope.declared.insert(unraw(name), is_type);
        }
        self.stack.push(scope);
    }

    /// Goes out again.
    pub(super) fn leave(&mut self) {
        self.stack.pop();
    }

    /// Inline modules around what is read now, outermost first.
    pub(super) fn module(&self) -> &[String] {
        self.stack.last().map_or(&[], |scope| &scope.module)
    }

    /// Whether a block stands around what is read now.
    pub(super) fn in_block(&self) -> bool {
        self.stack.last().is_some_and(|scope| scope.is_block)
    }

    /// Whether the module around what is read now sees what the one above it has.
    pub(super) fn sees_parent(&self) -> bool {
        let module = self.stack.iter().rev().find(|scope| !scope.is_block);
        let is_parent = |(path, name): &(String, String)| path == "super" && name == "*";
        module.is_some_and(|scope| scope.uses.iter().any(is_parent))
    }

    /// What `path` means here; `self_type` is what `Self` stands for.
    pub(super) fn meaning(&self, path: &str, self_type: Option<&str>) -> Meaning {
        let path = path.replace("r#", "");
        let (head, rest) = path
            .split_once("::")
            .map_or((path.as_str(), None), |(head, rest)| (head, Some(rest)));
        let mut meaning = match (head, self_type) {
            ("Self", Some(of)) => self.meaning(of, None),
            ("Self", None) => Meaning::default(),
            _ => self.look_up(head, self.stack.len(), rest.is_some(), 0),
        };
        if let Some(rest) = rest {
            for path in &mut meaning.paths {
                *path = format!("{path}::{rest}");
            }
        }
        meaning
    }

    /// The first name of a path, from the scope below `depth` outwards.
    fn look_up(&self, name: &str, depth: usize, is_module: bool, hops: usize) -> Meaning {
        let sure = |path: String| Meaning {
            paths: vec![path],
            is_sure: true,
            is_own: false,
        };
        if hops > 8 {
            return Meaning::default();
        }
        if matches!(name, "crate" | "self" | "super") {
            let at = depth
                .checked_sub(1)
                .map_or(&[][..], |at| &self.stack[at].module);
            return sure(self.absolute(name, at));
        }
        let mut globs = Vec::new();
        for at in (0..depth).rev() {
            let scope = &self.stack[at];
            if let Some(is_type) = scope.declared.get(name) {
                let place = if scope.is_block { "{block}::" } else { "" };
                return Meaning {
                    is_own: *is_type,
                    ..sure(format!("{}::{place}{name}", self.path_of(&scope.module)))
                };
            }
            if let Some((path, _)) = scope.uses.iter().find(|(_, known)| known == name) {
                let (head, rest) = path
                    .split_once("::")
                    .map_or((path.as_str(), None), |(head, rest)| (head, Some(rest)));
                // `use fetch::Fetch as Fetch` does not name itself.
                let mut meaning = if head == name && rest.is_none() {
                    sure(self.absolute(path, &scope.module))
                } else {
                    self.look_up(head, at + 1, rest.is_some(), hops + 1)
                };
                for path in &mut meaning.paths {
                    if let Some(rest) = rest {
                        *path = format!("{path}::{rest}");
                    }
                }
                return meaning;
            }
            globs.extend(
                scope
                    .uses
                    .iter()
                    .filter(|(_, known)| known == "*")
                    .map(|(path, _)| (path, at)),
            );
            if !scope.is_block {
                break;
            }
        }
        if is_module && (self.is_crate)(name) {
            return sure(name.to_owned());
        }
        let mut paths = Vec::new();
        for (glob, at) in globs {
            for of in self.module_of_glob(glob, at, hops) {
                // `use super::*` of a module of this file.
                let is_it = |outer: &usize| {
                    let outer = &self.stack[*outer];
                    !outer.is_block && self.path_of(&outer.module) == of
                };
                if let Some(outer) = (0..at).rev().find(is_it) {
                    let found = self.look_up(name, outer + 1, is_module, hops + 1);
                    if found.is_sure {
                        return found;
                    }
                    paths.extend(found.paths);
                }
                paths.push(format!("{of}::{name}"));
            }
        }
        paths.dedup();
        Meaning {
            paths,
            ..Meaning::default()
        }
    }

    /// What a `use a::b::*` in the scope `at` takes everything of; `a` may be imported itself.
    fn module_of_glob(&self, glob: &str, at: usize, hops: usize) -> Vec<String> {
        let (head, rest) = glob
            .split_once("::")
            .map_or((glob, None), |(head, rest)| (head, Some(rest)));
        let scope = &self.stack[at];
        let is_named = scope.declared.contains_key(head)
            || scope
                .uses
                .iter()
                .any(|(of, name)| name == head && of != head);
        if !is_named {
            return vec![self.absolute(glob, &scope.module)];
        }
        let found = self.look_up(head, at + 1, true, hops + 1).paths.into_iter();
        found
            .map(|path| rest.map_or(path.clone(), |rest| format!("{path}::{rest}")))
            .collect()
    }

    fn path_of(&self, module: &[String]) -> String {
        let parts = std::iter::once(&self.here).chain(module);
        let parts: Vec<&str> = parts.map(String::as_str).collect();
        parts.join("::")
    }

    /// `path` as written in the inline module `module`, with `crate`, `self` and `super` resolved.
    fn absolute(&self, path: &str, module: &[String]) -> String {
        let mut base = self.path_of(module);
        let mut rest = path.trim_start_matches("::");
        let (head, tail) = rest.split_once("::").unwrap_or((rest, ""));
        match head {
            "crate" => {
                let root = self.here.split("::").next();
                root.unwrap_or_default().clone_into(&mut base);
                rest = tail;
            }
            "self" => rest = tail,
            "super" => {}
            _ if (self.is_crate)(head) => return rest.to_owned(),
            _ => {}
        }
        while rest == "super" || rest.starts_with("super::") {
            rest = rest["super".len()..].trim_start_matches("::");
            base = base
                .rsplit_once("::")
                .map_or(base.clone(), |(up, _)| up.to_owned());
        }
        if rest.is_empty() {
            base
        } else {
            format!("{base}::{rest}")
        }
    }
}
