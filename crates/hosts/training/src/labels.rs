//! Labels: whether the price went down, stayed flat, or went up after a bar.

/// Class names, by their index.
pub(crate) const CLASSES: [&str; 3] = ["down", "flat", "up"];

/// Class of each bar: 2 if the close `horizon` bars later is higher by more than `threshold`, 0 if it is lower by more
/// than that, otherwise 1. `None` for the last bars, which have no future yet.
pub(crate) fn labels(close: &[f64], horizon: usize, threshold: f64) -> Vec<Option<u8>> {
    let mut out: Vec<Option<u8>> = close
        .iter()
        .zip(close.iter().skip(horizon))
        .map(|(now, then)| {
            let change = then / now - 1.0;
            change.is_finite().then(|| {
                if change > threshold {
                    2
                } else if change < -threshold {
                    0
                } else {
                    1
                }
            })
        })
        .collect();
    out.resize(close.len(), None);
    out
}

/// Trading signal of a class: −1, 0 or +1.
pub(crate) fn signal(class: usize) -> i8 {
    class as i8 - 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_return_equal_to_the_threshold_is_flat() {
        // Changes of +25 %, -25 %, -50 % and 0, which are exact in binary.
        let close = [128.0, 160.0, 120.0, 60.0, 60.0];
        assert_eq!(labels(&close, 1, 0.25), [Some(1), Some(1), Some(0), Some(1), None]);
        assert_eq!(labels(&close, 1, 0.0), [Some(2), Some(0), Some(0), Some(1), None]);
        assert_eq!(labels(&close, 9, 0.0), [None; 5]);
        assert_eq!([0, 1, 2].map(signal), [-1, 0, 1]);
    }

    proptest! {
        #[test]
        fn a_label_uses_no_bar_beyond_its_horizon(
            mut close in proptest::collection::vec(1.0f64..9.0, 20..60), horizon in 1usize..8, cut in 1usize..60
        ) {
            let before = labels(&close, horizon, 0.01);
            let cut = cut.min(close.len());
            close[cut..].iter_mut().for_each(|c| *c *= 1.7);
            let after = labels(&close, horizon, 0.01);
            let settled = cut.saturating_sub(horizon);
            prop_assert_eq!(&before[..settled], &after[..settled]);
        }
    }
}
