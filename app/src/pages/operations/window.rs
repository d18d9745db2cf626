//! Range of visible rows of a virtual table. Pure.

/// Number of rows before the screen size is known, and without a script.
pub const PLAIN: usize = 100;
/// Lists up to this length are always rendered completely.
const SHORT: usize = 50;
/// Extra rows rendered above and below the visible ones.
const MARGIN: usize = 16;
/// Rows are added and removed in multiples of this.
const STEP: usize = 8;

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Window {
    pub first: usize,
    pub end: usize,
}

impl Window {
    /// The range before the screen size is known, and without a script.
    pub fn begin() -> Self {
        Self { first: 0, end: PLAIN }
    }

    /// Visible range of a list with `count` rows of `row` pixels each, starting `top` pixels below the upper edge of a
    /// screen of `height` pixels.
    pub fn in_sight(top: f64, height: f64, row: f64, count: usize) -> Self {
        if count <= SHORT || row < 1.0 {
            return Self { first: 0, end: count.max(PLAIN) };
        }
        // Negative and excessive values saturate.
        let at = |pixels: f64| (pixels / row).max(0.0) as usize;
        let first = at(-top).min(count).saturating_sub(MARGIN) / STEP * STEP;
        let end = (at(height - top).min(count) + MARGIN).div_ceil(STEP) * STEP;
        Self { first: first.min(count), end }
    }

    /// The slice of a list within the range.
    pub fn of<T>(self, list: &[T]) -> &[T] {
        let end = self.end.min(list.len());
        &list[self.first.min(end)..end]
    }

    /// Layout of a list with `count` rows: the visible rows, the row `held` wherever it is, and space for all others.
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

/// Number of rows outside the document, and where.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Layout {
    /// Index of a row apart from the visible ones.
    pub held: Option<usize>,
    pub held_below: bool,
    pub above: usize,
    /// Rows between that row and the visible ones.
    pub between: usize,
    pub below: usize,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_short_list_is_rendered_completely() {
        let list: Vec<u32> = (0..100).collect();
        assert_eq!(Window::in_sight(-4_000.0, 900.0, 45.0, 50).of(&list[..50]).len(), 50);
        assert_eq!(Window::begin().of(&list).len(), 100);
        assert_eq!(Window::begin().of(&list[..7]), &list[..7]);
    }

    #[test]
    fn of_100000_rows_only_those_near_the_screen_are_rendered() {
        let window = Window::in_sight(-2_250_000.0, 900.0, 45.0, 100_000);
        assert!(window.first <= 50_000 - MARGIN && window.end >= 50_020 + MARGIN, "{window:?}");
        assert!(window.end - window.first < 100);
        let layout = Layout { above: window.first, below: 100_000 - window.end, ..Layout::default() };
        assert_eq!(window.layout(100_000, None), layout);
        assert_eq!(window.layout(100_000, Some(50_000)), layout, "it is in sight anyhow");
    }

    #[test]
    fn a_kept_row_stays_at_its_position_out_of_view() {
        let window = Window { first: 40, end: 80 };
        let above = Layout { held: Some(7), above: 7, between: 32, below: 20, ..Layout::default() };
        assert_eq!(window.layout(100, Some(7)), above);
        let below = Layout { held: Some(90), held_below: true, above: 40, between: 10, below: 9 };
        assert_eq!(window.layout(100, Some(90)), below);
        assert_eq!(window.layout(100, Some(100)).held, None, "the list has become shorter");
    }

    proptest! {
        #[test]
        fn every_visible_row_is_rendered(top in -5e6f64..5e3, height in 1.0f64..5e3, row in 20.0f64..90.0, count in 0usize..100_000, held in proptest::option::of(0usize..100_000)) {
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
