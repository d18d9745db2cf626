//! Hints of failures that a load replaces if it can be resumed.

/// Hint without a completed segment. With one, a resume is offered instead.
pub(crate) const TRY_AGAIN: &str = "Start the load again.";
