//! The pages, one per route.

pub mod alerts;
pub mod audit;
pub mod compare;
pub mod host;
pub mod hosts;
pub mod lazy;
mod left;
pub mod new;
pub mod not_found;
pub mod operation;
pub mod operations;
pub mod overview;
