//! Form for the parameters of a kind, generated from its schema.

mod combobox;
mod control;
mod field;
mod fields;
mod range;
mod time;
pub mod typed;
mod vary;

pub use field::FieldInput;
pub use fields::{Fields, VariedFields};
pub use vary::{VARY, Varied, can_vary, values_of};
