//! Whether a list of fields belongs to a task: to its variant, or to the input of its module.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::SpecEnum;
use crate::index::{Braces, FieldList, FileFacts, Index, ListForm};
use crate::note::Outcome;

/// What a list of fields belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owner {
    /// The variant of the enum.
    Variant,
    /// The input of the task's module.
    Input,
    /// Something else, or a list that does not name every field.
    Other,
    /// What its name stands for cannot be told.
    Unclear,
}

/// A place that builds a variant of the enum.
pub struct Construction {
    /// The variant.
    pub variant: String,
    /// The file.
    pub path: String,
    /// The package that the file belongs to.
    pub package: String,
    /// The value as written.
    pub range: Range<usize>,
    /// Whether it is compiled for tests, examples or benches only.
    pub is_test: bool,
}

/// Every place that builds a variant of the enum, in the order of the files; refuses a file that
/// does not parse.
///
/// What stands in the tokens of a macro that do not parse is left out.
pub fn constructions(index: &Index<'_>, spec: &SpecEnum) -> Outcome<Vec<Construction>> {
    let names = TaskNames::new(index, spec, "", "", "")?;
    let of_enum = format!("{}::", spec.path);
    let words = index.interest().names.iter();
    let files: BTreeSet<String> = words.flat_map(|name| index.containing(name)).collect();
    let mut found = Vec::new();
    for path in files {
        let Some(member) = index.workspace.member_of(&path) else {
            continue;
        };
        let is_test = index.is_for_tests(&path);
        let facts = index.facts(&path)?;
        let lists = index.field_lists(&facts)?;
        for list in lists.iter().filter(|list| list.form == ListForm::Value) {
            for meaning in &list.meaning.paths {
                let declared = names.stands_for(meaning, 0)?;
                let variant = declared.as_deref().and_then(|p| p.strip_prefix(&of_enum));
                if let Some(variant) = variant.and_then(|name| spec.variant(name)) {
                    found.push(Construction {
                        variant: variant.name.clone(),
                        path: path.clone(),
                        package: member.name.clone(),
                        range: list.range.clone(),
                        is_test: is_test || list.is_test,
                    });
                    break;
                }
            }
        }
    }
    Ok(found)
}

/// How a task's variant and input are called in a workspace.
pub struct TaskNames<'a> {
    index: &'a Index<'a>,
    spec: &'a SpecEnum,
    variant: &'a str,
    input: &'a str,
    /// The file of the task's module.
    module: &'a str,
    /// The input's absolute path.
    input_path: String,
    /// Fields that the input has.
    input_fields: BTreeSet<String>,
    /// What absolute paths stand for, as far as it was looked up.
    known: RefCell<BTreeMap<String, Option<String>>>,
}

impl<'a> TaskNames<'a> {
    /// The names of `variant`, whose input is called `input` in the file `module`.
    pub fn new(
        index: &'a Index<'a>,
        spec: &'a SpecEnum,
        variant: &'a str,
        input: &'a str,
        module: &'a str,
    ) -> Outcome<Self> {
        let stands = index.workspace.files.contains_key(module);
        let facts = stands.then(|| index.facts(module)).transpose()?;
        let structs = facts.iter().flat_map(|facts| &facts.structs);
        let own = structs.filter(|s| s.name == input).flat_map(|s| &s.fields);
        let input_fields = own.map(|field| field.name.clone()).collect();
        let parent = index.module_of(module).unwrap_or_default();
        Ok(Self {
            index,
            spec,
            variant,
            input,
            module,
            input_path: format!("{parent}::{input}"),
            input_fields,
            known: RefCell::default(),
        })
    }

    /// The files that may name either, in order: those that hold a name that another file gives
    /// them too.
    pub fn files(&self) -> Outcome<BTreeSet<String>> {
        let mut names = BTreeSet::from([self.variant.to_owned(), self.input.to_owned()]);
        let mut files = BTreeSet::new();
        let mut open: Vec<String> = names.iter().cloned().collect();
        while let Some(name) = open.pop() {
            for path in self.index.containing(&name) {
                if !files.insert(path.clone()) {
                    continue;
                }
                let facts = self.index.facts(&path)?;
                let uses = facts.uses.iter().map(|import| (&import.path, &import.name));
                let aliases = facts.aliases.iter().map(|(alias, of)| (of, alias));
                for (of, alias) in uses.chain(aliases) {
                    let is_ours = names.contains(last(of)) && alias != "*";
                    if is_ours && names.insert(alias.clone()) {
                        open.push(alias.clone());
                    }
                }
            }
        }
        Ok(files)
    }

    /// What `list` of the file of `facts` belongs to.
    pub fn owner(&self, facts: &FileFacts, list: &FieldList) -> Outcome<Owner> {
        if list.form == ListForm::Declaration {
            return Ok(self.declared(facts, list));
        }
        let mut found = BTreeSet::new();
        let mut is_open = list.meaning.paths.is_empty();
        for path in &list.meaning.paths {
            let declared = if list.meaning.is_own {
                Some(path.clone())
            } else {
                self.stands_for(path, 0)?
            };
            match declared {
                Some(path) => found.extend(self.owner_of(&path)),
                None => is_open = true,
            }
        }
        let name = last(&list.path);
        // Among tokens a name that nothing in scope gives is a word.
        let is_word = list.form == ListForm::Tokens
            && list.braces != Braces::Present
            && list.meaning.paths.is_empty();
        let is_ours = (name == self.variant || name == self.input) && !is_word;
        let owner = match (found.pop_first(), found.is_empty()) {
            (Some(owner), true) => owner,
            (Some(_), false) => Owner::Unclear,
            (None, _) if is_open && is_ours && !list.path.starts_with("Self") => Owner::Unclear,
            (None, _) => Owner::Other,
        };
        let is_partial = match (owner, list.form) {
            (_, ListForm::Tokens) if list.braces == Braces::Present => false,
            (Owner::Unclear, _) => {
                !self.is_whole(list, Owner::Input) && !self.is_whole(list, Owner::Variant)
            }
            _ => !self.is_whole(list, owner),
        };
        Ok(if list.has_rest || is_partial {
            Owner::Other
        } else {
            owner
        })
    }

    fn declared(&self, facts: &FileFacts, list: &FieldList) -> Owner {
        let spec = self.spec;
        let is_variant = facts.file.path == spec.facts.file.path
            && list.path == format!("{}::{}", spec.fact.name, self.variant)
            && spec.fact.open < list.open
            && list.open < spec.fact.close;
        if is_variant {
            Owner::Variant
        } else if facts.file.path == self.module && list.path == self.input && list.is_top {
            Owner::Input
        } else {
            Owner::Other
        }
    }

    fn owner_of(&self, path: &str) -> Option<Owner> {
        if path == self.input_path {
            return Some(Owner::Input);
        }
        let of_enum = path.strip_prefix(&self.spec.path)?;
        (of_enum.strip_prefix("::") == Some(self.variant)).then_some(Owner::Variant)
    }

    /// The path under which an item is declared, of one under which it may be re-exported; `None`
    /// where that is not found.
    fn stands_for(&self, path: &str, hops: usize) -> Outcome<Option<String>> {
        if let Some(known) = self.known.borrow().get(path) {
            return Ok(known.clone());
        }
        let found = self.look_up(path, hops)?;
        let mut known = self.known.borrow_mut();
        known.insert(path.to_owned(), found.clone());
        Ok(found)
    }

    fn look_up(&self, path: &str, hops: usize) -> Outcome<Option<String>> {
        // What stands in a block, or in a test's own crate, is none of ours.
        if path == self.input_path || path == self.spec.path || path.contains('{') {
            return Ok(Some(path.to_owned()));
        }
        let Some((parent, name)) = path.rsplit_once("::").filter(|_| hops < 8) else {
            return Ok(None);
        };
        // A crate of others has none of ours.
        let krate = path.split("::").next().unwrap_or_default();
        let members = &self.index.workspace.members;
        if members.iter().all(|member| member.crate_name() != krate) {
            return Ok(Some(path.to_owned()));
        }
        let Some(file) = self.index.module_file(parent) else {
            // A variant of an enum, or what an inline module holds.
            return Ok(match self.stands_for(parent, hops + 1)? {
                Some(of) if of != parent => self.stands_for(&format!("{of}::{name}"), hops + 1)?,
                Some(of) if of == self.spec.path => Some(format!("{of}::{name}")),
                Some(_) => Some(path.to_owned()),
                None => None,
            });
        };
        let facts = self.index.facts(&file)?;
        let is_declared = facts.items.iter().any(|item| {
            let (what, of) = item.key.split_once(' ').unwrap_or_default();
            of.trim_start_matches("r#") == name && DECLARES.contains(&what)
        });
        let uses = facts.uses.iter().filter(|import| import.is_top);
        let named = uses.clone().find(|import| import.name == name);
        let named = named.map(|import| &import.path);
        let alias = facts.aliases.iter().find(|(alias, _)| alias == name);
        if let Some(of) = named.or(alias.map(|(_, of)| of)) {
            return match self.index.resolve(&facts, of).filter(|of| of != path) {
                Some(of) => self.stands_for(&of, hops + 1),
                None => Ok(None),
            };
        }
        if is_declared || self.index.module_file(path).is_some() {
            return Ok(Some(path.to_owned()));
        }
        for glob in uses.filter(|import| import.name == "*") {
            let Some(of) = self.index.resolve(&facts, &glob.path) else {
                continue;
            };
            let found = self.stands_for(&format!("{of}::{name}"), hops + 1)?;
            if let Some(found) = found.filter(|_| of != parent) {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// Whether the list names all fields that its owner has.
    fn is_whole(&self, list: &FieldList, owner: Owner) -> bool {
        let variant = self.spec.variant(self.variant);
        let fields = variant.and_then(|variant| variant.fields.as_deref());
        let of_variant = fields.unwrap_or_default().iter().map(|f| f.name.as_str());
        let of_input = self.input_fields.iter().map(String::as_str);
        let wanted: BTreeSet<&str> = match owner {
            Owner::Input => of_input.collect(),
            _ => of_variant.collect(),
        };
        let listed: BTreeSet<&str> = list.fields.iter().map(|f| f.name.as_str()).collect();
        listed == wanted
    }
}

/// Items that a path may end in.
const DECLARES: [&str; 7] = ["struct", "enum", "trait", "type", "const", "static", "fn"];

fn last(path: &str) -> &str {
    path.rsplit("::").next().unwrap_or(path)
}
