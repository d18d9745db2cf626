//! Components shared by pages. None depends on the page it is on.

pub mod badge;
pub mod bar;
pub mod chart;
pub mod confirm;
mod dialog;
pub mod focus;
pub mod form;
pub mod frame;
pub mod icon;
pub mod ident;
pub mod keys;
pub mod link;
pub mod menu;
pub mod moment;
pub mod palette;
pub mod placeholders;
pub mod print_note;
pub mod receipt;
pub mod row;
pub mod row_selection;
pub mod rule_fields;
pub mod sorted;
pub mod state_mark;
pub mod tab;
pub mod theme;
pub mod toasts;
