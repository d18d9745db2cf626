//! State of the page without views: what is selected, asked, awaited, open and set, and its addresses.
//!
//! Knows: actions on operations and hosts, settings, toasts, notifications, URLs. Must not know: how they look.

#![expect(
    clippy::new_without_default,
    reason = "the app creates each context once, and some register effects"
)]

pub mod actions;
pub mod address;
pub mod clipboard;
pub mod current;
pub mod data;
pub mod failures;
pub mod kinds;
pub mod notifications;
pub mod permissions;
pub mod retry_timer;
pub mod selection;
pub mod settings;
pub mod shortcut_help;
pub mod theme;
pub mod toasts;
pub mod views;
pub mod zone;

pub use actions::{Actions, Question};
pub use current::{CurrentOperation, OperationAction};
pub use data::Data;
pub use failures::Failures;
pub use notifications::Notifications;
pub use selection::Selection;
pub use shortcut_help::ShortcutHelp;
pub use toasts::Toasts;
pub use views::SavedViews;
pub use zone::Zones;
