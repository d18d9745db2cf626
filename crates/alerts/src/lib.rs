//! Alerts: rules, their states, and which notifications a group of alerts causes.
//!
//! Knows: metrics by name, thresholds, the state machine of an alert, grouping, sentences. May not know: clocks, hosts,
//! HTTP, files. Time is passed in as elapsed seconds, so that a clock that was set causes no false alert.
//!
//! - [`metric`]: what a rule can compare, and how to read it from the history.
//! - [`metric_groups`] and [`mod@unit`]: metrics to choose from, and the units of their thresholds.
//! - [`rule`]: a validated rule; [`defaults`] has the built-in ones.
//! - [`machine`]: states of one alert.
//! - [`group`]: one notification when a group fires, and one when it is resolved.
//! - [`sentence`]: rules and alerts in plain English.

pub mod defaults;
pub mod group;
pub mod machine;
pub mod metric;
pub mod metric_groups;
pub mod rule;
pub mod sentence;
pub mod unit;

pub use group::{AlertGroups, AlertKey, Notification, Phase};
pub use machine::{Memory, Transition};
pub use metric::{Metric, Scope};
pub use rule::{Rule, RuleError};

#[cfg(test)]
mod tests;
