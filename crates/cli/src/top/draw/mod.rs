//! Picture of the view: header, hosts, operations, details or log, and footer. Pure.

mod bars;
mod details;
mod frame;
mod hosts;
mod operations;
mod theme;

pub use frame::{Picture, draw};
pub use theme::Theme;
