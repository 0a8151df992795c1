//! The only place that sees syn's tree of existing code: files in, owned facts out.

mod facts;
mod lookup;
mod macros;
mod pattern;
mod read;
mod serde_attr;

pub use facts::{
    ArmFact, EnumFact, FieldFact, FileFacts, FnFact, ImplFact, ItemFact, MatchFact, ModFact,
    ModelFact, Pattern, SerdeFact, StringSetFact, StructFact, UseFact, VariantFact,
};
pub use lookup::{Index, Parsed};
pub use read::{Interest, read};
