//! Numbers and times as text. Pure: the same value always gives the same text, and nothing here reads a clock.

mod duration;
mod figure;
mod json;
mod number;
mod time;

pub use duration::{about, ago, duration, offset, span, span_to};
pub use figure::{
    Digits, NO_FIGURE, PLAIN_SIZES, Write, are_told_apart, decimal, exponent, figure, figure_to, is_same,
    ratio_to, reads_same, scientific, share, share_to, signed, tell_apart,
};
pub use json::{param, value};
pub use number::{alert_counts, bytes, bytes_of, compact, count, counted, listed, ordinal, percent, rate};
pub use time::{bar_time, clock, clock_millis, date, day, month_start};
