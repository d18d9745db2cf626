//! The form of a kind's params, made from its schema: fields with their help, messages at what is wrong.

mod field;
mod range;
pub mod typed;

pub use field::FieldInput;
