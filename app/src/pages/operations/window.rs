//! Which rows of a long list are in sight; only those and some around them are in the document. Pure.

/// So many rows there are before anything is known of the screen, and without a script.
pub const PLAIN: usize = 100;
/// Lists of up to so many rows are there as a whole, always.
const SHORT: usize = 50;
/// So many rows above and below what is in sight are there too.
const MARGIN: usize = 16;
/// Rows come and go so many at a time.
const STEP: usize = 8;

/// Rows `first..end` of a list.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Window {
    pub first: usize,
    pub end: usize,
}

impl Window {
    /// What is shown before anything is known of the screen, and without a script.
    pub fn begin() -> Self {
        Self { first: 0, end: PLAIN }
    }

    /// For a list of `count` rows, each `row` pixels high, that begins `top` pixels below the upper edge of a screen
    /// of `height` pixels.
    pub fn in_sight(top: f64, height: f64, row: f64, count: usize) -> Self {
        if count <= SHORT || row < 1.0 {
            return Self { first: 0, end: count.max(PLAIN) };
        }
        // What is negative or beyond any list becomes the nearest number there is.
        let at = |pixels: f64| (pixels / row).max(0.0) as usize;
        let first = at(-top).min(count).saturating_sub(MARGIN) / STEP * STEP;
        let end = (at(height - top).min(count) + MARGIN).div_ceil(STEP) * STEP;
        Self { first: first.min(count), end }
    }

    /// The part of a list that it shows.
    pub fn of<T>(self, list: &[T]) -> &[T] {
        let end = self.end.min(list.len());
        &list[self.first.min(end)..end]
    }

    /// What stands in the document for a list of `count` rows: the rows in sight, the row `held` wherever it is, and
    /// space for all others.
    pub fn layout(self, count: usize, held: Option<usize>) -> Layout {
        let end = self.end.min(count);
        let (above, below) = (self.first.min(end), count - end);
        match held.filter(|at| *at < count) {
            Some(at) if at < above => {
                Layout { held: Some(at), above: at, between: above - at - 1, below, ..Layout::default() }
            }
            Some(at) if at >= end => {
                let (between, below) = (at - end, count - at - 1);
                Layout { held: Some(at), held_below: true, above, between, below }
            }
            _ => Layout { above, below, ..Layout::default() },
        }
    }
}

/// How many rows are not in the document, and where.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Layout {
    /// A row that stands apart from those in sight.
    pub held: Option<usize>,
    pub held_below: bool,
    pub above: usize,
    /// Between that row and those in sight.
    pub between: usize,
    pub below: usize,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_short_list_is_there_as_a_whole() {
        let list: Vec<u32> = (0..100).collect();
        assert_eq!(Window::in_sight(-4_000.0, 900.0, 45.0, 50).of(&list[..50]).len(), 50);
        assert_eq!(Window::begin().of(&list).len(), 100);
        assert_eq!(Window::begin().of(&list[..7]), &list[..7]);
    }

    #[test]
    fn of_a_hundred_thousand_rows_there_are_as_many_as_fit_the_screen_and_some() {
        let window = Window::in_sight(-2_250_000.0, 900.0, 45.0, 100_000);
        assert!(window.first <= 50_000 - MARGIN && window.end >= 50_020 + MARGIN, "{window:?}");
        assert!(window.end - window.first < 100);
        let layout = Layout { above: window.first, below: 100_000 - window.end, ..Layout::default() };
        assert_eq!(window.layout(100_000, None), layout);
        assert_eq!(window.layout(100_000, Some(50_000)), layout, "it is in sight anyhow");
    }

    #[test]
    fn a_row_that_is_held_stays_at_its_place_out_of_sight() {
        let window = Window { first: 40, end: 80 };
        let above = Layout { held: Some(7), above: 7, between: 32, below: 20, ..Layout::default() };
        assert_eq!(window.layout(100, Some(7)), above);
        let below = Layout { held: Some(90), held_below: true, above: 40, between: 10, below: 9 };
        assert_eq!(window.layout(100, Some(90)), below);
        assert_eq!(window.layout(100, Some(100)).held, None, "the list has become shorter");
    }

    proptest! {
        #[test]
        fn every_row_in_sight_is_there(top in -5e6f64..5e3, height in 1.0f64..5e3, row in 20.0f64..90.0, count in 0usize..100_000, held in proptest::option::of(0usize..100_000)) {
            let window = Window::in_sight(top, height, row, count);
            let Layout { above, below, .. } = window.layout(count, None);
            prop_assert!(above + below <= count);
            let with = window.layout(count, held);
            let gone = with.above + with.between + with.below + usize::from(with.held.is_some());
            prop_assert_eq!(gone, above + below, "every row has its height");
            for y in [0.0, height / 2.0, height - 1.0] {
                let at = (y - top) / row;
                if at >= 0.0 && (at as usize) < count {
                    prop_assert!((above..count - below).contains(&(at as usize)));
                }
            }
        }
    }
}
