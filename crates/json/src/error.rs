//! Reasons for which a document can't be read.

use serde::de::{Expected, Unexpected};
use std::fmt;

/// Why a document could not be read.
#[derive(Debug)]
pub struct Error(Box<str>);

impl Error {
    /// Not generic, so that it is compiled once.
    #[cold]
    #[inline(never)]
    pub(crate) fn new(text: fmt::Arguments<'_>) -> Self {
        Self(text.to_string().into())
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn at(position: usize, expected: &str) -> Self {
        Self::new(format_args!("expected {expected} at byte {position}"))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

impl serde::de::Error for Error {
    #[cold]
    #[inline(never)]
    fn custom<T: fmt::Display>(text: T) -> Self {
        Self::new(format_args!("{text}"))
    }

    #[cold]
    #[inline(never)]
    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(format_args!("invalid type: {unexpected}, expected {expected}"))
    }

    #[cold]
    #[inline(never)]
    fn invalid_value(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(format_args!("invalid value: {unexpected}, expected {expected}"))
    }

    #[cold]
    #[inline(never)]
    fn invalid_length(length: usize, expected: &dyn Expected) -> Self {
        Self::new(format_args!("invalid length {length}, expected {expected}"))
    }

    #[cold]
    #[inline(never)]
    fn unknown_variant(variant: &str, _expected: &'static [&'static str]) -> Self {
        Self::new(format_args!("unknown variant `{variant}`"))
    }

    #[cold]
    #[inline(never)]
    fn unknown_field(field: &str, _expected: &'static [&'static str]) -> Self {
        Self::new(format_args!("unknown field `{field}`"))
    }

    #[cold]
    #[inline(never)]
    fn missing_field(field: &'static str) -> Self {
        Self::new(format_args!("missing field `{field}`"))
    }

    #[cold]
    #[inline(never)]
    fn duplicate_field(field: &'static str) -> Self {
        Self::new(format_args!("duplicate field `{field}`"))
    }
}
