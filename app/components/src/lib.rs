//! Components shared by pages. None depends on the page it is on.
//!
//! Knows: how state looks, and which action follows a click or a key. Must not know: pages, charts, where data comes
//! from.

#![recursion_limit = "256"]
#![expect(clippy::new_without_default, reason = "the app creates each context once")]

pub mod account;
pub mod badge;
pub mod bar;
mod chosen_cell;
pub mod confirm;
pub mod deferred;
pub mod dialog;
pub mod focus;
pub mod form;
pub mod frame;
pub mod headline;
pub mod hint;
pub mod icon;
pub mod ident;
pub mod keys;
pub mod kind_mark;
pub mod lazy_section;
pub mod link;
pub mod menu;
pub mod moment;
pub mod palette;
pub mod permission;
pub mod placeholders;
pub mod print_note;
mod rail_views;
pub mod reactive;
pub mod receipt;
pub mod row;
pub mod row_selection;
pub mod rule_fields;
pub mod signed_out;
pub mod slots;
pub mod sorted;
pub mod spark;
pub mod state_mark;
pub mod tab;
pub mod theme;
pub mod toasts;
