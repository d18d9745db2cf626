//! Trading time: bars stand at even distances, so closed markets take no room, and missing bars take as much room as
//! they would have. Clock changes of an exchange move no bar. Pure.

use super::range::Range;

/// Run of missing bars, by the times of the first and the last one.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Missing {
    pub from: f64,
    pub to: f64,
    /// Number of bars.
    pub bars: f64,
}

/// Places of times, counted in bars: a strictly rising line through known times.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Sessions {
    times: Vec<f64>,
    places: Vec<f64>,
    /// Place of the last bar.
    end: f64,
}

impl Sessions {
    /// Places for rows that start at `starts` and stand for `each` bars, `bars` in all. `last` is the time of the last
    /// bar, if known. `None` without rows.
    pub fn of_rows(
        starts: &[f64],
        each: u32,
        bars: u64,
        last: Option<f64>,
        missing: &[Missing],
    ) -> Option<Self> {
        let each = f64::from(each.max(1));
        let bars = (bars as f64).max(starts.len() as f64);
        let first = *starts.first()?;
        let mut gaps: Vec<Missing> = missing.iter().copied().filter(|gap| gap.from > first).collect();
        gaps.sort_by(|a, b| a.from.total_cmp(&b.from));
        let mut gaps = gaps.into_iter().peekable();
        let mut of = Self::default();
        let mut shift = 0.0;
        for (i, start) in starts.iter().enumerate() {
            let place = i as f64 * each + shift;
            of.push(*start, place);
            of.end = place.max(bars - 1.0 + shift);
            let Some(next) = starts.get(i + 1) else { break };
            // All bars of a row stand before a gap within it.
            while let Some(gap) = gaps.next_if(|gap| gap.from < *next) {
                let at = place.max((i + 1) as f64 * each + shift);
                of.push(gap.from, at);
                of.push(gap.to, at + gap.bars - 1.0);
                shift += gap.bars.max(0.0);
            }
        }
        if let Some(last) = last {
            of.push(last, of.end);
        }
        Some(of)
    }

    /// Adds a known time, if the line still rises.
    fn push(&mut self, time: f64, place: f64) {
        let rises = self.times.last().is_none_or(|before| time > *before)
            && self.places.last().is_none_or(|before| place > *before);
        if rises && time.is_finite() && place.is_finite() {
            self.times.push(time);
            self.places.push(place);
        }
    }

    /// Finer places of a part, within those of everything.
    pub fn within(&self, all: &Self) -> Self {
        let (Some(from), Some(to)) = (self.times.first(), self.times.last()) else { return all.clone() };
        let base = all.place(*from);
        let mut of = Self::default();
        for (time, place) in all.knots().filter(|(time, _)| time < from) {
            of.push(time, place);
        }
        for (time, place) in self.knots() {
            of.push(time, base + place);
        }
        // What follows moves by the difference between the fine and the coarse width of the part.
        let moved = base + self.places.last().copied().unwrap_or_default() - all.place(*to);
        for (time, place) in all.knots().filter(|(time, _)| time > to) {
            of.push(time, place + moved);
        }
        of.end = (all.end + moved).max(of.places.last().copied().unwrap_or_default());
        of
    }

    fn knots(&self) -> impl Iterator<Item = (f64, f64)> {
        self.times.iter().copied().zip(self.places.iter().copied())
    }

    /// Times of the line, rising.
    pub fn times(&self) -> &[f64] {
        &self.times
    }

    /// Places of the line, rising.
    pub fn places(&self) -> &[f64] {
        &self.places
    }

    /// Places of the first and the last bar.
    pub fn ends(&self) -> Range {
        (self.places.first().copied().unwrap_or_default(), self.end)
    }

    /// Place of a time.
    pub fn place(&self, time: f64) -> f64 {
        along(&self.times, &self.places, time)
    }
}

/// Value at `x` of the line through these points; beyond them it rises as on average. `uplot_bridge.js` does the same.
fn along(xs: &[f64], ys: &[f64], x: f64) -> f64 {
    let (Some(first), Some(last)) = (xs.first(), xs.last()) else { return x };
    let n = xs.len() - 1;
    let mean = if n > 0 { (ys[n] - ys[0]) / (last - first) } else { 1.0 };
    if x <= *first {
        return ys[0] + (x - first) * mean;
    }
    if x >= *last {
        return ys[n] + (x - last) * mean;
    }
    let next = xs.partition_point(|known| *known <= x);
    let (from, to) = (next - 1, next);
    ys[from] + (x - xs[from]) / (xs[to] - xs[from]) * (ys[to] - ys[from])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HOUR: f64 = 3_600.0;
    const DAY: f64 = 24.0 * HOUR;

    /// Seven hourly bars a day, five days a week.
    fn bars(weeks: usize) -> Vec<f64> {
        let hours = |day: usize| (14..21).map(move |hour| day as f64 * DAY + f64::from(hour) * HOUR);
        (0..weeks * 7).filter(|day| day % 7 < 5).flat_map(hours).collect()
    }

    #[test]
    fn nights_and_weekends_take_no_room() {
        let bars = bars(2);
        let of = Sessions::of_rows(&bars, 1, bars.len() as u64, None, &[]).unwrap();
        assert_eq!(
            bars.iter().map(|time| of.place(*time)).collect::<Vec<_>>(),
            (0..70).map(f64::from).collect::<Vec<_>>()
        );
        assert_eq!(of.ends(), (0.0, 69.0));
        // The middle of a night is between two bars.
        assert_eq!(of.place((bars[6] + bars[7]) / 2.0), 6.5);
    }

    #[test]
    fn a_clock_change_of_the_exchange_moves_no_bar() {
        // From the second day on the market opens an hour earlier in UTC.
        let bars: Vec<f64> = [14.0, 15.0, 16.0, 37.0, 38.0, 39.0].map(|hour| hour * HOUR).to_vec();
        let of = Sessions::of_rows(&bars, 1, 6, None, &[]).unwrap();
        assert_eq!(of.place(37.0 * HOUR), 3.0);
        assert_eq!(of.ends(), (0.0, 5.0));
    }

    #[test]
    fn missing_bars_take_the_room_that_they_would_have() {
        let mut bars = bars(1);
        let gone: Vec<f64> = bars.drain(9..14).collect();
        let gap = Missing { from: gone[0], to: gone[4], bars: 5.0 };
        let of = Sessions::of_rows(&bars, 1, bars.len() as u64, None, &[gap]).unwrap();
        assert_eq!(
            [of.place(bars[8]), of.place(gap.from), of.place(gap.to), of.place(bars[9])],
            [8.0, 9.0, 13.0, 14.0]
        );
        assert_eq!(of.ends(), (0.0, 34.0));
        // In rows of five bars the gap follows the row that it is in.
        let rows: Vec<f64> = bars.iter().copied().step_by(5).collect();
        let of = Sessions::of_rows(&rows, 5, bars.len() as u64, Some(bars[29]), &[gap]).unwrap();
        assert_eq!([of.place(rows[1]), of.place(rows[2])], [5.0, 15.0]);
        assert_eq!((of.ends(), of.place(bars[29])), ((0.0, 34.0), 34.0));
    }

    #[test]
    fn one_bar_and_none_have_places_too() {
        assert!(Sessions::of_rows(&[], 1, 0, None, &[]).is_none());
        let one = Sessions::of_rows(&[5.0], 1, 1, Some(5.0), &[]).unwrap();
        assert_eq!((one.ends(), one.place(5.0)), ((0.0, 0.0), 0.0));
    }

    #[test]
    fn a_zoomed_part_is_finer_and_what_is_around_it_keeps_its_place() {
        let all_bars = bars(20);
        let coarse: Vec<f64> = all_bars.iter().copied().step_by(10).collect();
        let all = Sessions::of_rows(&coarse, 10, 700, Some(all_bars[699]), &[]).unwrap();
        let part = Sessions::of_rows(&all_bars[200..300], 1, 100, None, &[]).unwrap().within(&all);
        for i in [0, 100, 200, 201, 255, 299, 400, 699] {
            assert!((part.place(all_bars[i]) - i as f64).abs() < 10.0, "{i}: {}", part.place(all_bars[i]));
        }
        assert_eq!(part.place(all_bars[256]) - part.place(all_bars[255]), 1.0);
    }

    proptest! {
        #[test]
        fn places_rise_with_time(weeks in 1usize..9, each in 1usize..30, from in 0usize..300, n in 1usize..40, part in 0usize..200) {
            let bars = bars(weeks);
            let from = from % bars.len();
            let gone = from..(from + n).min(bars.len());
            let gap = Missing { from: bars[gone.start], to: bars[gone.end - 1], bars: gone.len() as f64 };
            let left: Vec<f64> = bars.iter().enumerate().filter(|(i, _)| !gone.contains(i)).map(|(_, t)| *t).collect();
            prop_assume!(!left.is_empty());
            let rows: Vec<f64> = left.iter().copied().step_by(each).collect();
            let all = Sessions::of_rows(&rows, each as u32, left.len() as u64, left.last().copied(), &[gap]).unwrap();
            let part = &left[part % left.len()..];
            let fine = Sessions::of_rows(part, 1, part.len() as u64, None, &[gap]).unwrap().within(&all);
            for of in [all, fine] {
                prop_assert!(of.times().windows(2).all(|pair| pair[0] < pair[1]));
                prop_assert!(of.places().windows(2).all(|pair| pair[0] < pair[1]));
                prop_assert!(bars.windows(2).all(|pair| of.place(pair[0]) < of.place(pair[1])));
                prop_assert!(of.ends().1 >= of.places().last().copied().unwrap());
            }
        }
    }
}
