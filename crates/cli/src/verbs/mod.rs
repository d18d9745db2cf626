//! The commands, one file each.

#[cfg(unix)]
pub mod agent;
pub mod alerts;
pub mod artifacts;
pub mod attempts;
pub mod cancel;
pub mod compare;
pub mod completion;
pub mod context;
pub mod delete;
pub mod follow;
pub mod hosts;
pub mod kinds;
pub mod list;
pub mod logs;
pub mod open;
pub mod result;
pub mod series;
pub mod show;
pub mod start;
pub mod token;
pub mod top;
pub mod user;
pub mod wait;
pub mod watch;
