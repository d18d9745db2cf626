//! Fit of a training by its curves: whether it memorized the training data, in words. Pure.

use super::headline::{OVER_FIT, PAST_BEST, RISE, least, over_fit};
use crate::features::curves::group::{is_training_loss, is_validation_loss};
use display::format;
use live::model::curves::Curves;
use protocol::Point;

/// Fit of a training.
#[derive(Clone, PartialEq, Debug)]
pub struct Fit {
    pub over_fits: bool,
    /// `Overfits after epoch 14 of 60: at the end, validation loss 35 % above training`.
    pub words: String,
}

fn of(curves: &Curves, is: fn(&str) -> bool) -> Option<&[Point]> {
    let name = curves.names().find(|name| is(name))?;
    Some(curves.get(name))
}

/// `35 % above training`
fn gap(share: f64) -> String {
    // More than twice as much is more than 100 %.
    let percent = format!("{:.0} %", share.abs() * 100.0);
    match share {
        share if share.abs() < 0.005 => "equal to training".to_owned(),
        share if share > 0.0 => format!("{percent} above training"),
        _ => format!("{percent} below training"),
    }
}

/// Fit at the newest epoch; `None` without a validation loss.
pub fn of_curves(curves: &Curves) -> Option<Fit> {
    let validation = of(curves, is_validation_loss)?;
    let now = validation.iter().rev().find(|p| p.1.is_finite())?;
    let best = least(validation)?;
    let training = of(curves, is_training_loss).and_then(|all| all.iter().rev().find(|p| p.1.is_finite()));
    let share = training.and_then(|training| over_fit(now.1, training.1));
    let rises = now.0 - best.0 >= PAST_BEST && now.1 > best.1 * (1.0 + RISE);
    let over_fits = rises || share.is_some_and(|share| share > OVER_FIT);
    let verdict = if over_fits { "Overfits" } else { "No overfitting" };
    let at_end = share.map(|share| format!("; at the end, validation loss {}", gap(share)));
    let (best, last) = (format::figure(best.0), format::figure(now.0));
    let words = format!("{verdict}: best epoch {best} of {last}{}", at_end.unwrap_or_default());
    Some(Fit { over_fits, words })
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::Points;

    fn fit(training: &[f64], validation: &[f64]) -> Option<Fit> {
        let mut curves = Curves::default();
        let of = |name: &str, ys: &[f64]| Points {
            name: name.to_owned(),
            points: ys.iter().enumerate().map(|(x, y)| Point(x as f64 + 1.0, *y)).collect(),
        };
        curves.add(1, &[of("train_loss", training), of("validation_loss", validation)]);
        of_curves(&curves)
    }

    #[test]
    fn an_over_fit_is_said_with_its_best_epoch_and_the_gap_at_the_end() {
        let over =
            fit(&[1.0, 0.8, 0.7, 0.6, 0.6, 0.6, 0.6], &[1.0, 0.7, 0.72, 0.75, 0.78, 0.8, 0.81]).unwrap();
        assert_eq!(
            over.words,
            "Overfits: best epoch 2 of 7; at the end, validation loss 35 % above training"
        );
        assert!(over.over_fits);
        let fine = fit(&[1.0, 0.8, 0.7], &[1.0, 0.8, 0.686]).unwrap();
        assert_eq!(
            fine.words,
            "No overfitting: best epoch 3 of 3; at the end, validation loss 2 % below training"
        );
        assert!(!fine.over_fits);
        assert_eq!(
            (gap(0.001), gap(1.5)),
            ("equal to training".to_owned(), "150 % above training".to_owned())
        );
    }

    #[test]
    fn without_a_training_loss_only_the_best_epoch_is_said() {
        let rising = fit(&[], &[1.0, 0.7, 0.72, 0.75, 0.78, 0.8, 0.81]).unwrap();
        assert_eq!(rising.words, "Overfits: best epoch 2 of 7");
        assert_eq!(fit(&[1.0], &[]), None);
    }
}
