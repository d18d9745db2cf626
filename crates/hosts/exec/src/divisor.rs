//! Divisor of tqdm's shortened numbers: 1,000 by default, or 1,024 with `unit_divisor=1024`. tqdm prints no difference
//! (`6.00M/30.0M`), so the divisor is known only where the figures of one bar fit together with just one of them.

/// SI prefixes, each a factor of the divisor.
pub(crate) const PREFIXES: &str = "kMGTPEZY";

/// Divisor between two prefixes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Divisor {
    Decimal,
    Binary,
}

impl Divisor {
    pub fn value(self) -> f64 {
        match self {
            Self::Decimal => 1000.0,
            Self::Binary => 1024.0,
        }
    }
}

/// Printed number: `1.23M` is 1.23 with the second prefix.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Printed {
    number: f64,
    /// Number of its prefix; 0 without one.
    prefix: i32,
    /// Largest error by rounding.
    error: f64,
}

impl Printed {
    pub fn read(text: &str) -> Option<Self> {
        let (number, prefix) = match text.char_indices().last() {
            Some((at, c)) if c.is_ascii_alphabetic() => {
                let place = PREFIXES.find(if c == 'K' { 'k' } else { c })?;
                (&text[..at], i32::try_from(place).ok()? + 1)
            }
            _ => (text, 0),
        };
        let decimals = number.split_once('.').map_or(0, |(_, decimals)| decimals.len());
        let shortened = prefix > 0 || decimals > 0;
        let error = if shortened { 0.5 * 10_f64.powi(-i32::try_from(decimals).ok()?) } else { 0.0 };
        Some(Self { number: number.parse().ok()?, prefix, error })
    }

    /// Value, where prefixes are powers of the divisor.
    pub fn value(self, divisor: Divisor) -> f64 {
        self.number * divisor.value().powi(self.prefix)
    }

    /// Smallest and largest value that is printed like this.
    fn range(self, divisor: Divisor) -> (f64, f64) {
        let factor = divisor.value().powi(self.prefix);
        ((self.number - self.error).max(0.0) * factor, (self.number + self.error) * factor)
    }

    /// Only a divisor of 1,024 leads to numbers below 1 with a prefix: `0.98M` follows 999k.
    fn is_below_one(self) -> bool {
        self.prefix > 0 && self.number < 1.0
    }
}

/// Figures of one bar.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Figures {
    pub n: Printed,
    pub total: Option<Printed>,
    /// Rounded.
    pub percent: Option<f64>,
    /// Items per second.
    pub rate: Option<Printed>,
    /// Remaining whole seconds at this rate, cut.
    pub left: Option<f64>,
}

impl Figures {
    /// The divisor, if only one fits.
    pub fn divisor(&self) -> Option<Divisor> {
        let [decimal, binary] = [Divisor::Decimal, Divisor::Binary].map(|divisor| self.fits(divisor));
        match (decimal, binary) {
            (true, false) => Some(Divisor::Decimal),
            (false, true) => Some(Divisor::Binary),
            _ => None,
        }
    }

    fn fits(&self, divisor: Divisor) -> bool {
        let below_one = self.n.is_below_one() || self.total.is_some_and(Printed::is_below_one);
        if below_one && divisor == Divisor::Decimal {
            return false;
        }
        let Some(total) = self.total else { return true };
        let (n, total) = (self.n.range(divisor), total.range(divisor));
        let by_percent = self.percent.is_none_or(|percent| {
            let shown = ((percent - 0.5) / 100.0, (percent + 0.5) / 100.0);
            total.0 <= 0.0 || overlap((n.0 / total.1, n.1 / total.0), shown)
        });
        let by_rate = match (self.rate.map(|rate| rate.range(divisor)), self.left) {
            (Some(rate), Some(left)) if rate.0 > 0.0 => {
                let rest = ((total.0 - n.1).max(0.0), (total.1 - n.0).max(0.0));
                overlap((rest.0 / rate.1, rest.1 / rate.0), (left, left + 1.0))
            }
            _ => true,
        };
        by_percent && by_rate
    }
}

/// Whether two ranges overlap, with some room for inexact floats.
fn overlap(a: (f64, f64), b: (f64, f64)) -> bool {
    const ROOM: f64 = 1e-9;
    a.0 <= b.1 * (1.0 + ROOM) + ROOM && b.0 <= a.1 * (1.0 + ROOM) + ROOM
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Number as tqdm prints it.
    fn sizeof(mut n: f64, divisor: f64) -> String {
        for prefix in ["", "k", "M", "G", "T", "P", "E", "Z"] {
            if n < 999.5 {
                return match n {
                    n if n < 9.995 => format!("{n:.2}{prefix}"),
                    n if n < 99.95 => format!("{n:.1}{prefix}"),
                    n => format!("{n:.0}{prefix}"),
                };
            }
            n /= divisor;
        }
        format!("{n:.1}Y")
    }

    #[test]
    fn a_number_below_one_with_a_prefix_is_binary() {
        let of = |n: &str| {
            Figures { n: Printed::read(n).unwrap(), total: None, percent: None, rate: None, left: None }
                .divisor()
        };
        assert_eq!(
            (of("0.98M"), of("1.00M"), of("0.98"), of("999k")),
            (Some(Divisor::Binary), None, None, None)
        );
    }

    proptest! {
        #[test]
        fn rounded_numbers_never_prove_the_wrong_divisor(
            n in 0.0..1e12_f64, more in 1.0..1e12_f64, rate in 1.0..1e10_f64, binary in any::<bool>(),
        ) {
            let divisor = if binary { Divisor::Binary } else { Divisor::Decimal };
            let total = n.floor() + more.floor();
            let n = n.floor();
            let printed = |n: f64| Printed::read(&sizeof(n, divisor.value())).unwrap();
            let figures = Figures {
                n: printed(n),
                total: Some(printed(total)),
                percent: Some((n / total * 100.0).round()),
                rate: Some(printed(rate)),
                left: Some(((total - n) / rate).floor()),
            };
            prop_assert!(figures.fits(divisor), "{figures:?}");
        }
    }
}
