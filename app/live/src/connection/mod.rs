//! Connection to the feed, without sockets: [`state`] decides what to open and when, [`sequence_check`] notices gaps,
//! [`clock`] estimates server time and latency, [`wire`] parses messages.

pub mod clock;
pub mod sequence_check;
pub mod state;
pub mod wire;
