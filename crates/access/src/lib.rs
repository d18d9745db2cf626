//! Access rules: which role has which permission, which changes of tokens and users are allowed, the format of tokens,
//! hashes of passwords, and pauses after failed sign-ins.
//!
//! Knows no I/O, no clock and no HTTP: the server asks it, and enforces the answers.

mod decision;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod password;
mod rules;
mod secret;
mod session;
mod sign_in;

pub use decision::{Decision, Grant, Reach, decide, lacked, minimum_role, permissions};
pub use password::{SALT_BYTES, hash_password, verify_password};
pub use rules::{
    Denied, MAX_NAME_CHARS, MAX_TOKEN_DAYS, Standing, check_change, check_new, check_new_user, check_person,
    check_revocation, check_user_removal,
};
pub use secret::{PREFIX, RANDOM_BYTES, Secret, SecretHash};
pub use session::{SESSION_MICROS, session_ended};
pub use sign_in::{Attempts, check_password};
