//! What spawned work takes with it: each variable with its type and the part that it plays.

use std::sync::Arc;

use super::program::{FnRef, Program};
use super::scope::{Known, Source, free};
use super::typer::Typer;
use super::types::{self, Typed};
use crate::index::{Code, FileFacts, FnCode, Kind, mentions};
use crate::note::Outcome;

/// A variable that spawned work uses and does not make itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capture {
    /// Its name; `self.field` for a field of `self`.
    pub name: String,
    /// Its type as it is written where it comes from; `None` where that does not say it.
    pub ty: Option<String>,
    /// The part that it plays.
    pub role: Role,
    /// Offset of its first use.
    pub at: usize,
}

/// The part that a captured variable plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// A value that could be written down.
    Data,
    /// A connection, a client, shared state.
    Handle,
    /// What must not be written down.
    Secret,
    /// An end of a channel.
    Channel,
    /// Not known.
    Unknown,
}

impl Role {
    /// Its name in the output.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::Handle => "handle",
            Self::Secret => "secret",
            Self::Channel => "channel",
            Self::Unknown => "unknown",
        }
    }
}

/// Types that are the ends of channels.
const CHANNELS: [&str; 8] = [
    "Sender",
    "Receiver",
    "UnboundedSender",
    "UnboundedReceiver",
    "SyncSender",
    "OwnedPermit",
    "WeakSender",
    "ReceiverStream",
];

/// Types that hold a secret.
const SECRETS: [&str; 5] = [
    "SecretString",
    "SecretBox",
    "Secret",
    "SecretVec",
    "SecretSlice",
];

/// Types whose values could be written down, together with what they hold.
const DATA: [&str; 37] = [
    "String",
    "str",
    "bool",
    "char",
    "u8",
    "u16",
    "u32",
    "u64",
    "u128",
    "usize",
    "i8",
    "i16",
    "i32",
    "i64",
    "i128",
    "isize",
    "f32",
    "f64",
    "PathBuf",
    "Path",
    "Uuid",
    "Duration",
    "DateTime",
    "Utc",
    "NaiveDate",
    "NaiveDateTime",
    "Value",
    "Vec",
    "Option",
    "HashMap",
    "BTreeMap",
    "HashSet",
    "BTreeSet",
    "IndexMap",
    "Cow",
    "Url",
    "Bytes",
];

/// Types that are handles, whatever they are called with.
const HANDLES: [&str; 26] = [
    "Arc",
    "Rc",
    "Mutex",
    "RwLock",
    "Pool",
    "PgPool",
    "DatabaseConnection",
    "DatabaseTransaction",
    "Connection",
    "JoinHandle",
    "AbortHandle",
    "CancellationToken",
    "Span",
    "Semaphore",
    "Notify",
    "TcpStream",
    "TcpListener",
    "Child",
    "File",
    "OnceLock",
    "LazyLock",
    "JoinSet",
    "Handle",
    "Runtime",
    "Instant",
    "Future",
];

/// Ends of the names of types that are handles.
const HANDLE_ENDS: [&str; 17] = [
    "Client",
    "Pool",
    "Connection",
    "State",
    "Manager",
    "Service",
    "Store",
    "Handle",
    "Writer",
    "Reader",
    "Transport",
    "Executor",
    "Handler",
    "Registry",
    "Connector",
    "Token",
    "Stream",
];

/// Parts of the names of variables that hold secrets.
const SECRET_WORDS: [&str; 9] = [
    "token",
    "secret",
    "password",
    "passwd",
    "api_key",
    "apikey",
    "private_key",
    "credential",
    "passphrase",
];

/// What `work` takes with it, by name; `known` is what is in scope there.
pub fn captures(
    program: &Program<'_, '_>,
    function: &FnRef,
    code: &FnCode,
    work: &Code,
    known: &[Known<'_>],
) -> Outcome<Vec<Capture>> {
    let typer = Typer {
        program,
        function,
        code,
    };
    let mut found = Vec::new();
    for (name, range) in free(work) {
        let variable = known.iter().rfind(|known| known.name == name);
        let is_self = name == "self" || name.starts_with("self.");
        if variable.is_none() && !(is_self && code.has_self) {
            continue;
        }
        let typed = typer.variable(known, &name)?;
        let role = role(program, &name, typed.as_ref(), variable)?;
        found.push(Capture {
            name,
            ty: typed.map(|typed| typed.text),
            role,
            at: range.start,
        });
    }
    Ok(found)
}

/// The part that a variable plays in the file of `facts` by a type whose paths are absolute.
pub fn role_of(
    program: &Program<'_, '_>,
    facts: &Arc<FileFacts>,
    name: &str,
    ty: &str,
) -> Outcome<Role> {
    let typed = Typed {
        text: ty.to_owned(),
        facts: Arc::clone(facts),
    };
    role(program, name, Some(&typed), None)
}

/// The part that a variable plays, by its type, its name, and where it comes from.
pub(super) fn role(
    program: &Program<'_, '_>,
    name: &str,
    typed: Option<&Typed>,
    variable: Option<&Known<'_>>,
) -> Outcome<Role> {
    if let Some(typed) = typed {
        let ty = types::bare(&typed.text);
        if SECRETS.iter().any(|name| mentions(ty, name)) {
            return Ok(Role::Secret);
        }
        if CHANNELS.contains(&types::head(types::pointee(ty))) {
            return Ok(Role::Channel);
        }
        let inner = if types::head(ty) == "Option" {
            types::arguments(ty).first().copied().unwrap_or(ty)
        } else {
            ty
        };
        let is_text = matches!(types::head(inner), "String" | "str");
        if is_text && (is_secret_name(name) || variable.is_some_and(comes_from_secret)) {
            return Ok(Role::Secret);
        }
        return of_type(program, &typed.facts, ty, 3);
    }
    Ok(
        if is_secret_name(name) || variable.is_some_and(comes_from_secret) {
            Role::Secret
        } else {
            Role::Unknown
        },
    )
}

/// The part that values of a type play.
fn of_type(
    program: &Program<'_, '_>,
    facts: &Arc<FileFacts>,
    ty: &str,
    depth: usize,
) -> Outcome<Role> {
    let ty = types::bare(ty);
    if ty.starts_with("dyn ") || ty.starts_with("impl ") {
        return Ok(Role::Handle);
    }
    if ty.starts_with('(') || ty.starts_with('[') {
        let parts = if ty.starts_with('(') {
            types::arguments(ty)
        } else {
            vec![
                ty.trim_start_matches('[')
                    .split(';')
                    .next()
                    .unwrap_or(ty)
                    .trim_end_matches(']'),
            ]
        };
        return worst(
            parts
                .into_iter()
                .map(|part| of_type(program, facts, part, depth)),
        );
    }
    let head = types::head(ty);
    if CHANNELS.contains(&head) {
        return Ok(Role::Channel);
    }
    if SECRETS.contains(&head) {
        return Ok(Role::Secret);
    }
    if DATA.contains(&head) {
        let parts = types::arguments(ty);
        return worst(
            parts
                .into_iter()
                .filter(|part| *part != "_")
                .map(|part| of_type(program, facts, part, depth)),
        );
    }
    if HANDLES.contains(&head) {
        return Ok(Role::Handle);
    }
    if depth == 0 {
        return Ok(Role::Unknown);
    }
    if let Some((file, fact)) = program.struct_named(facts, types::path(ty))? {
        let is_data = fact
            .derives
            .iter()
            .any(|d| d == "Serialize" || d == "Deserialize");
        if is_data {
            return Ok(Role::Data);
        }
        let fields: Vec<Role> = fact
            .fields
            .iter()
            .map(|field| of_type(program, &file, &field.ty, depth - 1))
            .collect::<Outcome<_>>()?;
        if fields
            .iter()
            .any(|role| matches!(role, Role::Handle | Role::Channel))
        {
            return Ok(Role::Handle);
        }
        if !fields.is_empty() && fields.iter().all(|role| *role == Role::Data) {
            return Ok(Role::Data);
        }
    } else if let Some((file, fields)) = tuple(program, facts, ty)? {
        let fields = fields.iter();
        let worst = worst(fields.map(|field| of_type(program, &file, field, depth - 1)))?;
        if worst != Role::Data {
            return Ok(worst);
        }
    } else if let Some(file) = program.type_file(facts, types::path(ty), 2)? {
        let of = file.enums.iter().find(|of| of.name == head);
        let is_data = of.is_some_and(|of| {
            of.derives
                .iter()
                .any(|d| d == "Serialize" || d == "Deserialize")
                || of.variants.iter().all(|variant| variant.is_unit)
        });
        if is_data {
            return Ok(Role::Data);
        }
    }
    if HANDLE_ENDS.iter().any(|end| head.ends_with(end)) {
        return Ok(Role::Handle);
    }
    // The row of a sea-orm entity.
    if ty.ends_with("::Model") {
        return Ok(Role::Data);
    }
    Ok(Role::Unknown)
}

/// The file of a tuple struct, and the types of its fields.
fn tuple(
    program: &Program<'_, '_>,
    facts: &Arc<FileFacts>,
    ty: &str,
) -> Outcome<Option<(Arc<FileFacts>, Vec<String>)>> {
    let file = program.type_file(facts, types::path(ty), 1)?;
    Ok(file.and_then(|file| {
        let fields = file.tuple_struct(types::head(ty))?;
        Some((file, fields))
    }))
}

/// The role of a value that holds values of `roles`: that of the one that travels worst.
fn worst(mut roles: impl Iterator<Item = Outcome<Role>>) -> Outcome<Role> {
    roles.try_fold(Role::Data, |worst, role| Ok(worst.max(role?)))
}

/// Whether a field of this name and type holds a secret.
pub(crate) fn holds_secret(name: &str, ty: &str) -> bool {
    let is_text = ["String", "str"].iter().any(|text| mentions(ty, text));
    SECRETS.iter().any(|secret| mentions(ty, secret)) || (is_text && is_secret_name(name))
}

fn is_secret_name(name: &str) -> bool {
    let name = name.to_lowercase();
    let is_count = [
        "tokens",
        "token_count",
        "max_token",
        "token_usage",
        "_id",
        "_ref",
        "_len",
        "cancel",
        "shutdown",
        "child_token",
        "task_token",
        "stream_token",
    ];
    SECRET_WORDS.iter().any(|word| name.contains(word))
        && !is_count.iter().any(|word| name.contains(word))
}

/// Whether the value of a variable comes from a call that gives out a secret.
fn comes_from_secret(variable: &Known<'_>) -> bool {
    let Source::Value(Some(value)) = variable.source else {
        return false;
    };
    let mut found = false;
    // What a secret is handed to gives something else: only the value's own calls count.
    let mut at = value.bare();
    loop {
        match &at.kind {
            Kind::Method(method) => {
                found |= is_secret_call(&method.name);
                at = method.on.bare();
            }
            Kind::Call(callee, ..) => {
                if let Kind::Path(path) = &callee.kind {
                    found |= is_secret_call(path.rsplit("::").next().unwrap_or(path));
                }
                return found;
            }
            _ => return found,
        }
    }
}

fn is_secret_call(name: &str) -> bool {
    name.contains("decrypt")
        || name == "expose_secret"
        || is_secret_name(name)
            && (name.starts_with("get_")
                || name.starts_with("load_")
                || name.starts_with("resolve_")
                || name.starts_with("fetch_"))
}
