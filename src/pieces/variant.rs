//! The variant of the enum, documented, with the attributes that keep later fields compatible.
//!
//! ```text
//! /// Clone repository.
//! CloneRepository {
//!     clone_url: String,
//!     /// Refers to the secret; never the secret itself.
//!     auth_token_ref: String,
//! },
//! ```

use askama::Template;

use super::Piece;
use crate::format::{Form, Fragment};
use crate::index::{EnumFact, FileFacts, VariantFact};
use crate::note::{Note, Outcome};
use crate::plan::Plan;
use crate::render::render;
use crate::task::Context;
use crate::trivia::{Sibling, Spot};
use crate::workspace::SourceFile;

/// The piece.
pub const PIECE: Piece = Piece {
    id: "variant",
    about: "the variant of the enum",
    plan,
};

#[derive(Template)]
#[template(path = "variant.rs", escape = "none")]
struct Variant {
    doc: Vec<String>,
    renames: bool,
    tag: String,
    ident: String,
    fields: Vec<View>,
}

struct View {
    ident: String,
    ty: String,
    is_secret: bool,
    is_option: bool,
}

fn plan(context: &Context<'_>, plan: &mut Plan) -> Outcome<()> {
    let spec = &context.landmarks.spec;
    let task = context.task;
    let file = &spec.facts.file;
    let title = format!("`{}::{}`", spec.fact.name, task.request.variant);
    if spec.variant(&task.request.variant).is_some() {
        plan.present(PIECE.id, title, &file.path);
        return Ok(());
    }
    let krate = spec.path.split("::").next().unwrap_or_default();
    let doc = task
        .request
        .doc
        .clone()
        .unwrap_or_else(|| format!("{}.", task.question));
    let text = render(&Variant {
        doc: doc.lines().map(|line| line.trim().to_owned()).collect(),
        renames: task.renames,
        tag: task.tag.clone(),
        ident: task.ident(),
        fields: task
            .fields
            .iter()
            .map(|(field, ty)| View {
                ident: field.ident(),
                ty: ty.in_enum(krate),
                is_secret: field.is_secret,
                is_option: field.is_option(),
            })
            .collect(),
    })?;
    put(plan, title, &spec.facts, &spec.fact, text);
    Ok(())
}

/// Adds the variant that `text` is to the enum, below those that stand.
pub fn put(
    plan: &mut Plan,
    title: impl Into<String>,
    facts: &FileFacts,
    fact: &EnumFact,
    text: String,
) {
    let file = &facts.file;
    let (spot, indent) = place(file, fact);
    if spot.is_inline() {
        plan.notes.push(
            Note::warning(
                "one-line-enum",
                format!(
                    "`{}` stands on one line; its new variant carries no documentation",
                    fact.name
                ),
            )
            .at(facts.place(&fact.name_range))
            .help("format the file and document the variant"),
        );
    }
    if is_set_anew(facts, fact) {
        plan.reflow(&file.path);
    }
    let fragment = Fragment {
        form: Form::Variant,
        indent,
        text: if spot.is_inline() {
            undocumented(&text)
        } else {
            text
        },
    };
    plan.draft(PIECE.id, title, file, "variant", fragment, spot);
}

/// Whether rustfmt sets the enum anew once it gets a variant with documentation: braces that stand
/// on one line open, and so do the fields of variants that all stood on one line each.
fn is_set_anew(facts: &FileFacts, fact: &EnumFact) -> bool {
    let is_line = |variant: &VariantFact| !facts.text(&variant.range).contains('\n');
    let has_fields = |variant: &VariantFact| variant.fields.iter().flatten().next().is_some();
    let variants = &fact.variants;
    variants.is_empty() || variants.iter().all(is_line) && variants.iter().any(has_fields)
}

/// Where a further variant of the enum goes in its file, and how its lines are indented there.
fn place(file: &SourceFile, fact: &EnumFact) -> (Spot, String) {
    let siblings: Vec<Sibling> = fact
        .variants
        .iter()
        .map(|variant| Sibling {
            start: variant.range.start,
            end: variant.range.end,
            comma: variant.comma,
            needs_comma: true,
        })
        .collect();
    if siblings.is_empty() {
        let outer = file.indent_at(fact.name_range.start);
        let spot = Spot::first(file, fact.open, fact.close);
        return (spot, format!("{outer}    "));
    }
    let last = siblings.len() - 1;
    (
        Spot::after(file, &siblings, last, fact.close),
        file.indent_at(siblings[last].start).to_owned(),
    )
}

/// A line comment on a shared line would swallow what follows.
fn undocumented(text: &str) -> String {
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("///"))
        .collect();
    lines.join("\n")
}
