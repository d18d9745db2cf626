//! Form for the parameters of a kind, generated from its schema.

mod field;
mod range;
pub mod typed;

pub use field::FieldInput;
