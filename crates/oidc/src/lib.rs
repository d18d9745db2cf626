//! Sign-in by OpenID Connect: authorization code flow with PKCE, for one provider.
//!
//! Knows: the provider's documents and keys, the checks of an ID token, sign-ins that have begun, and which role the
//! groups of a person have. Must not know: sessions, cookies, pages, how users are stored.
//!
//! [`Provider`] reads the provider's documents when they are needed, so a provider that is away stops nothing.
//! [`PendingSignIns`] binds each sign-in to one browser. [`Person`] is the result: who signed in, with which role.

mod claims;
mod discovery;
mod exchange;
mod failure;
mod fetch;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod identity;
mod keys;
mod pending;
mod provider;
mod ring_signatures;
mod roles;
mod settings;

pub use discovery::is_protected;
pub use failure::{Advice, IdTokenProblem, SignInFailed};
pub use identity::Person;
pub use pending::{Begun, PENDING_SECONDS, PendingSignIn, PendingSignIns};
pub use provider::Provider;
pub use roles::{GroupRole, RoleMapping};
pub use settings::{ClientSecret, Settings};
