//! Alerts and their messages in figures, for `/metrics`.

use super::Shared;
use protocol::alerts::{AlertState, Severity};
use std::collections::BTreeMap;

/// Alerts and messages at a moment.
#[derive(Clone, Debug, Default)]
pub struct AlertFigures {
    pub rules: Vec<RuleFigures>,
    /// Number of alerts by state.
    pub states: Vec<(AlertState, u64)>,
    /// Messages by destination.
    pub destinations: BTreeMap<String, MessageFigures>,
}

/// Rule that is switched on.
#[derive(Clone, Debug)]
pub struct RuleFigures {
    pub name: String,
    pub severity: Severity,
    /// Number of its alerts that fire.
    pub firing: u32,
}

/// Messages to one destination.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct MessageFigures {
    /// Since the server started.
    pub delivered: u64,
    /// Since the server started.
    pub given_up: u64,
    /// Number of messages that wait now.
    pub waiting: u64,
}

impl AlertFigures {
    pub(super) fn read(shared: &Shared) -> Self {
        let config = &shared.config;
        if !config.enabled {
            return Self::default();
        }
        let state = shared.state.lock();
        let in_effect = shared.rules();
        let rules = in_effect.iter().filter(|known| known.enabled).map(|known| RuleFigures {
            name: known.rule.name.clone(),
            severity: known.rule.severity,
            firing: state.firing(&known.rule.name),
        });
        let of_state = |wanted| state.current.iter().filter(|alert| alert.state == wanted).count() as u64;
        let states = [AlertState::Pending, AlertState::Firing, AlertState::Recovering, AlertState::Unknown];
        let ended = shared.ended.lock();
        let destination = |name: &String| MessageFigures {
            waiting: state.waiting_for(name),
            ..ended.get(name).copied().unwrap_or_default()
        };
        let destinations = config.destinations.iter().map(|to| (to.name.clone(), destination(&to.name)));
        Self {
            rules: rules.collect(),
            states: states.map(|wanted| (wanted, of_state(wanted))).to_vec(),
            destinations: destinations.collect(),
        }
    }
}
