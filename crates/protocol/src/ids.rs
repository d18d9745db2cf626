//! Identifiers: operations and host instances are UUIDv7, kinds and hosts are validated names.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;
use uuid::Uuid;

macro_rules! uuid_newtype {
    ($name:ident, $doc:literal) => {
        #[doc = $doc]
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        pub struct $name(pub Uuid);

        impl $name {
            /// New ID; later IDs sort later.
            #[cfg(feature = "native")]
            #[expect(
                clippy::new_without_default,
                reason = "each call returns a new ID, so there is no default value"
            )]
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }

            /// First and last characters, for display: `0199c2…4f1a`.
            pub fn short(&self) -> String {
                let s = self.0.as_simple().to_string();
                format!("{}…{}", &s[..6], &s[28..])
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self.0.as_hyphenated(), f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = NameError;
            fn from_str(s: &str) -> Result<Self, NameError> {
                Uuid::parse_str(s).map(Self).map_err(|_| NameError::NotAnId(s.chars().take(60).collect()))
            }
        }
    };
}

uuid_newtype!(OperationId, "ID of an operation, the same for all of its attempts.");
uuid_newtype!(InstanceId, "ID of a running process: new at each start of a host or of the server.");

impl OperationId {
    /// Smallest ID that is created at or after a time, to the millisecond; all IDs created before are smaller. IDs
    /// begin with the millisecond of their creation (RFC 9562, section 5.7).
    pub fn earliest(at: crate::Time) -> Self {
        let millis = at.micros().div_euclid(1_000).max(0) as u128;
        Self(Uuid::from_u128((millis & 0xffff_ffff_ffff) << 80))
    }

    /// Next ID in order; the IDs before it are this one and all older ones.
    pub fn next(self) -> Self {
        Self(Uuid::from_u128(self.0.as_u128().saturating_add(1)))
    }
}

impl InstanceId {
    /// When the process started, to the millisecond, by the clock of its machine; `None` for IDs without a time.
    pub fn created_at(&self) -> Option<crate::Time> {
        let millis = (self.0.as_u128() >> 80) as i64;
        (self.0.get_version_num() == 7).then(|| crate::Time::from_micros(millis * 1_000))
    }
}

/// Reason why a name or ID is invalid.
#[derive(Debug, Error, PartialEq, Eq, Clone)]
pub enum NameError {
    #[error("'{0}' is not an ID; IDs look like 0199c2d4-7f3a-7c11-9e1b-2d5f8a4b6c7d")]
    NotAnId(String),
    #[error("'{0}' is not a kind; kinds are named area.verb in lower case, like data.load")]
    NotAKind(String),
    #[error("'{0}' is not a host name; use 1 to 40 lower-case letters, digits and '-', like gpu-1")]
    NotAHost(String),
}

fn word(s: &str) -> bool {
    !s.is_empty()
        && s.len() <= 40
        && s.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_')
}

macro_rules! name_newtype {
    ($name:ident, $doc:literal, $error:ident, $check:expr) => {
        #[doc = $doc]
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[cfg_attr(feature = "openapi", schema(value_type = String))]
        pub struct $name(String);

        impl $name {
            /// Validates a name.
            ///
            /// # Errors
            /// If it does not have the form in the type's documentation.
            pub fn new(s: impl Into<String>) -> Result<Self, NameError> {
                let s = s.into();
                let check: fn(&str) -> bool = $check;
                if check(&s) { Ok(Self(s)) } else { Err(NameError::$error(s.chars().take(60).collect())) }
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;
            fn try_from(s: String) -> Result<Self, NameError> {
                Self::new(s)
            }
        }

        impl From<$name> for String {
            fn from(n: $name) -> String {
                n.0
            }
        }

        impl FromStr for $name {
            type Err = NameError;
            fn from_str(s: &str) -> Result<Self, NameError> {
                Self::new(s)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name_newtype!(KindName, "Kind of operation: `area.verb`, such as `data.load`.", NotAKind, |s| {
    s.split_once('.').is_some_and(|(area, verb)| word(area) && word(verb))
});
name_newtype!(
    HostName,
    "Name of a host in the configuration, in lower case, such as `gpu-1`.",
    NotAHost,
    |s| { word(s) }
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_of_a_process_says_when_it_started() {
        let id: InstanceId = "0199c2d4-7f3a-7c11-9e1b-2d5f8a4b6c7d".parse().unwrap();
        assert_eq!(id.created_at().map(|at| at.to_string()), Some("2025-10-08T07:58:50.170000Z".to_owned()));
        let random: InstanceId = "7f1d4b52-0a3c-4f6e-8b1d-2d5f8a4b6c7d".parse().unwrap();
        assert_eq!(random.created_at(), None);
    }

    #[test]
    fn names_are_validated_when_parsed() {
        assert!(KindName::new("data.load").is_ok());
        for bad in ["", "data", "data.", ".load", "Data.load", "data.load.more", "data load"] {
            assert!(KindName::new(bad).is_err(), "{bad}");
        }
        assert!(HostName::new("gpu-1").is_ok());
        assert!(serde_json::from_str::<HostName>("\"not a host\"").is_err());
    }

    #[test]
    fn an_id_parses_back_from_its_text() {
        let text = "0199c2d4-7f3a-7c11-9e1b-2d5f8a4b6c7d";
        let id: OperationId = text.parse().unwrap();
        assert_eq!(id.to_string(), text);
        assert_eq!(id.short(), "0199c2…6c7d");
        assert!("42".parse::<OperationId>().is_err());
    }
}
