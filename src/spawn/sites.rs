//! Finds every call that spawns: each once, wherever it stands in a function.

use std::collections::{BTreeMap, BTreeSet};

use super::calls::{Wrapper, Wrappers, hands_on, spawn_call};
use super::captures::{Capture, captures};
use super::joined::{Fate, fate};
use super::program::{FnRef, Program};
use super::scope::{Env, Known, Source};
use crate::index::{Code, FnCode, Kind, mentions, on_all_cores};
use crate::note::{Outcome, Place, Refusal};

/// A call that spawns.
#[derive(Clone)]
pub struct Site {
    /// Where the call starts: at its path, or at the method's name.
    pub place: Place,
    /// The same as an offset in the file.
    pub offset: usize,
    /// The function that it stands in.
    pub function: FnRef,
    /// The package.
    pub package: String,
    /// The call as it is written, without its arguments.
    pub call: String,
    /// What it calls, as it is known: `tokio::spawn`, `JoinSet::spawn`.
    pub spawner: String,
    /// Whether it is compiled for tests only.
    pub is_test: bool,
    /// What the work takes with it.
    pub captures: Vec<Capture>,
    /// What becomes of the handle.
    pub fate: Fate,
    /// Whether it hands on work that its function was given.
    pub hands_on: bool,
    /// The wrapper that it calls, if it is one.
    pub wrapper: Option<FnRef>,
}

impl Site {
    /// The function that it stands in, with the type that it belongs to: `Client::run`.
    #[must_use]
    pub fn function_name(&self) -> String {
        let name = &self.function.fact().name;
        match self.function.self_type() {
            Some(owner) => format!("{owner}::{name}"),
            None => name.clone(),
        }
    }
}

/// Looks at a site while everything around it is at hand.
pub struct Seen<'s, 'c> {
    /// The function that the site stands in.
    pub function: &'s FnRef,
    /// Its code.
    pub code: &'c FnCode,
    /// The work, behind the variable that holds it.
    pub work: &'c Code,
    /// What is in scope where the work stands.
    pub known: &'s [Known<'c>],
}

/// Finds the sites, and what `judge` says of each; functions of tests are looked at only where
/// `with_tests` says so.
pub fn sites<T: Send>(
    program: &Program<'_, '_>,
    configured: &[String],
    with_tests: bool,
    judge: Asked<'_, T>,
) -> Outcome<Vec<(Site, T)>> {
    let wanted = if with_tests {
        Wanted::WithTests
    } else {
        Wanted::Real
    };
    search(program, configured, wanted, None, judge)
}

/// The same for the file at `path` alone, tests included.
pub fn sites_in<T: Send>(
    program: &Program<'_, '_>,
    configured: &[String],
    path: &str,
    judge: Asked<'_, T>,
) -> Outcome<Vec<(Site, T)>> {
    search(program, configured, Wanted::WithTests, Some(path), judge)
}

fn search<T: Send>(
    program: &Program<'_, '_>,
    configured: &[String],
    wanted: Wanted,
    only: Option<&str>,
    judge: Asked<'_, T>,
) -> Outcome<Vec<(Site, T)>> {
    let alone = only.map(|only| BTreeSet::from([only.to_owned()]));
    let near = only.map(|only| program.near(only)).transpose()?;
    // Wrappers are found by themselves, and wrappers of wrappers then.
    let mut wrappers = Wrappers::new();
    let mut names: Vec<String> = vec!["spawn".to_owned()];
    for name in configured {
        names.extend(name.rsplit("::").next().map(str::to_owned));
    }
    loop {
        let search = Search {
            program,
            configured,
            wrappers: &wrappers,
            names: &names,
            wanted: Wanted::Wrappers,
            within: near.as_ref(),
        };
        let fresh: Vec<Site> = search
            .run(&|_, _| Ok(()))?
            .into_iter()
            .map(|(site, ())| site)
            .filter(|site| !wrappers.contains_key(&site.function.key()))
            .collect();
        if fresh.is_empty() {
            break;
        }
        for site in fresh {
            names.push(site.function.fact().name.clone());
            let waits = matches!(site.fate, Fate::Joined(..));
            let function = site.function;
            wrappers.insert(function.key(), Wrapper { function, waits });
        }
    }
    names.sort();
    names.dedup();
    let search = Search {
        program,
        configured,
        wrappers: &wrappers,
        names: &names,
        wanted,
        within: alone.as_ref(),
    };
    search.run(judge)
}

/// Which sites are looked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    /// Those that only hand on what their function is given.
    Wrappers,
    /// Those outside tests.
    Real,
    /// All.
    WithTests,
}

/// A look through the functions whose text holds one of the names.
struct Search<'a, 'i, 'w> {
    program: &'a Program<'i, 'w>,
    configured: &'a [String],
    wrappers: &'a Wrappers,
    names: &'a [String],
    wanted: Wanted,
    /// The files that are looked into; `None` for all.
    within: Option<&'a BTreeSet<String>>,
}

/// What is asked of each site.
type Asked<'a, T> = &'a (dyn Fn(&Site, &Seen<'_, '_>) -> Outcome<T> + Sync);

impl Search<'_, '_, '_> {
    fn run<T: Send>(&self, judge: Asked<'_, T>) -> Outcome<Vec<(Site, T)>> {
        let Self { program, names, .. } = *self;
        let with_tests = self.wanted == Wanted::WithTests;
        let index = program.index;
        let mut paths: Vec<String> = names
            .iter()
            .flat_map(|name| index.containing(name))
            .collect();
        paths.sort();
        paths.dedup();
        paths.retain(|path| self.within.is_none_or(|within| within.contains(path)));
        paths.retain(|path| index.workspace.member_of(path).is_some());
        paths.retain(|path| with_tests || !index.is_for_tests(path));
        let files = paths
            .iter()
            .filter_map(|path| index.workspace.files.get(path));
        let found: BTreeMap<String, Outcome<Vec<(Site, T)>>> =
            on_all_cores(files.collect(), &|file| {
                let facts = index.facts(&file.path)?;
                let mut found = Vec::new();
                // What spawns may be imported under a name that does not say so.
                let renamed: Vec<&str> = facts
                    .uses
                    .iter()
                    .filter(|import| {
                        let last = import.path.rsplit("::").next().unwrap_or(&import.path);
                        let is_known = names.iter().any(|name| name == last);
                        import.name != last && (is_known || last.contains("spawn"))
                    })
                    .map(|import| import.name.as_str())
                    .collect();
                for (at, function) in facts.functions.iter().enumerate() {
                    if function.is_test && !with_tests {
                        continue;
                    }
                    let text = facts.text(&function.range);
                    let may = names.iter().any(|name| match name.as_str() {
                        "spawn" => text.contains("spawn"),
                        name => mentions(text, name),
                    });
                    if !may && !renamed.iter().any(|name| mentions(text, name)) {
                        continue;
                    }
                    let function = FnRef {
                        facts: std::sync::Arc::clone(&facts),
                        at,
                    };
                    let Some(code) = program.code(&function) else {
                        // A trait's function without a body has nothing; any other must be read.
                        if text.ends_with('}') {
                            let fact = function.fact();
                            let message = format!("the body of `{}` cannot be read", fact.name);
                            return Err(Refusal::new("parse", message)
                                .at(facts.place(&fact.name_range))
                                .help("mend the syntax error, or report it if it compiles"));
                        }
                        continue;
                    };
                    self.function(&function, &code, judge, &mut found)?;
                }
                found.sort_by_key(|(site, _)| site.offset);
                found.dedup_by_key(|(site, _)| site.offset);
                Ok(found)
            });
        let mut all = Vec::new();
        for found in found.into_values() {
            all.extend(found?);
        }
        Ok(all)
    }

    fn function<T>(
        &self,
        function: &FnRef,
        code: &FnCode,
        judge: Asked<'_, T>,
        out: &mut Vec<(Site, T)>,
    ) -> Outcome<()> {
        let mut env = Env::of(code);
        let mut refusal = Ok(());
        for part in &code.body {
            env.walk(part, &mut |part, env| {
                if refusal.is_ok() {
                    refusal = self.look(function, code, part, env, judge, out);
                }
            });
        }
        refusal
    }

    fn look<'c, T>(
        &self,
        function: &FnRef,
        code: &'c FnCode,
        part: &'c Code,
        env: &Env<'c>,
        judge: Asked<'_, T>,
        out: &mut Vec<(Site, T)>,
    ) -> Outcome<()> {
        if let Kind::Item(inner) = &part.kind {
            return self.function(function, inner, judge, out);
        }
        let Some(call) = spawn_call(
            self.program,
            function,
            code,
            self.wrappers,
            self.configured,
            part,
            env,
        )?
        else {
            return Ok(());
        };
        let facts = &function.facts;
        let (work, known) = behind(call.work, &env.known);
        let hands_on = hands_on(code, function, work);
        if self.wanted == Wanted::Wrappers && !hands_on {
            return Ok(());
        }
        let captures = captures(self.program, function, code, work, known)?;
        let is_set =
            call.function.starts_with("JoinSet") || call.function.starts_with("TaskTracker");
        let fate = {
            let waits = |wrapper: &FnRef| {
                let known = self.wrappers.get(&wrapper.key());
                known.is_some_and(|known| known.waits)
            };
            let wrapper = call
                .wrapper
                .as_ref()
                .map(|wrapper| (wrapper, waits(wrapper)));
            fate(
                self.program,
                function,
                code,
                part,
                call.on,
                is_set,
                wrapper,
                env,
            )?
        };
        let package = self.program.index.workspace.member_of(&facts.file.path);
        let start = call.on.map_or(call.start, |on| on.range.start);
        let site = Site {
            place: facts.place(&(call.start..call.end)),
            offset: call.start,
            function: function.clone(),
            package: package
                .map(|member| member.name.clone())
                .unwrap_or_default(),
            call: one_line(facts.file.text.get(start..call.end).unwrap_or_default()),
            spawner: call.function,
            is_test: function.fact().is_test,
            captures,
            fate,
            hands_on,
            wrapper: call.wrapper,
        };
        let seen = Seen {
            function,
            code,
            work,
            known,
        };
        let judged = judge(&site, &seen)?;
        out.push((site, judged));
        Ok(())
    }
}

/// The work behind a variable that holds a future or a closure.
fn behind<'c, 'k>(work: &'c Code, known: &'k [Known<'c>]) -> (&'c Code, &'k [Known<'c>]) {
    let variable = work
        .name()
        .and_then(|name| known.iter().rfind(|known| known.name == name));
    if let Some(variable) = variable
        && let Source::Value(Some(value)) = variable.source
        && variable.binding.names.len() == 1
        && matches!(
            value.kind,
            Kind::Async(_) | Kind::Block(..) | Kind::Closure(..) | Kind::Call(..) | Kind::Method(_)
        )
    {
        return (value, &known[..variable.before]);
    }
    (work, known)
}

/// Text on one line: white space in it is one space, and none around dots.
fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").replace(" .", ".").replace(". ", ".")
}
