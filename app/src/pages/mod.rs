//! The pages, one for each address.

pub mod compare;
pub mod hosts;
pub mod lazy;
pub mod new;
pub mod not_found;
pub mod operation;
pub mod operations;
pub mod overview;
