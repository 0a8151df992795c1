//! Types of captured variables that only the compiler knows.

use std::collections::BTreeMap;
use std::ops::Range;

use super::SiteRequest;
use crate::index::{Index, SpawnFact};
use crate::note::{Outcome, Refusal};
use crate::spawn::probe::Answer;
use crate::spawn::{Found, Role, Roles, Taken};

/// Asks the compiler: the package, the file, the range of the work, the variables.
pub type Compiler<'c> =
    dyn Fn(&str, &str, Range<usize>, &[String]) -> Outcome<BTreeMap<String, Answer>> + 'c;

/// Whether the source does not tell the type of a variable, nor does the command line.
pub(super) fn is_open(of: &Taken, asked: &SiteRequest) -> bool {
    of.ty.is_none()
        && !of.name.contains('.')
        && of.role != Role::Secret
        && !asked.types.iter().any(|(name, _)| *name == of.name)
}

/// Fills in what is open, and what part each of these variables plays.
pub(super) fn ask(
    index: &Index<'_>,
    found: &mut Found,
    fact: &SpawnFact,
    asked: &SiteRequest,
    compiler: &Compiler<'_>,
) -> Outcome<()> {
    let open = found.taken.iter().filter(|of| is_open(of, asked));
    let names: Vec<String> = open.map(|of| of.name.clone()).collect();
    let package = found.site.package.clone();
    let answers = compiler(&package, &asked.path, fact.work.range.clone(), &names)
        .map_err(|refusal| for_variables(refusal, found, &names))?;
    let member = index.workspace.member(&package);
    let krate = member
        .map(crate::workspace::Member::crate_name)
        .unwrap_or_default();
    let roles = Roles::new(index, &found.site);
    for of in found.taken.iter_mut().filter(|of| names.contains(&of.name)) {
        match answers.get(&of.name) {
            Some(Answer::Type(ty)) => {
                let ty = absolute(ty, &krate);
                of.role = roles.by_type(&of.name, &ty)?;
                of.ty = Some(ty);
            }
            Some(Answer::Unnameable(ty)) => {
                of.role = Role::Unknown;
                of.ty = Some(ty.clone());
            }
            Some(Answer::Open) | None => {}
        }
    }
    Ok(())
}

/// Why the compiler could not be asked, with the variables that it was to be asked for.
fn for_variables(refusal: Refusal, found: &Found, names: &[String]) -> Refusal {
    let types: Vec<String> = names
        .iter()
        .map(|name| format!("--type {name}=TYPE"))
        .collect();
    let first = found.taken.iter().find(|of| names.contains(&of.name));
    let refusal = match first {
        Some(of) => refusal.at(found
            .site
            .function
            .facts
            .place(&(of.at..of.at + of.name.len()))),
        None => refusal,
    };
    refusal.help(format!(
        "mend what the message names, so that the compiler can be asked; or say what the source does not tell: `{}`",
        types.join(" ")
    ))
}

/// Paths of the prelude as the compiler writes them, and as people do.
const PRELUDE: [(&str, &str); 5] = [
    ("std::string::String", "String"),
    ("std::vec::Vec", "Vec"),
    ("std::option::Option", "Option"),
    ("std::result::Result", "Result"),
    ("std::boxed::Box", "Box"),
];

/// A type that the compiler names, its paths absolute and those of the prelude short.
fn absolute(ty: &str, krate: &str) -> String {
    let mut ty = ty.to_owned();
    for (long, short) in PRELUDE {
        ty = ty.replace(long, short);
    }
    ty.replace("crate::", &format!("{krate}::"))
}

#[cfg(test)]
mod tests {
    use super::absolute;

    #[test]
    fn types_are_written_as_people_write_them() {
        assert_eq!(
            absolute("std::option::Option<crate::two::Same>", "app"),
            "Option<app::two::Same>"
        );
        assert_eq!(absolute("std::string::String", "app"), "String");
        assert_eq!(absolute("std::path::PathBuf", "app"), "std::path::PathBuf");
    }
}
