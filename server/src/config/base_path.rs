//! Path under which a proxy serves the page and the API.

use serde::Deserialize;
use std::fmt;
use std::str::FromStr;

/// First segments of our own paths: below one of these, it would be unknown whether a proxy has removed the base path.
const OWN: [&str; 17] = [
    "account",
    "alerts",
    "api",
    "audit",
    "compare",
    "healthz",
    "hosts",
    "metrics",
    "new",
    "openapi.json",
    "operations",
    "pkg",
    "readyz",
    "sign-in",
    "sign-in.css",
    "sign-out",
    "vendor",
];

/// Empty at the root of a host; otherwise it begins with a slash and does not end with one.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(try_from = "String")]
pub struct BasePath(String);

impl BasePath {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Rest of a path below this one, beginning with a slash. `None` for any other path, and for the base path itself
    /// without a trailing slash.
    pub fn strip<'a>(&self, path: &'a str) -> Option<&'a str> {
        path.strip_prefix(self.0.as_str()).filter(|rest| rest.starts_with('/'))
    }
}

impl FromStr for BasePath {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let path = text.trim_end_matches('/');
        if path.is_empty() {
            return Ok(Self::default());
        }
        let Some(rest) = path.strip_prefix('/') else {
            return Err(format!("the base path '{text}' does not start with a slash. Example: /signalbox"));
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.~".contains(c);
        let fits = |part: &str| !part.is_empty() && part.chars().all(plain) && part != "." && part != "..";
        if !rest.split('/').all(fits) {
            return Err(format!(
                "the base path '{text}' is invalid. Between single slashes, use only a-z, A-Z, 0-9 and -_.~, and no part \
                 that is '.' or '..'. Example: /signalbox"
            ));
        }
        let first = rest.split('/').next().unwrap_or_default();
        if OWN.contains(&first) {
            return Err(format!(
                "the base path '{text}' conflicts with a route of Signalbox. Choose a different base path, such as /signalbox"
            ));
        }
        Ok(Self(path.to_owned()))
    }
}

impl TryFrom<String> for BasePath {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl fmt::Display for BasePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, String> {
        text.parse().map(|BasePath(path)| path)
    }

    #[test]
    fn a_base_path_may_end_with_a_slash() {
        assert_eq!(read("/signalbox").unwrap(), "/signalbox");
        assert_eq!(read("/signalbox/").unwrap(), "/signalbox");
        assert_eq!(read("/runs/box-2").unwrap(), "/runs/box-2");
        assert_eq!(read("").unwrap(), "");
        assert_eq!(read("/").unwrap(), "");
    }

    #[test]
    fn an_invalid_base_path_is_rejected_with_a_correction() {
        for wrong in ["signalbox", "/a b", "/a//b", "/../etc", "/a?b", "/%41", "/api/box", "/operations"] {
            assert!(read(wrong).unwrap_err().contains("/signalbox"), "{wrong}");
        }
    }

    #[test]
    fn only_whole_segments_are_below_the_base_path() {
        let base: BasePath = "/signalbox".parse().unwrap();
        assert_eq!(base.strip("/signalbox/api/v1/kinds"), Some("/api/v1/kinds"));
        assert_eq!(base.strip("/signalbox/"), Some("/"));
        assert_eq!(base.strip("/signalbox"), None);
        assert_eq!(base.strip("/signalboxes/"), None);
        assert_eq!(base.strip("/operations"), None);
    }
}
