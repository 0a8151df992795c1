//! The variants that stand beside what was recorded of them.

use super::{Record, Recorded, WireForm, path};
use crate::index::VariantFact;
use crate::landmarks::SpecEnum;

/// A variant with what a snapshot of it says today.
pub struct Standing<'a> {
    /// The variant.
    pub variant: &'a VariantFact,
    /// Where its snapshot belongs.
    pub path: String,
    /// What it says: the wire form of today, and what was recorded of its scaffolding.
    pub record: Record,
    /// The snapshot that was recorded, if there is one.
    pub recorded: Option<&'a Recorded>,
}

impl Standing<'_> {
    /// Whether what is recorded at its place is what stands.
    #[must_use]
    pub fn is_recorded(&self) -> bool {
        let at_place = self.recorded.filter(|known| known.file.path == self.path);
        at_place.is_some_and(|known| known.record.form.is_same(&self.record.form))
    }
}

/// Every variant of the enum, in its order.
#[must_use]
pub fn standing<'a>(
    spec: &'a SpecEnum,
    folder: &str,
    recorded: &'a [Recorded],
) -> Vec<Standing<'a>> {
    let variants = spec.fact.variants.iter();
    let of_variant = variants.map(|variant| {
        let form = WireForm::of(spec, variant);
        let path = path(folder, &form.tag);
        let of_it: Vec<&Recorded> = recorded
            .iter()
            .filter(|known| {
                variant_of(spec, &known.record.form).is_some_and(|of| of == variant.name)
            })
            .collect();
        let at_place = of_it.iter().find(|known| known.file.path == path);
        let recorded = at_place.or(of_it.first()).copied();
        Standing {
            variant,
            path,
            record: Record {
                form,
                scaffolded: recorded.and_then(|known| known.record.scaffolded.clone()),
            },
            recorded,
        }
    });
    of_variant.collect()
}

/// The name of the variant that a recorded form is of: the one that reads its tag, as rows go there
/// whatever it is called; else the one of its name.
#[must_use]
pub fn variant_of(spec: &SpecEnum, form: &WireForm) -> Option<String> {
    let reads = |variant: &&VariantFact| spec.tags(variant).contains(&form.tag);
    let by_tag = spec.fact.variants.iter().find(reads);
    let found = by_tag.or_else(|| spec.variant(&form.variant));
    found.map(|variant| variant.name.clone())
}
