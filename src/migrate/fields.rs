//! What becomes of each variable that the work takes with it: a field, a reference, a handle that
//! the registered work holds, or a refusal.

use std::collections::BTreeSet;

use super::{Left, SiteRequest, apart, of_workspace};
use crate::index::{SpawnFact, whole_words};
use crate::note::{Note, Outcome, Refusal};
use crate::request::{self, Field};
use crate::spawn::{Found, Role, Taken};
use crate::suggest;
use crate::types::is_copy;

/// A field of the task, and the variable of the work that has its value.
#[derive(Debug, Clone)]
pub struct Carried {
    /// The field.
    pub field: Field,
    /// The variable.
    pub variable: String,
    /// What has the value at the site: the variable, or the field of one.
    pub place: String,
    /// Whether it can be moved out of there.
    pub is_owned: bool,
    /// Whether the work changes the variable.
    pub is_mut: bool,
    /// Whether the work uses the variable.
    pub is_used: bool,
    /// The expression whose value refers to the secret.
    pub reference: Option<String>,
    /// Offset of the variable's first use in the work.
    pub at: usize,
    /// Its type as the site has it, every path absolute.
    pub ty: String,
    /// Whether its value is made anew at every call.
    pub is_fresh: bool,
}

/// What the registered work holds for the task's work.
#[derive(Debug, Clone)]
pub struct Handle {
    /// The variable.
    pub name: String,
    /// What has the value at the site: the variable, or the field of one.
    pub place: String,
    /// Its type, every path absolute.
    pub ty: String,
}

/// The type whose values every program has.
pub(super) const CONNECTION: &str = "sea_orm::DatabaseConnection";

/// What the task carries, and what its work holds.
pub(super) fn fields(
    found: &Found,
    fact: &SpawnFact,
    asked: &SiteRequest,
) -> Outcome<(Vec<Carried>, Vec<Handle>)> {
    check_names(found, asked)?;
    let variables = apart::variables(found, &fact.work.range);
    let variable = |place: &String| {
        let mut fields = variables.iter();
        let field = fields.find(|(of, _)| of == place);
        field.map_or_else(|| place.clone(), |(_, variable)| variable.clone())
    };
    let (mut carried, mut handles) = (Vec::new(), Vec::new());
    for taken in &found.taken {
        let given = asked.types.iter().find(|(name, _)| *name == taken.name);
        let ty = given.map(|(_, ty)| ty.clone()).or_else(|| taken.ty.clone());
        let role = match given {
            Some(_) if taken.role == Role::Unknown => Role::Data,
            _ => taken.role,
        };
        let is_connection = ty.as_deref() == Some(CONNECTION);
        match role {
            Role::Handle if is_connection => handles.push(Handle {
                name: variable(&taken.name),
                place: taken.name.clone(),
                ty: CONNECTION.to_owned(),
            }),
            Role::Data | Role::Secret => {
                carried.push(carry(
                    found,
                    fact,
                    asked,
                    taken,
                    variable(&taken.name),
                    ty,
                    role,
                )?);
            }
            _ => return Err(refuse(found, taken, ty.as_deref(), role)),
        }
    }
    // In the order in which the work sees them.
    let facts = &found.site.function.facts;
    let work = facts.text(&fact.work.range);
    let first_use = |of: &Carried| {
        // What a format string captures is known by the place of the string.
        let in_text = work.find(&format!("{{{}", of.variable));
        let in_text = in_text.map(|at| fact.work.range.start + at);
        (of.at, in_text.filter(|at| *at >= of.at))
    };
    carried.sort_by_key(first_use);
    let mut names = BTreeSet::new();
    let variables: Vec<String> = carried.iter().map(|of| of.variable.clone()).collect();
    for of in &mut carried {
        // A clone is called as itself where what it was made of travels too.
        if !of.field.is_secret && of.field.name != of.variable && variables.contains(&of.field.name)
        {
            of.field.name.clone_from(&of.variable);
        }
        // Two variables may lose the same ending.
        if !names.insert(of.field.name.clone()) && !of.field.is_secret {
            of.field.name.clone_from(&of.variable);
        }
    }
    Ok((carried, handles))
}

/// Refuses `--type` and `--arg` for what the work does not take.
fn check_names(found: &Found, asked: &SiteRequest) -> Outcome<()> {
    let known: Vec<&str> = found.taken.iter().map(|of| of.name.as_str()).collect();
    for (name, _) in &asked.types {
        if !known.contains(&name.as_str()) {
            let message = format!("--type names `{name}`, which the work does not take with it");
            return Err(Refusal::new("capture-name", message)
                .at(found.site.place.clone())
                .help(suggest::or_one_of(name, &known, "it takes")));
        }
    }
    Ok(())
}

fn carry(
    found: &Found,
    fact: &SpawnFact,
    asked: &SiteRequest,
    taken: &Taken,
    variable: String,
    ty: Option<String>,
    role: Role,
) -> Outcome<Carried> {
    let name = &taken.name;
    if name == "self" {
        return Err(refuse(found, taken, ty.as_deref(), role));
    }
    let is_mut = fact
        .bound
        .iter()
        .filter(|(bound, at)| bound == taken.root() && *at < fact.work.range.start)
        .max_by_key(|(_, at)| *at)
        .is_some_and(|bound| fact.mutable.contains(bound))
        && is_changed(found, fact, taken);
    if role == Role::Secret {
        return secret(found, asked, taken, variable, ty.as_deref(), is_mut);
    }
    let Some(ty) = ty else {
        return Err(refuse(found, taken, None, Role::Unknown));
    };
    if ty.contains('&') || ty.replace("'static", "").contains('\'') {
        return Err(refuse(found, taken, Some(&ty), role));
    }
    let stem = name.rsplit('.').next().unwrap_or(name);
    let stem = if stem == name {
        self::stem(fact, name)
    } else {
        stem
    };
    let field = request::field(&format!("{stem}:{ty}"))
        .map_err(|refusal| of_workspace(refusal).at(place(found, taken)))?;
    Ok(Carried {
        field,
        variable,
        place: name.clone(),
        is_owned: taken.is_owned,
        is_mut,
        is_used: true,
        reference: None,
        at: taken.at,
        ty,
        is_fresh: taken.is_fresh,
    })
}

/// Whether the work changes a variable that is declared with `mut`.
fn is_changed(found: &Found, fact: &SpawnFact, taken: &Taken) -> bool {
    let name = &taken.name;
    if name.contains('.') {
        let text = &found.site.function.facts.file.text;
        return taken.uses.iter().any(|range| {
            let before = text[..range.start].trim_end();
            before.ends_with("&mut") || changes(&text[range.end..])
        });
    }
    // The compiler warns of a `mut` that nothing needs: what nothing else uses is changed here.
    if !found.used.iter().any(|(used, _)| used == name) {
        return true;
    }
    let work = found.site.function.facts.text(&fact.work.range);
    whole_words(work, name).any(|at| {
        let before = work[..at].trim_end();
        if before.ends_with("&mut") {
            return true;
        }
        !before.ends_with('.') && changes(&work[at + name.len()..])
    })
}

/// Whether what follows a variable changes it: an assignment, or a method that may.
fn changes(after: &str) -> bool {
    let mut rest = after.trim_start();
    loop {
        if let Some(of) = rest.strip_prefix('.').filter(|of| !of.starts_with('.')) {
            let of = of.trim_start();
            let end = of.find(|c: char| !c.is_alphanumeric() && c != '_');
            let (name, behind) = of.split_at(end.unwrap_or(of.len()));
            rest = behind.trim_start();
            if rest.starts_with('(') || rest.starts_with("::<") {
                return !only_reads(name);
            }
        } else if rest.starts_with('[') {
            let Some(close) = rest.find(']') else {
                return true;
            };
            rest = rest[close + 1..].trim_start();
        } else {
            let of = rest.trim_start_matches(['+', '-', '*', '/', '%', '^', '|', '&', '<', '>']);
            let is_compared = rest.len() - of.len() == 1 && rest.starts_with(['<', '>']);
            return of.starts_with('=')
                && !of.starts_with("==")
                && !of.starts_with("=>")
                && !is_compared;
        }
    }
}

/// Whether a method of this name leaves what it is called on as it is, or takes it.
fn only_reads(method: &str) -> bool {
    const NAMES: [&str; 34] = [
        "and_then",
        "bytes",
        "chars",
        "clone",
        "cloned",
        "contains",
        "contains_key",
        "copied",
        "display",
        "ends_with",
        "exists",
        "expect",
        "first",
        "get",
        "into",
        "iter",
        "join",
        "keys",
        "last",
        "len",
        "lines",
        "map",
        "ok_or",
        "ok_or_else",
        "parent",
        "parse",
        "split",
        "starts_with",
        "trim",
        "unwrap",
        "unwrap_or",
        "unwrap_or_default",
        "unwrap_or_else",
        "values",
    ];
    let has = |head: &str| method.starts_with(head);
    NAMES.contains(&method)
        || ["is_", "to_", "into_", "with_"].into_iter().any(has)
        || (has("as_") && !method.contains("mut"))
}

/// What a field is called: a clone that was made for the work is called as what it was made of.
fn stem<'f>(fact: &'f SpawnFact, name: &'f str) -> &'f str {
    let is_clone = |of: &&crate::index::LetFact| of.name == name && of.is_clone;
    if fact.lets.iter().any(|of| is_clone(&of)) {
        for end in ["_clone", "_cloned", "_copy", "_owned"] {
            if let Some(stem) = name.strip_suffix(end).filter(|stem| !stem.is_empty()) {
                return stem;
            }
        }
    }
    name
}

fn secret(
    found: &Found,
    asked: &SiteRequest,
    taken: &Taken,
    variable: String,
    ty: Option<&str>,
    is_mut: bool,
) -> Outcome<Carried> {
    let name = &taken.name;
    let last = name.rsplit('.').next().unwrap_or(name);
    if ty.is_some_and(|ty| ty != "String") {
        let ty = ty.unwrap_or_default();
        let message = format!("the secret `{name}` is a `{ty}`, which no text is made into here");
        return Err(Refusal::new("capture-secret", message)
            .at(place(found, taken))
            .help(format!(
                "let the work take the secret as a `String`, and make the `{ty}` inside of it"
            )));
    }
    let field = request::field(&format!("{last}:secret"))?;
    let given = asked.arguments.iter().find(|(of, _)| *of == field.name);
    let loaded = taken
        .loaded_by
        .as_ref()
        .filter(|by| !is_moved(found, by))
        .map(|by| format!("{by}.to_string()"));
    let Some(reference) = given.map(|(_, text)| text.clone()).or(loaded) else {
        let message = format!("`{name}` is a secret, and nothing here says what it was loaded by");
        return Err(Refusal::new("secret-reference", message)
            .at(place(found, taken))
            .help(format!(
                "say what refers to it, the id of the row that holds it say: `--arg {}=EXPR`",
                field.name
            )));
    };
    Ok(Carried {
        field,
        variable,
        place: name.clone(),
        is_owned: taken.is_owned,
        is_mut,
        is_used: true,
        reference: Some(reference),
        at: taken.at,
        ty: "String".to_owned(),
        is_fresh: false,
    })
}

/// Whether values of a type are known to be copied where they go.
pub(super) fn copies(ty: &syn::Type) -> bool {
    is_copy(ty, &|name| (name == "uuid::Uuid").then_some(true)) == Some(true)
}

/// Whether the value that a secret was loaded by went where it was loaded: it is not there any more.
fn is_moved(found: &Found, by: &str) -> bool {
    let Some(value) = found.values.iter().find(|value| value.text == by) else {
        return false;
    };
    let text = &found.site.function.facts.file.text;
    !syn::parse_str(&value.ty).is_ok_and(|ty| copies(&ty))
        && ["find_by_id", "eq"]
            .iter()
            .any(|call| text.contains(&format!("{call}({by})")))
}

fn place(found: &Found, taken: &Taken) -> crate::note::Place {
    if let Some(range) = taken.uses.first().filter(|_| taken.name.contains('.')) {
        return found.site.function.facts.place(range);
    }
    let end = taken.at + taken.name.split('.').next().unwrap_or_default().len();
    found.site.function.facts.place(&(taken.at..end))
}

/// Why a variable cannot travel, and what to do.
fn refuse(found: &Found, taken: &Taken, ty: Option<&str>, role: Role) -> Refusal {
    let name = &taken.name;
    let last = name.rsplit('.').next().unwrap_or(name);
    let shown = ty.map_or_else(|| "not known".to_owned(), |ty| format!("`{ty}`"));
    let refuse = |code: &'static str, why: String, help: String| {
        Refusal::new(code, why).at(place(found, taken)).help(help)
    };
    if name == "self" {
        let value = "value";
        return refuse(
            "capture-self",
            format!(
                "the work takes `{name}` with it (its type is {shown}), which stays in this process"
            ),
            format!(
                "bind what the work needs of it before the call (`let {value} = …;`), as owned values"
            ),
        );
    }
    match role {
        Role::Channel => refuse(
            "capture-channel",
            format!("`{name}` is an end of a channel (its type is {shown}): the other end is in this process"),
            "report by events of the task (`context.progress`), and let who waits poll its run".to_owned(),
        ),
        Role::Handle => refuse(
            "capture-handle",
            format!("`{name}` is a handle of this process (its type is {shown}): no row can hold it"),
            "let the work make its own from what the task carries; a `DatabaseConnection` is the one handle that the registered work is given".to_owned(),
        ),
        Role::Data => refuse(
            "capture-borrowed",
            format!("`{name}` is borrowed (its type is {shown}): a row holds owned values"),
            format!("make it owned before the call: `let {last} = {name}.to_owned();`"),
        ),
        Role::Secret | Role::Unknown => refuse(
            "capture-type",
            match ty {
                Some(ty) => format!("whether `{name}`, a `{ty}`, can be written down is not known"),
                None => format!("the type of `{name}` is not known"),
            },
            format!("say what type it has: `--type {name}=TYPE`, one that serde can write and read"),
        ),
    }
}

/// What is left to do for each reference to a secret.
pub(super) fn references(carried: &[Carried]) -> Vec<Left> {
    let secrets = carried
        .iter()
        .filter_map(|of| Some((of, of.reference.as_ref()?)));
    secrets
        .map(|(of, reference)| {
            let field = of.field.ident();
            let what = format!(
                "let what is registered for secrets find the one that `{field}` names, the value of `{reference}` at the site: until then the task fails and says so"
            );
            Left::at(&format!("secrets::resolve(&{field})"), what)
        })
        .collect()
}

/// The fields that tell one piece of work from another; `None` for all of them.
pub(super) fn default_key(
    found: &Found,
    carried: &[Carried],
    notes: &mut Vec<Note>,
) -> Option<Vec<String>> {
    let data = || carried.iter().filter(|of| !of.field.is_secret);
    let fresh: Vec<String> = data()
        .filter(|of| of.is_fresh)
        .map(|of| of.field.name.clone())
        .collect();
    if fresh.is_empty() {
        return None;
    }
    let kept: Vec<String> = data()
        .filter(|of| !of.is_fresh)
        .map(|of| of.field.name.clone())
        .collect();
    let list = fresh.join("`, `");
    let note = if kept.is_empty() {
        Note::warning(
            "fresh-key",
            format!("every value of the key is new at each call (`{list}`): no two calls are the same work, and nothing is dropped as a duplicate"),
        )
        .help("give what makes two requests the same as a field, and name it in --key")
    } else {
        Note::warning(
            "fresh-key",
            format!("`{list}` is left out of the key: it is new at each call, and a key with it never finds a duplicate"),
        )
        .help(format!("the key is `{}`; name another with --key", kept.join(",")))
    };
    notes.push(note.at(found.site.place.clone()));
    (!kept.is_empty()).then_some(kept)
}

/// Warnings of values that mean something on this machine alone.
pub(super) fn local_values(found: &Found, carried: &[Carried]) -> Vec<Note> {
    let is_path = |of: &&Carried| of.ty.contains("PathBuf");
    let facts = &found.site.function.facts;
    let paths = carried.iter().filter(is_path);
    paths
        .map(|of| {
            let end = of.at + of.place.len();
            Note::warning(
                "local-value",
                format!("`{}` is a path, and travels to another machine where a worker runs there", of.variable),
            )
            .at(facts.place(&(of.at..end)))
            .help("workers must see the same files: a shared volume, say; or carry what the path is made from")
        })
        .collect()
}
