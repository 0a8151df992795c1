//! What one function, or a part of it, does itself: its calls against the table.

use super::effects::{self, Effect};
use super::evidence::Looker;
use super::program::FnRef;
use super::scope::{Env, Known};
use super::typer::Typer;
use super::types;
use crate::index::{Code, FnCode, Kind, Literal, Method};
use crate::note::Outcome;

/// What one function does itself, and what it calls.
#[derive(Default)]
pub(super) struct Own {
    /// Effects, with the call and its offset.
    pub(super) effects: Vec<(Effect, String, usize)>,
    /// Functions of the workspace, with the name and the offset of the call.
    pub(super) calls: Vec<(FnRef, String, usize)>,
    pub(super) unknown: Vec<(String, usize)>,
    pub(super) names: Vec<String>,
}

impl Looker<'_, '_, '_> {
    /// What `body`, a part of `function`, does itself.
    pub(super) fn own<'c>(
        &self,
        function: &FnRef,
        code: &'c FnCode,
        body: &[&'c Code],
        known: &[Known<'c>],
    ) -> Outcome<Own> {
        let mut own = Own::default();
        let mut refusal = Ok(());
        let mut env = Env {
            known: known.to_vec(),
            above: Vec::new(),
        };
        for part in body {
            env.walk(part, &mut |part, env| {
                if refusal.is_ok() {
                    refusal = self.part(function, code, part, env, &mut own);
                }
            });
        }
        refusal.map(|()| own)
    }

    fn part(
        &self,
        function: &FnRef,
        code: &FnCode,
        part: &Code,
        env: &Env<'_>,
        own: &mut Own,
    ) -> Outcome<()> {
        match &part.kind {
            Kind::Call(callee, arguments, _) => {
                let Kind::Path(path) = &callee.kind else {
                    return Ok(());
                };
                let at = callee.range.start;
                let name = path.rsplit("::").next().unwrap_or(path);
                let absolute = self.program.absolute(&function.facts, &code.uses, path);
                own.names.push(path.clone());
                if let Some(rule) = self.rule(&absolute, name) {
                    own.effects
                        .push((Effect::Configured(rule), path.clone(), at));
                    return Ok(());
                }
                if let Some(effect) = effects::of_function(&absolute) {
                    let is_git = matches!(arguments.first().map(|a| &a.kind), Some(Kind::Literal(Literal::Text(text))) if text == "git");
                    let effect = if is_git { Effect::Git } else { effect };
                    own.effects.push((effect, path.clone(), at));
                    return Ok(());
                }
                if absolute.ends_with("tokio::time::interval")
                    || absolute.ends_with("tokio::time::interval_at")
                {
                    return Ok(());
                }
                if absolute.ends_with("time::sleep") && in_endless_loop(env) && !is_pause(arguments)
                {
                    own.effects.push((Effect::Tick, path.clone(), at));
                    return Ok(());
                }
                let krate = absolute.split("::").next().unwrap_or_default();
                // Making a client does nothing yet: `Client::new()`.
                let is_maker = ["new", "default", "builder", "from", "with_", "into_"]
                    .iter()
                    .any(|start| name.starts_with(start));
                if let Some(effect) = effects::of_crate(krate)
                    .filter(|_| !is_maker && name.starts_with(char::is_lowercase))
                {
                    own.effects.push((effect, path.clone(), at));
                    return Ok(());
                }
                if effects::is_files(&absolute) {
                    let effect = if in_loop(env) {
                        Effect::Loop
                    } else {
                        Effect::Files
                    };
                    own.effects.push((effect, path.clone(), at));
                    return Ok(());
                }
                if env.known.iter().any(|known| known.name == path) {
                    own.unknown.push((path.clone(), at));
                    return Ok(());
                }
                if let Some(called) = self.program.called(function, &code.uses, path)? {
                    own.calls.push((called, path.clone(), at));
                    // Work for each of what the work was given: how much that is, nobody knows.
                    let is_awaited = env
                        .above
                        .last()
                        .is_some_and(|above| matches!(above.kind, Kind::Await(_)));
                    if is_awaited && in_items(env) {
                        own.effects.push((Effect::Loop, path.clone(), at));
                    }
                } else if name.starts_with(char::is_lowercase) && !is_known(&absolute, path) {
                    own.unknown.push((path.clone(), at));
                }
            }
            Kind::Method(method) => self.method(function, code, method, env, own)?,
            Kind::Assign(target, value) => {
                if let Kind::Field(_, field) = &target.kind
                    && is_status(field)
                    && is_set(value)
                {
                    own.effects
                        .push((Effect::Status, field.clone(), part.range.start));
                }
            }
            Kind::Struct(path, fields, _) if path.ends_with("ActiveModel") => {
                let status = fields
                    .iter()
                    .find(|(name, value)| is_status(name) && is_set(value));
                if let Some((name, value)) = status {
                    own.effects
                        .push((Effect::Status, name.clone(), value.range.start));
                }
            }
            Kind::Path(path) if path.contains("Column::") => {
                let column = path.rsplit("::").next().unwrap_or(path).to_lowercase();
                let is_written = env.above.last().is_some_and(
                    |above| matches!(&above.kind, Kind::Method(m) if m.name == "col_expr"),
                );
                if is_status(&column) && is_written {
                    own.effects
                        .push((Effect::Status, path.clone(), part.range.start));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn method(
        &self,
        function: &FnRef,
        code: &FnCode,
        method: &Method,
        env: &Env<'_>,
        own: &mut Own,
    ) -> Outcome<()> {
        let name = method.name.as_str();
        let at = method.name_range.start;
        own.names.push(name.to_owned());
        if name == "tick" && in_loop(env) {
            own.effects.push((Effect::Tick, ".tick()".to_owned(), at));
            return Ok(());
        }
        let is_awaited = env
            .above
            .iter()
            .rev()
            .take(6)
            .any(|above| matches!(above.kind, Kind::Await(_)));
        if name == "send" && method.arguments.is_empty() && is_request(&method.on) {
            own.effects
                .push((Effect::Network, ".send()".to_owned(), at));
            return Ok(());
        }
        if effects::WRITES.contains(&name)
            && is_awaited
            && method.arguments.len() == 1
            && self.is_connection(function, code, &method.arguments[0], env)?
        {
            own.effects.push((Effect::Write, format!(".{name}()"), at));
            return Ok(());
        }
        let is_ours = self.program.declares(name);
        let typer = Typer {
            program: self.program,
            function,
            code,
        };
        let ty = typer.value(&env.known, &method.on)?;
        let Some(ty) = ty else {
            let found = if is_ours {
                self.program.methods(None, name, method.arguments.len())?
            } else {
                Vec::new()
            };
            if found.is_empty() && is_awaited && !is_harmless("", name) {
                own.unknown.push((format!(".{name}()"), at));
            }
            own.calls.extend(
                found
                    .into_iter()
                    .map(|called| (called, format!(".{name}()"), at)),
            );
            return Ok(());
        };
        let plain = types::pointee(&ty.text);
        // A type parameter has the methods of what bounds it.
        let bounds = code.generics.iter().filter(|(name, _)| name == plain);
        let bounds: Vec<&str> = bounds
            .flat_map(|(_, bounds)| bounds.split('+'))
            .map(str::trim)
            .collect();
        let head = types::head(plain);
        let called = format!("{head}::{name}");
        if let Some(rule) = self.rule(&called, name) {
            own.effects.push((Effect::Configured(rule), called, at));
            return Ok(());
        }
        let mut found = Vec::new();
        if is_ours {
            found = self
                .program
                .methods(Some(plain), name, method.arguments.len())?;
            for bound in bounds {
                if found.is_empty() {
                    found = self
                        .program
                        .methods(Some(bound), name, method.arguments.len())?;
                }
            }
        }
        let is_model = effects::MODEL_TYPES.iter().any(|word| head.contains(word));
        // A type of the workspace is followed, whatever it is called.
        if is_model && is_awaited && found.is_empty() {
            own.effects.push((Effect::Model, called, at));
            return Ok(());
        }
        if found.is_empty() {
            let absolute = self.program.absolute(&ty.facts, &[], types::path(plain));
            let krate = absolute.split("::").next().unwrap_or_default();
            match effects::of_crate(krate) {
                Some(effect) if is_awaited => own.effects.push((effect, called.clone(), at)),
                // A parameter's own type, a trait's object, what another crate declares.
                _ if is_awaited && !is_harmless(head, name) => {
                    own.unknown.push((called.clone(), at));
                }
                _ => {}
            }
        }
        own.calls
            .extend(found.into_iter().map(|to| (to, called.clone(), at)));
        Ok(())
    }

    /// The rule that the configuration gives a call.
    fn rule(&self, absolute: &str, name: &str) -> Option<String> {
        let found = self.configured.iter().find(|(call, _)| {
            let call = call.replace('-', "_");
            call == absolute
                || (call.rsplit("::").next() == Some(name)
                    && (absolute.ends_with(&format!("::{call}"))
                        || call.ends_with(&format!("::{absolute}"))))
        });
        found.map(|(_, rule)| rule.clone())
    }

    fn is_connection(
        &self,
        function: &FnRef,
        code: &FnCode,
        argument: &Code,
        env: &Env<'_>,
    ) -> Outcome<bool> {
        let typer = Typer {
            program: self.program,
            function,
            code,
        };
        if let Some(ty) = typer.value(&env.known, argument)? {
            let head = types::head(types::pointee(&ty.text));
            return Ok(matches!(
                head,
                "DatabaseConnection"
                    | "DatabaseTransaction"
                    | "ConnectionTrait"
                    | "C"
                    | "PgPool"
                    | "Pool"
                    | "DbConn"
            ));
        }
        let name = match &argument.bare().kind {
            Kind::Path(name) | Kind::Field(_, name) => name.as_str(),
            _ => return Ok(false),
        };
        Ok(["db", "tx", "txn", "conn", "connection", "pool"]
            .iter()
            .any(|word| name.split('_').any(|part| part == *word)))
    }
}

/// Methods of std and tokio whose waiting says nothing about the work.
fn is_harmless(head: &str, name: &str) -> bool {
    matches!(
        name,
        "send"
            | "recv"
            | "lock"
            | "read"
            | "write"
            | "cancelled"
            | "notified"
            | "changed"
            | "acquire"
            | "clone"
            | "closed"
            | "tick"
            | "join"
            | "next"
    ) || matches!(
        head,
        "Sender"
            | "Receiver"
            | "JoinHandle"
            | "Mutex"
            | "RwLock"
            | "HashMap"
            | "Vec"
            | "String"
            | "Option"
            | "Result"
    )
}

fn is_status(column: &str) -> bool {
    let column = column.to_lowercase();
    effects::STATUS_COLUMNS.iter().any(|word| {
        column == *word
            || column.ends_with(&format!("_{word}"))
            || (word.starts_with("is_") && column == word.replace('_', ""))
    })
}

/// Whether the value is `Set(…)`.
fn is_set(value: &Code) -> bool {
    match &value.kind {
        Kind::Call(callee, ..) => {
            matches!(&callee.kind, Kind::Path(path) if path.rsplit("::").next() == Some("Set"))
        }
        _ => false,
    }
}

/// Whether a chain of methods builds a request.
fn is_request(code: &Code) -> bool {
    match &code.kind {
        Kind::Method(method) => {
            effects::REQUEST.contains(&method.name.as_str()) || is_request(&method.on)
        }
        Kind::Await(of) | Kind::Try(of) => is_request(of),
        _ => false,
    }
}

/// Whether nothing has to be known of a function outside of the workspace.
fn is_known(absolute: &str, path: &str) -> bool {
    let krate = absolute.split("::").next().unwrap_or_default();
    let owner = path.rsplit("::").nth(1).unwrap_or_default();
    effects::HARMLESS.contains(&krate)
        || matches!(
            owner,
            "Vec"
                | "String"
                | "HashMap"
                | "HashSet"
                | "BTreeMap"
                | "Duration"
                | "Instant"
                | "Arc"
                | "Box"
                | "Option"
                | "Result"
                | "Default"
                | "PathBuf"
                | "Path"
                | "Uuid"
                | "Utc"
        )
        || (owner.starts_with(char::is_uppercase)
            && matches!(
                path.rsplit("::").next(),
                Some("new" | "from" | "default" | "with_capacity")
            ))
}

/// Whether a loop stands around.
fn in_loop(env: &Env<'_>) -> bool {
    env.above
        .iter()
        .any(|above| matches!(above.kind, Kind::Loop(_) | Kind::While(..) | Kind::For(..)))
}

/// Whether a loop over the items of something stands around.
fn in_items(env: &Env<'_>) -> bool {
    env.above.iter().any(|above| match &above.kind {
        // `for attempt in 0..3` ends after three.
        Kind::For(_, over, _) => !matches!(&over.kind, Kind::Parts(ends) if ends.iter().all(|end| matches!(end.kind, Kind::Literal(_)))),
        _ => false,
    })
}

/// Whether a loop without an end of its own stands around.
fn in_endless_loop(env: &Env<'_>) -> bool {
    env.above.iter().any(|above| match &above.kind {
        Kind::Loop(_) => true,
        Kind::While(condition, _) => matches!(condition.kind, Kind::Literal(Literal::Bool)),
        _ => false,
    })
}

/// Whether a time to sleep is that of another try.
fn is_pause(arguments: &[Code]) -> bool {
    let mut is_pause = false;
    for argument in arguments {
        argument.walk(&mut |part| {
            if let Kind::Path(name) | Kind::Field(_, name) = &part.kind {
                let name = name.to_lowercase();
                is_pause |= ["backoff", "delay", "retry", "pause", "poll"]
                    .iter()
                    .any(|word| name.contains(word));
            }
        });
    }
    is_pause
}
