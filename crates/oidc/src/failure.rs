//! Why a sign-in failed, as sentences: what happened, and what to do.

use protocol::Time;
use std::fmt;
use thiserror::Error;

/// Longest error of a provider that is shown.
const MAX_ERROR_CHARS: usize = 60;

/// Why a sign-in through the provider failed. The text continues the provider's name, or is about the sign-in; it has
/// no advice.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum SignInFailed {
    #[error("The provider can't be reached: it {reason}.")]
    Unreachable { reason: String },
    #[error("The provider's answer can't be used: {reason}.")]
    BadAnswer { reason: String },
    #[error("This sign-in was already completed, or was begun more than 10 minutes ago.")]
    UnknownState,
    #[error("This sign-in was begun in another browser, or this browser does not keep cookies.")]
    OtherBrowser,
    #[error("The provider denied access, or the sign-in was cancelled at the provider.")]
    Denied,
    #[error("The provider reported the error '{error}'.")]
    Reported { error: String },
    #[error("The provider rejected the code of this sign-in: it was used twice, or has expired.")]
    CodeRejected,
    #[error("The provider does not accept Signalbox as a client ({error}).")]
    ClientRejected { error: String },
    #[error("The ID token of the provider is not accepted: {0}.")]
    IdToken(IdTokenProblem),
    #[error("The ID token of the provider has no claim '{claim}', which Signalbox uses as the user name.")]
    NoName { claim: String },
    #[error(
        "The provider has not verified the e-mail address '{email}', which Signalbox uses as the user name."
    )]
    EmailNotVerified { email: String },
    /// Signed in at the provider, but without a role here.
    #[error("The provider knows you as '{name}', but {}.", missing_role(*.has_groups))]
    NoRole { name: String, subject: String, has_groups: bool },
    #[error("The server can't get random numbers from the operating system: {0}.")]
    Random(String),
}

/// Why an ID token is not accepted. The text continues a sentence.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum IdTokenProblem {
    Malformed,
    /// The algorithm is `none`, uses a shared secret, or is unknown.
    Algorithm,
    UnknownKey,
    Signature,
    Issuer,
    Audience,
    Nonce,
    Missing(&'static str),
    Expired {
        at: Time,
        now: Time,
    },
    NotYetValid {
        from: Time,
        now: Time,
    },
}

impl fmt::Display for IdTokenProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => f.write_str("it is malformed"),
            Self::Algorithm => f.write_str("it is not signed with a public-key algorithm"),
            Self::UnknownKey => f.write_str("it is signed with a key that the provider does not publish"),
            Self::Signature => f.write_str("its signature is wrong"),
            Self::Issuer => f.write_str("it is from another issuer"),
            Self::Audience => f.write_str("it is for another client"),
            Self::Nonce => f.write_str("it belongs to another sign-in"),
            Self::Missing(claim) => write!(f, "it has no valid claim '{claim}'"),
            Self::Expired { at, now } => {
                write!(f, "it expired at {at}, and the clock of the server says {now}")
            }
            Self::NotYetValid { from, now } => {
                write!(f, "it is valid from {from}, and the clock of the server says only {now}")
            }
        }
    }
}

fn missing_role(has_groups: bool) -> &'static str {
    match has_groups {
        true => "none of your groups has a role in Signalbox",
        false => "it sent no groups, which determine your role in Signalbox",
    }
}

/// Who can do something about a failure.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Advice {
    /// Later, or in another way.
    Later,
    /// The person: sign in again.
    Again,
    /// The person: sign in again in the same browser.
    SameBrowser,
    /// An administrator of the provider: access to Signalbox.
    AccessAtProvider,
    /// An administrator of the provider: the group of the person.
    Group,
    /// An administrator of Signalbox: the settings.
    Settings,
    /// An administrator: the clocks.
    Clocks,
}

impl SignInFailed {
    /// Error that the provider reported through the browser.
    pub fn reported(error: &str) -> Self {
        match error {
            "access_denied" => Self::Denied,
            error => Self::Reported { error: shown_error(error) },
        }
    }

    /// Who can do something about it.
    pub fn advice(&self) -> Advice {
        match self {
            Self::Unreachable { .. } | Self::Random(_) => Advice::Later,
            Self::UnknownState | Self::CodeRejected | Self::Reported { .. } => Advice::Again,
            Self::OtherBrowser => Advice::SameBrowser,
            Self::Denied => Advice::AccessAtProvider,
            Self::NoRole { .. } => Advice::Group,
            Self::IdToken(IdTokenProblem::Expired { .. } | IdTokenProblem::NotYetValid { .. }) => {
                Advice::Clocks
            }
            Self::IdToken(IdTokenProblem::Nonce) => Advice::Again,
            Self::BadAnswer { .. }
            | Self::ClientRejected { .. }
            | Self::IdToken(_)
            | Self::NoName { .. }
            | Self::EmailNotVerified { .. } => Advice::Settings,
        }
    }
}

impl Advice {
    /// A sentence.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Later => {
                "Try again in a minute. Local users and tokens still work; if this continues, ask an administrator."
            }
            Self::Again => "Sign in again. If this continues, ask an administrator.",
            Self::SameBrowser => {
                "Sign in again. Use the same browser and the same address until you are signed in, and allow cookies for this site."
            }
            Self::AccessAtProvider => {
                "Sign in again. If you did not cancel, ask an administrator of the provider for access to Signalbox."
            }
            Self::Group => {
                "Ask an administrator for a group that has a role in Signalbox, then sign in again. The section [oidc] of \
                 the configuration lists these groups."
            }
            Self::Settings => {
                "Ask an administrator to compare the section [oidc] of the configuration with the provider's settings. The \
                 server's log has the details."
            }
            Self::Clocks => {
                "Ask an administrator to check the clocks of the server and of the provider: they may differ by at most a \
                 minute."
            }
        }
    }
}

/// Error code of a provider as text to show: a link could contain anything.
pub(crate) fn shown_error(error: &str) -> String {
    let shown = |c: &char| c.is_ascii_alphanumeric() || "_-.".contains(*c);
    let error: String = error.chars().filter(shown).take(MAX_ERROR_CHARS).collect();
    if error.is_empty() { "unknown".to_owned() } else { error }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_shown_without_sentences_of_others() {
        assert_eq!(shown_error("login_required"), "login_required");
        assert_eq!(shown_error("call +1 555 <b>now</b>"), "call1555bnowb");
        assert_eq!(shown_error(&"x".repeat(500)).len(), MAX_ERROR_CHARS);
        assert_eq!(shown_error("!"), "unknown");
    }
}
