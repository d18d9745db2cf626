//! Columns of a table on a terminal: which are shown, and how wide. Pure.

/// Columns between two columns of a table.
pub const GAP: usize = 2;
/// Optional columns are left out before a long text gets less than this.
const MIN_LONG_TEXT: usize = 14;
/// A narrower column is never cut.
const MIN_CUT: usize = 8;
/// The first column is cut last, and not below this: a prefix of an operation ID that is unique, and its ellipsis.
const MIN_FIRST: usize = 18;

/// Shown columns, and their widths, for a terminal with this room. `optional` columns are left out in their order. If
/// the room is too small for any widths, the rows must be cut.
pub fn fitted(natural: &[usize], optional: &[usize], room: usize) -> Vec<(usize, usize)> {
    let mut shown: Vec<usize> = (0..natural.len()).collect();
    let mut optional = optional.iter();
    let limit = loop {
        let limit = limit(shown.iter().map(|at| natural[*at]), room);
        if limit.is_some_and(|limit| limit >= MIN_LONG_TEXT) {
            break limit;
        }
        match optional.next() {
            Some(column) => shown.retain(|at| at != column),
            None => break limit,
        }
    };
    let width = |at: &usize| (*at, natural[*at].min(limit.unwrap_or(MIN_LONG_TEXT)));
    let mut widths: Vec<(usize, usize)> = shown.iter().map(width).collect();
    if let Some(((at, first), others)) = widths.split_first_mut() {
        let others: usize = others.iter().map(|(_, width)| width + GAP).sum();
        *first = match limit {
            Some(_) => natural[*at],
            None => natural[*at].min(room.saturating_sub(others).max(MIN_FIRST)),
        };
    }
    widths
}

/// Largest width of all columns except the first with which they fit, if there is one.
fn limit(mut widths: impl Iterator<Item = usize>, room: usize) -> Option<usize> {
    let first = widths.next()?;
    let others: Vec<usize> = widths.collect();
    let room = room.checked_sub(first + GAP * others.len())?;
    let widest = others.iter().copied().max().unwrap_or_default();
    let fits = |limit: &usize| others.iter().map(|width| width.min(limit)).sum::<usize>() <= room;
    if fits(&widest) {
        return Some(usize::MAX);
    }
    (MIN_CUT..widest).rev().find(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Columns of `list`: ID, state, progress, duration, created, host, kind, title.
    const LIST: [usize; 8] = [36, 9, 8, 8, 10, 5, 9, 800];
    const OPTIONAL: [usize; 5] = [5, 4, 2, 3, 6];

    fn used(widths: &[(usize, usize)]) -> usize {
        widths.iter().map(|(_, width)| width + GAP).sum::<usize>() - GAP
    }

    #[test]
    fn the_longest_text_is_cut_first_and_then_optional_columns_are_left_out() {
        let wide = fitted(&LIST, &OPTIONAL, 199);
        assert_eq!((wide.len(), used(&wide)), (8, 199));
        assert!(wide[..7].iter().all(|(at, width)| *width == LIST[*at]), "{wide:?}");
        assert_eq!(fitted(&LIST, &OPTIONAL, 79), [(0, 36), (1, 9), (6, 9), (7, 19)]);
        assert_eq!(fitted(&LIST, &OPTIONAL, 60), [(0, 36), (1, 9), (7, 11)]);
        // Short titles need no room.
        let short = [36, 9, 8, 8, 10, 5, 9, 4];
        assert_eq!(fitted(&short, &OPTIONAL, 103).len(), 8);
        assert_eq!(fitted(&short, &OPTIONAL, 102).len(), 8 - 1);
    }

    #[test]
    fn in_a_narrow_terminal_a_prefix_of_the_first_column_stays() {
        let narrow = fitted(&LIST, &OPTIONAL, 49);
        assert_eq!((narrow[0], used(&narrow)), ((0, 22), 49));
        assert_eq!(fitted(&LIST, &OPTIONAL, 20)[0], (0, MIN_FIRST));
        assert_eq!(fitted(&[], &[], 20), []);
        assert_eq!(fitted(&[3], &[], 1), [(0, 3)]);
    }

    #[test]
    fn several_long_texts_share_the_room() {
        assert_eq!(fitted(&[9, 140, 8, 60], &[], 79), [(0, 9), (1, 28), (2, 8), (3, 28)]);
    }
}
