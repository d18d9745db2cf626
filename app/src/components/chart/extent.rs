//! How much of what there is a chart holds, in words. Pure.

use crate::format::count;

/// How much of it is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Extent {
    pub rows: Rows,
    /// Only the range that is zoomed to.
    pub part: bool,
}

/// What a row stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Rows {
    /// One point or bar, and every one is there.
    #[default]
    Each,
    /// Of each stretch of a curve only the lowest and the highest point are there.
    Thinned,
    /// As thinned, with a row for every so many bars.
    ForBars(u32),
    /// So many bars put together.
    OfBars(u32),
}

impl Rows {
    /// Curves of bars, when each row stands for so many.
    pub fn for_bars(bars: u32) -> Self {
        if bars > 1 { Rows::ForBars(bars) } else { Rows::Each }
    }

    /// Candles, when each is made of so many bars.
    pub fn of_bars(bars: u32) -> Self {
        if bars > 1 { Rows::OfBars(bars) } else { Rows::Each }
    }
}

impl Extent {
    /// Nothing of it is missing.
    pub fn is_all(self) -> bool {
        self == Self::default()
    }

    /// What is missing where there are so many rows; nothing where nothing is.
    pub fn said(self, rows: usize) -> Option<String> {
        let rows = count(rows as u64);
        let of = |bars: u32| count(u64::from(bars));
        let held = match self.rows {
            Rows::Each => None,
            Rows::Thinned => Some(format!("Downsampled to {rows} points (min/max per bucket).")),
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

    fn said(rows: Rows, part: bool) -> Option<String> {
        Extent { rows, part }.said(1_200)
    }

    #[test]
    fn what_is_not_all_there_is_says_so() {
        assert_eq!(said(Rows::Each, false), None);
        assert_eq!(said(Rows::Thinned, false).unwrap(), "Downsampled to 1,200 points (min/max per bucket).");
        assert_eq!(said(Rows::Each, true).unwrap(), "Zoomed range only.");
        assert_eq!(said(Rows::of_bars(11), true).unwrap(), "1,200 candles, 11 bars each. Zoomed range only.");
        assert!(said(Rows::for_bars(4), false).unwrap().contains("min/max per 4 bars"));
    }

    #[test]
    fn a_row_for_each_bar_leaves_none_out() {
        assert_eq!([Rows::for_bars(0), Rows::for_bars(1), Rows::of_bars(1)], [Rows::Each; 3]);
        assert!(Extent::default().is_all() && !Extent { part: true, ..Extent::default() }.is_all());
    }
}
