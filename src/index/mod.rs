//! The only place that sees syn's tree of existing code: files in, owned facts out.

mod body;
mod code;
mod derivable;
mod facts;
mod field_lists;
mod field_tokens;
mod lookup;
mod lower;
mod lower_macro;
mod macros;
mod nesting;
mod outline;
mod pattern;
mod read;
mod scopes;
mod serde_attr;
mod spawned;
mod statements;
mod words;

pub use body::{BodyFact, LazyBody};
pub use code::{Arm, Binding, Code, FnCode, Kind, Let, Literal, Method};
pub use derivable::{Derivable, DeriveSpot, Held, derivable};
pub use facts::{
    ArmFact, EnumFact, FieldFact, FieldSerde, FileFacts, FnFact, ImplFact, ItemFact, MatchFact,
    ModFact, ModelFact, Pattern, SerdeFact, StringSetFact, StructFact, UseFact, VariantFact,
};
pub use field_lists::{Braces, FieldList, ListForm, ListedField};
pub use lookup::{Index, Memory};
pub(crate) use lookup::{find, on_all_cores};
pub(crate) use read::tokens;
pub use read::{Interest, mentions, prove, prove_one, read, whole_words};
pub use scopes::Meaning;
pub use spawned::{
    BodyOfWork, Gives, LetFact, Logged, PatternFact, Shown, SpawnFact, Statement, WorkFact,
    WorkForm,
};
pub use statements::{HandOver, StatementFact};
pub use words::{comments, lexed, lexed_code, lines_in_literals, names};
