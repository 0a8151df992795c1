//! An arm in every other exhaustive match, and a word on those with a wildcard.
//!
//! What the arm says follows its neighbours: in tests the words of an `unreachable!` nearby; in
//! production the tag where a neighbour gives its own tag, a neighbour's `Err` or `None`, else
//! a `todo!` that is listed first of all.

use super::{Piece, last};
use crate::edit::{FileChange, TextEdit};
use crate::format::{Form, Fragment};
use crate::index::{ArmFact, FileFacts, MatchFact, Pattern, mentions};
use crate::landmarks::{Coverage, MatchSite, SpecEnum};
use crate::note::{Note, Outcome, Place, Refusal};
use crate::plan::Plan;
use crate::task::{Context, Task};
use crate::trivia::{Sibling, Spot};
use crate::verify::MissingArm;

/// The piece.
pub const PIECE: Piece = Piece {
    id: "arms",
    about: "an arm in every other exhaustive match",
    plan,
};

fn plan(context: &Context<'_>, plan: &mut Plan) -> Outcome<()> {
    let landmarks = context.landmarks;
    let task = context.task;
    for (at, site) in landmarks.matches.iter().enumerate() {
        if at == landmarks.executor.site {
            continue;
        }
        let file = &site.facts.file;
        let title = match site.function.as_str() {
            "" => "arm of a match".to_owned(),
            name => format!("arm in `{name}`"),
        };
        match &site.coverage {
            _ if site.arm_of(&task.request.variant).is_some() => {
                plan.present(PIECE.id, title, &file.path);
            }
            Coverage::Wildcard(index) => wildcard(context, site, *index, plan),
            Coverage::Undecided(why) => {
                plan.notes.push(
                    Note::warning(
                        "undecided-match",
                        format!("cannot tell whether this match needs an arm: {why}"),
                    )
                    .at(site
                        .facts
                        .place(&(site.fact.range.start..site.fact.range.start + 5)))
                    .help("compile to find out: rustc names it (E0004) where it does"),
                );
                plan.undecided(PIECE.id, title, &file.path);
            }
            Coverage::Exhaustive { before, after } => {
                let body = body(site, &landmarks.spec, task);
                if let (Body::Todo(_), true) = (&body, task.request.no_todo) {
                    let start = site.fact.range.start;
                    let place = site.facts.place(&(start..start + 5));
                    return Err(todo_refused(&task.request.variant, &title, place));
                }
                let pattern = format!(
                    "{}{}{}{after}",
                    owner(&landmarks.spec, site, before),
                    task.ident(),
                    task.pattern()
                );
                let text = body.text();
                if let Some(what) = body.open(&task.request.variant) {
                    plan.open_in(&file.path, &format!("{pattern} =>"), what);
                }
                let text = format!("{pattern} => {text},");
                put(plan, title, site, &landmarks.spec, text);
            }
        }
    }
    Ok(())
}

/// Adds the arm that the compiler says a match lacks, in a file that stands; `false` where the
/// place is not in a member's own text, or the pattern is not the task's.
///
/// Such a match is one that syn cannot see, in the body of a `macro_rules!` say.
pub fn named_by_compiler(
    context: &Context<'_>,
    arm: &MissingArm,
    changes: &[FileChange],
    plan: &mut Plan,
) -> Outcome<bool> {
    let Context { index, task, .. } = *context;
    let workspace = index.workspace;
    let (Some(file), Some(_)) = (
        workspace.files.get(&arm.path),
        workspace.member_of(&arm.path),
    ) else {
        return Ok(false);
    };
    let variant = &task.request.variant;
    let change = changes.iter().find(|change| change.path == arm.path);
    let at = change.map_or(Some(arm.at), |change| change.original(arm.at));
    let is_ours = mentions(&arm.pattern, variant) && !arm.pattern.contains('|');
    let (Some(at), true) = (at, is_ours) else {
        return Ok(false);
    };
    let facts = index.facts(&arm.path)?;
    let is_test = index.is_for_tests(&arm.path)
        || facts
            .modules
            .iter()
            .any(|module| module.is_test && module.range.contains(&at));
    let pattern = as_written_above(&file.text[..at], &arm.pattern, variant, context);
    let title = "arm that the compiler names".to_owned();
    let around = facts.functions.iter().filter(|f| f.range.contains(&at));
    let is_const = around.last().is_some_and(|f| f.is_const);
    let (unreachable, todo) = if is_const {
        ("panic", "panic")
    } else {
        ("unreachable", "todo")
    };
    let body = if is_test {
        format!("{unreachable}!(\"{variant} is not used here\")")
    } else if task.request.no_todo {
        return Err(todo_refused(variant, &title, file.place(&(at..at + 1))));
    } else {
        let todo = Body::Todo(format!("{todo}!(\"{variant} is not handled here yet\")"));
        if let Some(what) = todo.open(variant) {
            plan.open_in(&arm.path, &format!("{pattern} =>"), what);
        }
        todo.text().to_owned()
    };
    // The line above stays as it is where it has its comma, or needs none after a block.
    let (at, comma) = match (&file.text[..at], &file.text[at..]) {
        (_, after) if after.starts_with(',') => (at + 1, ""),
        (before, _) if before.ends_with('}') => (at, ""),
        _ => (at, ","),
    };
    let newline = file.line_ending();
    let edit = TextEdit::insert(
        at,
        format!("{comma}{newline}{}{pattern} => {body},", arm.indent),
        "match_arm",
    );
    plan.insert(PIECE.id, title, file, vec![edit]);
    Ok(true)
}

/// The compiler's pattern with the path that the arms above write before a variant: the
/// compiler's own may not be in scope.
fn as_written_above(above: &str, pattern: &str, variant: &str, context: &Context<'_>) -> String {
    let arms = &above[above.rfind("match").unwrap_or(0)..];
    let variants = &context.landmarks.spec.fact.variants;
    let last = variants
        .iter()
        .filter_map(|known| arms.rfind(&format!("::{}", known.name)))
        .max();
    let is_path = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':' | '&');
    let start = |text: &str| {
        let path = text.chars().rev().take_while(|c| is_path(*c));
        text.len() - path.map(char::len_utf8).sum::<usize>()
    };
    let (Some(colons), Some(name)) = (last, pattern.rfind(variant)) else {
        return pattern.to_owned();
    };
    let owner = &arms[start(&arms[..colons])..colons];
    let before = &pattern[..start(&pattern[..name])];
    format!("{before}{owner}::{}", &pattern[name..])
}

fn todo_refused(variant: &str, title: &str, place: Place) -> Refusal {
    Refusal::new(
        "todo-arm",
        format!("the arm of `{variant}` in {title} would be a `todo!`"),
    )
    .at(place)
    .help("leave --no-todo out, or say in a neighbouring arm what other variants give")
}

/// In production a wildcard swallows the variant without a word from the compiler.
fn wildcard(context: &Context<'_>, site: &MatchSite, index: usize, plan: &mut Plan) {
    if site.is_test || site.fact.arms.len() < 2 {
        return;
    }
    let name = &context.task.request.variant;
    let arm = &site.fact.arms[index];
    plan.notes.push(
        Note::warning(
            "wildcard",
            format!("a wildcard takes `{name}` in `{}`", site.function),
        )
        .at(site.facts.place(&arm.pattern_range))
        .help("look whether that is what this code should do with it"),
    );
}

/// Adds the arm that `text` is to the match, below the last one that names a variant.
pub fn put(
    plan: &mut Plan,
    title: impl Into<String>,
    site: &MatchSite,
    spec: &SpecEnum,
    text: String,
) {
    let (spot, fragment) = placed(site, spec, text);
    plan.draft(
        PIECE.id,
        title,
        &site.facts.file,
        "match_arm",
        fragment,
        spot,
    );
}

/// Where an arm that `text` is goes, and how it stands there.
pub(super) fn placed(site: &MatchSite, spec: &SpecEnum, text: String) -> (Spot, Fragment) {
    let file = &site.facts.file;
    let siblings = arm_siblings(&site.facts, &site.fact);
    let index = last_named(site, spec);
    let fragment = Fragment {
        form: Form::Arm,
        indent: file.indent_at(siblings[index].start).to_owned(),
        text,
    };
    let spot = Spot::after(file, &siblings, index, site.fact.close);
    (spot, fragment)
}

/// The arms of a match as items of a list.
pub(super) fn arm_siblings(facts: &FileFacts, fact: &MatchFact) -> Vec<Sibling> {
    fact.arms
        .iter()
        .map(|arm| {
            let body = &facts.file.text[arm.body.clone()];
            Sibling {
                start: arm.range.start,
                end: arm.range.end,
                comma: arm.comma,
                needs_comma: !(body.starts_with('{') && body.ends_with('}')),
            }
        })
        .collect()
}

/// The last arm that names a variant: a further one goes below it.
fn last_named(site: &MatchSite, spec: &SpecEnum) -> usize {
    (0..site.fact.arms.len())
        .rev()
        .find(|&index| !site.variants_of(index, spec).is_empty())
        .unwrap_or(0)
}

/// What stands before the variant's name: as the match writes it, or the enum's path where the
/// match names variants that were imported one by one.
#[must_use]
pub fn owner(spec: &SpecEnum, site: &MatchSite, before: &str) -> String {
    let bare = !before.ends_with("::");
    if !bare {
        return before.to_owned();
    }
    let names_enum = |path: &str| {
        let name = last(path);
        name == spec.fact.name
            || site
                .facts
                .uses
                .iter()
                .any(|u| u.name == name && last(&u.path) == spec.fact.name)
    };
    let glob = site
        .facts
        .uses
        .iter()
        .any(|u| u.name == "*" && names_enum(&u.path));
    if glob {
        return before.to_owned();
    }
    let import = site
        .facts
        .uses
        .iter()
        .filter_map(|u| u.path.rsplit_once("::"))
        .map(|(path, _)| path)
        .find(|path| names_enum(path));
    format!("{before}{}::", import.unwrap_or(&spec.path))
}

/// What an arm says.
enum Body {
    /// A panic in a test.
    Unreachable(String),
    /// As a neighbour does, to be confirmed.
    Like(String, &'static str),
    /// Nothing that could be known.
    Todo(String),
}

impl Body {
    fn text(&self) -> &str {
        match self {
            Self::Unreachable(text) | Self::Like(text, _) | Self::Todo(text) => text,
        }
    }

    fn open(&self, variant: &str) -> Option<String> {
        match self {
            Self::Unreachable(_) => None,
            Self::Like(_, what) => Some(format!("confirm {what} for `{variant}`")),
            Self::Todo(text) => {
                let macro_name = text.split('!').next().unwrap_or(text);
                Some(format!(
                    "say what `{variant}` means here: the arm is a `{macro_name}!`"
                ))
            }
        }
    }
}

fn body(site: &MatchSite, spec: &SpecEnum, task: &Task) -> Body {
    let name = &task.request.variant;
    let arms = || site.fact.arms.iter().enumerate();
    let text = |arm: &ArmFact| site.facts.text(&arm.body).trim().to_owned();
    if site.is_test && site.fact.is_const {
        // What `unreachable!` and `todo!` format is not formatted at compile time.
        return Body::Unreachable(format!("panic!(\"{name} is not used here\")"));
    }
    if site.is_test {
        let nearby = arms()
            .flat_map(|(i, arm)| {
                let variants = site.variants_of(i, spec);
                variants.into_iter().map(move |v| (v, arm))
            })
            .chain(site.facts.matches.iter().flat_map(|other| {
                other.arms.iter().flat_map(|arm| {
                    spec.fact
                        .variants
                        .iter()
                        .map(move |v| (v.name.clone(), arm))
                })
            }))
            .find_map(|(variant, arm)| in_words_of(&text(arm), &variant, name));
        return Body::Unreachable(
            nearby.unwrap_or_else(|| format!("unreachable!(\"{name} is not used here\")")),
        );
    }
    for (i, arm) in arms() {
        let body = text(arm);
        for variant in site.variants_of(i, spec) {
            let Some(fact) = spec.variant(&variant) else {
                continue;
            };
            let Some(own) = spec.tags(fact).into_iter().next() else {
                continue;
            };
            let literal = format!("\"{own}\"");
            let tail = body.strip_prefix(&literal);
            if let Some("" | ".to_string()" | ".to_owned()" | ".into()") = tail {
                let text = body.replacen(&literal, &format!("\"{}\"", task.tag), 1);
                return Body::Like(text, "the source type");
            }
        }
    }
    for (i, arm) in arms() {
        let body = text(arm);
        if body == "None" {
            return Body::Like(body, "`None`");
        }
        let inner = unblocked(&body);
        if inner.starts_with("Err(") && binds_nothing(&arm.pattern) {
            let named = site
                .variants_of(i, spec)
                .into_iter()
                .find_map(|variant| renamed(&body, &variant, name));
            if let Some(text) = named.or_else(|| {
                said_anew(
                    &body,
                    &format!("{name} is not supported in {}", site.function),
                )
            }) {
                return Body::Like(text, "the error");
            }
        }
    }
    if site.fact.is_const {
        return Body::Todo(format!("panic!(\"{name} is not handled here yet\")"));
    }
    Body::Todo(format!("todo!(\"{name} in {}\")", site.function))
}

/// The one expression of a block, or the text itself.
fn unblocked(body: &str) -> &str {
    body.strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'))
        .map_or(body, |inner| inner.trim().trim_end_matches(';'))
}

/// `body` with `message` for its one string, where that string holds nothing but words.
fn said_anew(body: &str, message: &str) -> Option<String> {
    let (before, rest) = body.split_once('"')?;
    let (words, after) = rest.split_once('"')?;
    let plain = !words.contains(['{', '\\']) && !after.contains('"');
    plain.then(|| format!("{before}\"{message}\"{after}"))
}

/// Whether an arm's body can stand below another pattern: it uses nothing of its own.
fn binds_nothing(pattern: &Pattern) -> bool {
    match pattern {
        Pattern::Struct(_, fields) => fields.iter().all(|(_, part)| binds_nothing(part)),
        Pattern::TupleStruct(_, parts) | Pattern::Tuple(parts) | Pattern::Or(parts) => {
            parts.iter().all(binds_nothing)
        }
        Pattern::Name(..) => false,
        _ => true,
    }
}

/// `unreachable!("Other is not used here")` with our name for the other's.
fn in_words_of(body: &str, variant: &str, name: &str) -> Option<String> {
    let inner = unblocked(body.trim());
    let is_panic = ["unreachable!(\"", "panic!(\"", "unimplemented!(\""]
        .iter()
        .any(|start| inner.starts_with(start));
    let simple = inner.ends_with("\")") && inner.matches('"').count() == 2;
    let captures = inner.contains('{');
    (is_panic && simple && !captures)
        .then(|| renamed(inner, variant, name))
        .flatten()
}

/// `text` with our name for the variant's, where the variant's stands in a string.
fn renamed(text: &str, variant: &str, name: &str) -> Option<String> {
    let quoted = text.find('"')?;
    let at = text[quoted..].find(variant)? + quoted;
    let word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let whole =
        !word(text[..at].chars().next_back()) && !word(text[at + variant.len()..].chars().next());
    whole.then(|| format!("{}{name}{}", &text[..at], &text[at + variant.len()..]))
}
