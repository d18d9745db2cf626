//! Access rules: which role has which permission, which changes of tokens are allowed, and the format of tokens.
//!
//! Knows no I/O, no clock and no HTTP: the server asks it, and enforces the answers.

mod decision;
mod rules;
mod secret;

pub use decision::{Decision, decide, minimum_role, permissions};
pub use rules::{Denied, MAX_NAME_CHARS, MAX_TOKEN_DAYS, Standing, check_new, check_revocation};
pub use secret::{PREFIX, RANDOM_BYTES, Secret, SecretHash};
