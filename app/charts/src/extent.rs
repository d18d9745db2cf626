//! How complete a chart's data is, and the text that states it. Pure.

use display::format::count;

/// Completeness of the data.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Extent {
    pub rows: Rows,
    /// Limited to the zoomed range.
    pub part: bool,
}

/// What one row stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Rows {
    /// One point or bar; none is missing.
    #[default]
    Each,
    /// Minimum or maximum of a bucket (downsampled).
    Downsampled,
    /// Downsampled, with a row per this many bars.
    ForBars(u32),
    /// A candle made of this many bars.
    OfBars(u32),
}

impl Rows {
    /// Curves with a row per `bars` bars.
    pub fn for_bars(bars: u32) -> Self {
        if bars > 1 { Rows::ForBars(bars) } else { Rows::Each }
    }

    /// Candles made of `bars` bars each.
    pub fn of_bars(bars: u32) -> Self {
        if bars > 1 { Rows::OfBars(bars) } else { Rows::Each }
    }
}

impl Extent {
    /// Nothing is missing.
    pub fn is_all(self) -> bool {
        self == Self::default()
    }

    /// Text for `rows` rows; `None` when the data is complete.
    pub fn wording(self, rows: usize) -> Option<String> {
        let rows = count(rows as u64);
        let of = |bars: u32| count(u64::from(bars));
        let held = match self.rows {
            Rows::Each => None,
            Rows::Downsampled => Some(format!("Downsampled to {rows} points (min/max per bucket).")),
            Rows::ForBars(bars) => {
                Some(format!("Downsampled to {rows} points (min/max per {} bars).", of(bars)))
            }
            Rows::OfBars(bars) => Some(format!("{rows} candles, {} bars each.", of(bars))),
        };
        let part = self.part.then(|| "Zoomed range only.".to_owned());
        match (held, part) {
            (Some(held), Some(part)) => Some(format!("{held} {part}")),
            (held, part) => held.or(part),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wording(rows: Rows, part: bool) -> Option<String> {
        Extent { rows, part }.wording(1_200)
    }

    #[test]
    fn a_partial_curve_says_so() {
        assert_eq!(wording(Rows::Each, false), None);
        assert_eq!(
            wording(Rows::Downsampled, false).unwrap(),
            "Downsampled to 1,200 points (min/max per bucket)."
        );
        assert_eq!(wording(Rows::Each, true).unwrap(), "Zoomed range only.");
        assert_eq!(
            wording(Rows::of_bars(11), true).unwrap(),
            "1,200 candles, 11 bars each. Zoomed range only."
        );
        assert!(wording(Rows::for_bars(4), false).unwrap().contains("min/max per 4 bars"));
    }

    #[test]
    fn a_row_for_each_bar_leaves_none_out() {
        assert_eq!([Rows::for_bars(0), Rows::for_bars(1), Rows::of_bars(1)], [Rows::Each; 3]);
        assert!(Extent::default().is_all() && !Extent { part: true, ..Extent::default() }.is_all());
    }
}
