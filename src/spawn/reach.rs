//! Who calls a function: HTTP handlers only, the start of the program only, or others too.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, OnceLock, PoisonError};

use super::program::{COMMON, FnRef, Program};
use super::types;
use crate::index::{Code, FnFact, Kind, whole_words};
use crate::landmarks::Config;
use crate::note::Outcome;

/// Who calls a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// It is an HTTP handler, or only handlers lead to it.
    Handlers,
    /// Only the start of a program leads to it.
    StartUp,
    /// Others too, or nobody who is known.
    Others,
}

/// How far callers are followed.
const DEPTH: usize = 8;

/// Types of parameters by which axum hands over a part of the request.
const EXTRACTORS: [&str; 17] = [
    "State",
    "Path",
    "Query",
    "Json",
    "Extension",
    "Form",
    "Multipart",
    "HeaderMap",
    "Bytes",
    "RawQuery",
    "TypedHeader",
    "WebSocketUpgrade",
    "Request",
    "ConnectInfo",
    "OriginalUri",
    "RawForm",
    "MatchedPath",
];

/// Types that are, or become, a response.
const RESPONSES: [&str; 8] = [
    "IntoResponse",
    "Response",
    "Json",
    "StatusCode",
    "Sse",
    "Html",
    "Redirect",
    "ResponseJson",
];

/// Functions and methods that route a request to their argument.
const ROUTES: [&str; 9] = [
    "get", "post", "put", "patch", "delete", "head", "options", "any", "on",
];

/// Answers who calls what; every answer is kept.
pub struct Reach<'a, 'i, 'w> {
    program: &'a Program<'i, 'w>,
    /// What is routed, looked for when it is asked.
    routed: OnceLock<Outcome<BTreeSet<(String, usize)>>>,
    configured: Vec<ignore::overrides::Override>,
    known: Mutex<HashMap<(String, usize), Origin>>,
}

impl<'a, 'i, 'w> Reach<'a, 'i, 'w> {
    /// Nothing is looked for yet.
    #[must_use]
    pub fn new(program: &'a Program<'i, 'w>, config: &Config) -> Self {
        let configured = config.handlers.iter();
        Self {
            program,
            routed: OnceLock::new(),
            configured: configured
                .filter_map(|pattern| crate::config::glob(pattern).ok())
                .collect(),
            known: Mutex::default(),
        }
    }

    /// Who calls `function`.
    pub fn origin(&self, function: &FnRef) -> Outcome<Origin> {
        self.of(function, &mut Vec::new())
    }

    fn of(&self, function: &FnRef, below: &mut Vec<(String, usize)>) -> Outcome<Origin> {
        let key = function.key();
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(origin) = known.get(&key) {
            return Ok(*origin);
        }
        drop(known);
        let origin = self.find(function, below)?;
        // What was cut short by a circle holds only here.
        if below.is_empty() {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            known.insert(key, origin);
        }
        Ok(origin)
    }

    fn find(&self, function: &FnRef, below: &mut Vec<(String, usize)>) -> Outcome<Origin> {
        if self.is_handler(function)? {
            return Ok(Origin::Handlers);
        }
        let fact = function.fact();
        if fact.name == "main" && fact.in_impl.is_none() {
            return Ok(Origin::StartUp);
        }
        if below.len() >= DEPTH {
            return Ok(Origin::Others);
        }
        let Some(callers) = self.callers(function)? else {
            return Ok(Origin::Others);
        };
        below.push(function.key());
        let mut origins = Vec::new();
        for caller in callers {
            if !below.contains(&caller.key()) {
                origins.push(self.of(&caller, below)?);
            }
        }
        below.pop();
        let all = |wanted| origins.iter().all(|origin| *origin == wanted);
        Ok(match origins.first() {
            Some(Origin::Handlers) if all(Origin::Handlers) => Origin::Handlers,
            Some(Origin::StartUp) if all(Origin::StartUp) => Origin::StartUp,
            _ => Origin::Others,
        })
    }

    /// Whether a function is routed, looks like a handler, or stands where the configuration says
    /// that handlers stand.
    fn is_handler(&self, function: &FnRef) -> Outcome<bool> {
        let path = &function.facts.file.path;
        let mut configured = self.configured.iter();
        if looks_like_handler(function.fact())
            || configured.any(|pattern| pattern.matched(path, false).is_whitelist())
        {
            return Ok(true);
        }
        match self.routed.get_or_init(|| routed(self.program)) {
            Ok(routed) => Ok(routed.contains(&function.key())),
            Err(refusal) => Err(refusal.clone()),
        }
    }

    /// The functions that call `function`; `None` where that cannot be told.
    fn callers(&self, function: &FnRef) -> Outcome<Option<Vec<FnRef>>> {
        let name = &function.fact().name;
        let mut callers = Vec::new();
        // Whoever calls a trait's method calls it of a type that is not known here.
        let range = &function.fact().range;
        let mut items = function.facts.items.iter();
        let in_trait =
            items.any(|item| item.key.starts_with("trait ") && item.range.contains(&range.start));
        let of = function.fact().in_impl;
        let implements = of.is_some_and(|of| function.facts.impls[of].trait_path.is_some());
        if in_trait || implements {
            return Ok(None);
        }
        if function.fact().has_self && COMMON.contains(&name.as_str()) {
            return Ok(None);
        }
        for path in self.program.may_name(function) {
            let Some(file) = self.program.index.workspace.files.get(&path) else {
                continue;
            };
            if file.text.contains(&format!("{name} as ")) && self.is_renamed(&path, function)? {
                return Ok(None);
            }
            let named: Vec<usize> = whole_words(&file.text, name)
                .filter(|at| may_name(&file.text, *at, function))
                .collect();
            if named.is_empty() {
                continue;
            }
            let facts = self.program.index.facts(&path)?;
            for (at, fact) in facts.functions.iter().enumerate() {
                let inside = |at: &usize| fact.range.contains(at) && *at != fact.name_range.start;
                if fact.is_test || !named.iter().any(inside) {
                    continue;
                }
                let caller = FnRef {
                    facts: std::sync::Arc::clone(&facts),
                    at,
                };
                let Some(code) = self.program.code(&caller) else {
                    continue;
                };
                let mut calls = false;
                let mut is_sure = true;
                let mut refusal = Ok(());
                for part in &code.body {
                    part.walk(
                        &mut |part| match self.is_call(&caller, &code.uses, part, function) {
                            Ok(Some(is_call)) => calls |= is_call,
                            Ok(None) => is_sure = false,
                            Err(e) => refusal = Err(e),
                        },
                    );
                }
                refusal?;
                if !is_sure {
                    return Ok(None);
                }
                if calls {
                    callers.push(caller);
                }
            }
        }
        Ok(Some(callers))
    }

    /// Whether the file at `path` imports `function` under another name: it is called there where
    /// its own does not stand.
    fn is_renamed(&self, path: &str, function: &FnRef) -> Outcome<bool> {
        let facts = self.program.index.facts(path)?;
        let name = &function.fact().name;
        let renamed = facts.uses.iter().filter(|import| {
            import.name != *name && import.path.rsplit("::").next() == Some(name.as_str())
        });
        for import in renamed {
            let from = FnRef {
                facts: std::sync::Arc::clone(&facts),
                at: 0,
            };
            if facts.functions.is_empty() {
                continue;
            }
            let called = self.program.called(&from, &[], &import.name)?;
            if called.is_none_or(|called| called.key() == function.key()) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether `part` names `function`; `None` where it may or may not.
    fn is_call(
        &self,
        caller: &FnRef,
        uses: &[(String, String)],
        part: &Code,
        function: &FnRef,
    ) -> Outcome<Option<bool>> {
        let fact = function.fact();
        match &part.kind {
            Kind::Path(path) if path.rsplit("::").next() == Some(fact.name.as_str()) => {
                let called = self.program.called(caller, uses, path)?;
                Ok(Some(
                    called.is_some_and(|called| called.key() == function.key()),
                ))
            }
            Kind::Method(method) if method.name == fact.name && fact.has_self => {
                if method.arguments.len() != fact.params.len() {
                    return Ok(Some(false));
                }
                if method.on.name() == Some("self") && caller.self_type() == function.self_type() {
                    return Ok(Some(true));
                }
                let found = self
                    .program
                    .methods(None, &method.name, method.arguments.len())?;
                let is_it = found.iter().any(|found| found.key() == function.key());
                Ok(is_it.then_some(true))
            }
            _ => Ok(Some(false)),
        }
    }
}

/// Whether the name at `at` may be that of `function`, by what stands before it.
fn may_name(text: &str, at: usize, function: &FnRef) -> bool {
    let before = text[..at].trim_end();
    let of_path = before.strip_suffix("::");
    match (function.self_type(), function.fact().has_self) {
        (_, true) => before.ends_with('.') || of_path.is_some(),
        (Some(owner), false) => of_path.is_some_and(|before| {
            before.ends_with(owner)
                || before.ends_with("Self")
                || before.ends_with('>')
                || text.contains(&format!("{owner} as "))
        }),
        (None, false) => !before.ends_with('.') && !before.ends_with("fn"),
    }
}

/// Whether the signature is that of a handler: a part of the request in, a response out.
fn looks_like_handler(fact: &FnFact) -> bool {
    let is_extractor = |ty: &str| {
        let head = types::head(ty);
        EXTRACTORS.contains(&head) || head.ends_with("Extractor")
    };
    let mut words = fact
        .output
        .split(|c: char| !c.is_alphanumeric() && c != '_');
    fact.is_async
        && fact.params.iter().any(|(_, ty)| is_extractor(ty))
        && words.any(|word| RESPONSES.contains(&word))
        // `async fn middleware(request: Request, next: Next)` hands on; it answers nothing.
        && !fact.params.iter().any(|(_, ty)| types::head(ty) == "Next")
}

/// The functions that axum's routers name.
fn routed(program: &Program<'_, '_>) -> Outcome<BTreeSet<(String, usize)>> {
    let mut routed = BTreeSet::new();
    for path in program.index.containing(".route(") {
        if !program.is_real(&path) {
            continue;
        }
        let facts = program.index.facts(&path)?;
        for (at, fact) in facts.functions.iter().enumerate() {
            if fact.is_test || !facts.text(&fact.range).contains(".route(") {
                continue;
            }
            let function = FnRef {
                facts: std::sync::Arc::clone(&facts),
                at,
            };
            let Some(code) = program.code(&function) else {
                continue;
            };
            let mut named = Vec::new();
            for part in &code.body {
                part.walk(&mut |part| {
                    let (name, arguments) = match &part.kind {
                        Kind::Call(callee, arguments, _) => match &callee.kind {
                            Kind::Path(path) => {
                                (path.rsplit("::").next().unwrap_or(path), arguments)
                            }
                            _ => return,
                        },
                        Kind::Method(method) => (method.name.as_str(), &method.arguments),
                        _ => return,
                    };
                    if let (
                        [
                            Code {
                                kind: Kind::Path(handler),
                                ..
                            },
                        ],
                        true,
                    ) = (arguments.as_slice(), ROUTES.contains(&name))
                    {
                        named.push(handler.clone());
                    }
                });
            }
            for handler in named {
                let called = program.called(&function, &code.uses, &handler)?;
                routed.extend(called.map(|called| called.key()));
            }
        }
    }
    Ok(routed)
}
