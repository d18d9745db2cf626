//! Numbers of a document, and their exact values.
//!
//! The parser of the standard library has a table of 10 KiB that does not compress. Here, almost all numbers need none,
//! and the others are divided digit by digit.

use crate::node::Node;
use std::cmp::Ordering;

/// Largest integer up to which a float has each one.
const MAX_EXACT: u64 = 1 << 53;
/// Significant digits that decide how a number is rounded: at most 768. Of further ones, only whether all are zero
/// does.
const MAX_DIGITS: usize = 800;
/// No finite float has a power of ten beyond it.
const MAX_EXPONENT: i64 = 400;

/// Powers of ten that a float has exactly.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19, 1e20, 1e21, 1e22,
];

/// Nearest float of a decimal number, as `str::parse` gives it: `1.5`, `-.5`, `+2e-3`. `None` for any other text, and
/// for the words of infinity and NaN. Infinity for a number that is too large.
#[must_use]
pub fn float(text: &str) -> Option<f64> {
    let (negative, size) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (mantissa, exponent) = match size.find(['e', 'E']) {
        Some(at) => (&size[..at], power(&size[at + 1..])?),
        None => (size, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = || whole.bytes().chain(fraction.bytes());
    if digits().next().is_none() || !digits().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let exponent = exponent.saturating_sub(fraction.len() as i64);
    let digits: Vec<u8> = digits().map(|byte| byte - b'0').skip_while(|digit| *digit == 0).collect();
    let value = nearest(&digits, exponent);
    Some(if negative { -value } else { value })
}

/// Exponent of ten with an optional sign.
fn power(text: &str) -> Option<i64> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // Any larger one has the same effect.
    let size = digits.bytes().fold(0i64, |sum, byte| (sum * 10 + i64::from(byte - b'0')).min(i64::MAX / 32));
    Some(if negative { -size } else { size })
}

/// Nearest float of `digits`, the first of which is not zero, times a power of ten.
fn nearest(digits: &[u8], exponent: i64) -> f64 {
    let small =
        digits.iter().try_fold(0u64, |sum, digit| sum.checked_mul(10)?.checked_add(u64::from(*digit)));
    match small {
        Some(0) => 0.0,
        // Both operands are exact, so the result is the nearest float.
        Some(small) if small <= MAX_EXACT && exponent.unsigned_abs() < POWERS.len() as u64 => {
            let power = POWERS[exponent.unsigned_abs() as usize];
            if exponent < 0 { small as f64 / power } else { small as f64 * power }
        }
        _ => divided(digits, exponent),
    }
}

/// As [`nearest`], by long division of integers of any size.
fn divided(digits: &[u8], exponent: i64) -> f64 {
    // Position of the first digit.
    let size = exponent.saturating_add(digits.len() as i64);
    if size > MAX_EXPONENT {
        return f64::INFINITY;
    }
    if size < -MAX_EXPONENT {
        return 0.0;
    }
    let kept = digits.len().min(MAX_DIGITS);
    let mut exponent = exponent + (digits.len() - kept) as i64;
    let mut top = Big(vec![]);
    for digit in &digits[..kept] {
        top.times_ten(u32::from(*digit));
    }
    if digits[kept..].iter().any(|digit| *digit > 0) {
        top.times_ten(1);
        exponent -= 1;
    }
    let mut bottom = Big(vec![1]);
    for _ in 0..exponent.unsigned_abs() {
        if exponent > 0 { top.times_ten(0) } else { bottom.times_ten(0) }
    }
    // The quotient times a power of two has 55 or 56 bits.
    let shift = bottom.bits() - top.bits() + 55;
    if shift > 0 {
        top.shift(shift)
    } else {
        bottom.shift(-shift)
    }
    bottom.shift(56);
    let mut quotient = 0u64;
    for _ in 0..=56 {
        quotient <<= 1;
        if top.compare(&bottom) != Ordering::Less {
            top.subtract(&bottom);
            quotient |= 1;
        }
        bottom.halve();
    }
    rounded(quotient, -shift, top.bits() > 0)
}

/// Nearest float of `quotient` times a power of two, `more` if a rest below it was cut off. Halves go to the even one.
fn rounded(quotient: u64, exponent: i64, more: bool) -> f64 {
    let bits = i64::from(64 - quotient.leading_zeros());
    // Exponent of the last bit of the result; that of the smallest float at least.
    let last = (exponent + bits - 53).max(-1074);
    let cut = last - exponent;
    if cut > 60 {
        return 0.0;
    }
    let (kept, rest, half) = (quotient >> cut, quotient & ((1 << cut) - 1), 1 << (cut - 1));
    let up = rest > half || rest == half && (more || kept & 1 == 1);
    let kept = kept + u64::from(up);
    // The highest bit of `kept`, which a float does not store, adds one to the exponent.
    match ((last + 1074) as u64) << 52 {
        _ if last > 971 => f64::INFINITY,
        exponent => f64::from_bits(exponent + kept),
    }
}

/// An integer of any size, its lowest part first.
struct Big(Vec<u32>);

impl Big {
    fn times_ten(&mut self, plus: u32) {
        let mut over = u64::from(plus);
        for part in &mut self.0 {
            over += u64::from(*part) * 10;
            *part = over as u32;
            over >>= 32;
        }
        if over > 0 {
            self.0.push(over as u32);
        }
    }

    fn bits(&self) -> i64 {
        let top = self.0.iter().rposition(|part| *part > 0);
        top.map_or(0, |top| (top as i64 + 1) * 32 - i64::from(self.0[top].leading_zeros()))
    }

    /// To the left.
    fn shift(&mut self, bits: i64) {
        for _ in 0..bits % 32 {
            let mut over = 0;
            for part in &mut self.0 {
                (*part, over) = (*part << 1 | over, *part >> 31);
            }
            if over > 0 {
                self.0.push(over);
            }
        }
        self.0.splice(0..0, std::iter::repeat_n(0, bits as usize / 32));
    }

    fn halve(&mut self) {
        let mut over = 0;
        for part in self.0.iter_mut().rev() {
            (*part, over) = (*part >> 1 | over << 31, *part & 1);
        }
    }

    fn part(&self, at: usize) -> u32 {
        self.0.get(at).copied().unwrap_or_default()
    }

    fn compare(&self, other: &Self) -> Ordering {
        let parts = 0..self.0.len().max(other.0.len());
        parts
            .rev()
            .map(|at| self.part(at).cmp(&other.part(at)))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    }

    /// `other` is not larger.
    fn subtract(&mut self, other: &Self) {
        let mut borrowed = false;
        for (at, part) in self.0.iter_mut().enumerate() {
            let (first, one) = part.overflowing_sub(other.part(at));
            let (second, two) = first.overflowing_sub(u32::from(borrowed));
            (*part, borrowed) = (second, one || two);
        }
    }
}

/// Length and value of the number at the start of `text`; `None` when there is none, or it is too large for a float.
pub(crate) fn read(text: &str) -> Option<(usize, Node<'static>)> {
    let bytes = text.as_bytes();
    let digits = |from: usize| bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let start = usize::from(bytes.first() == Some(&b'-'));
    let whole = digits(start);
    // No zeros at the front.
    if whole == 0 || whole > 1 && bytes[start] == b'0' {
        return None;
    }
    let mut at = start + whole;
    if bytes.get(at) == Some(&b'.') {
        at += 1 + Some(digits(at + 1)).filter(|fraction| *fraction > 0)?;
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        at += 1 + sign + Some(digits(at + 1 + sign)).filter(|digits| *digits > 0)?;
    }
    let number = &text[..at];
    let integer = match start {
        _ if at > start + whole => None,
        0 => number.parse().ok().map(Node::Unsigned),
        // A negative zero is a float.
        _ => number.parse().ok().filter(|value| *value < 0).map(Node::Signed),
    };
    let node = integer.or_else(|| float(number).filter(|value| value.is_finite()).map(Node::Float))?;
    Some((at, node))
}
