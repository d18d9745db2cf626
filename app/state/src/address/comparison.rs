//! Selection and settings of a comparison, as encoded in the URL. Pure.

use live::query;
use protocol::OperationId;

/// Minimum and maximum number of compared operations.
pub const MIN_COMPARED: usize = 2;
pub const MAX_COMPARED: usize = 20;
/// Maximum smoothing in hundredths; beyond it a curve is flat.
const SMOOTHEST: u32 = 99;

/// Reason why this many operations cannot be compared.
pub fn refusal(selected: usize) -> Option<String> {
    match selected {
        n if n < MIN_COMPARED => Some(format!("Select {} more to compare", MIN_COMPARED - n)),
        n if n > MAX_COMPARED => Some(format!("At most {MAX_COMPARED} operations can be compared")),
        _ => None,
    }
}

/// Selection and settings.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Comparison {
    /// Compared operations in order, without duplicates, at most [`MAX_COMPARED`].
    pub ids: Vec<OperationId>,
    /// Invalid IDs in the URL.
    pub odd: Vec<String>,
    /// Number of IDs beyond the maximum.
    pub over: usize,
    /// Shown series; empty shows all.
    pub series: Vec<String>,
    /// Whether the x axis is the series' own instead of time.
    pub counted: bool,
    /// Smoothing weight in hundredths.
    pub smooth: u32,
    /// Whether the table has equal rows, too.
    pub equal_rows: bool,
}

impl Comparison {
    /// Parses the query parameters; invalid ones count as missing.
    pub fn new(ids: &str, series: &str, x: &str, smooth: &str, rows: &str) -> Self {
        let mut wanted = Self {
            series: parts(series).map(str::to_owned).collect(),
            counted: x == "count",
            smooth: hundredths(json::float(smooth).unwrap_or(0.0)),
            equal_rows: rows == "all",
            ..Self::default()
        };
        for part in parts(ids) {
            match part.parse::<OperationId>() {
                Ok(id) if wanted.ids.contains(&id) => {}
                Ok(_) if wanted.ids.len() == MAX_COMPARED => wanted.over += 1,
                Ok(id) => wanted.ids.push(id),
                Err(_) => wanted.odd.push(part.to_owned()),
            }
        }
        wanted
    }

    /// Comparison of these operations with default settings.
    pub fn of(ids: impl IntoIterator<Item = OperationId>) -> Self {
        Self { ids: ids.into_iter().collect(), ..Self::default() }
    }

    /// URL of this comparison.
    pub fn address(&self) -> String {
        let ids: Vec<_> = self.ids.iter().map(OperationId::to_string).collect();
        let smooth = match self.smooth {
            0 => String::new(),
            n => self::weight(n).to_string(),
        };
        let pairs = [
            ("ids", ids.join(",")),
            ("series", self.series.join(",")),
            ("x", if self.counted { "count".to_owned() } else { String::new() }),
            ("smooth", smooth),
            ("rows", if self.equal_rows { "all".to_owned() } else { String::new() }),
        ];
        query::url("/compare", pairs.iter().map(|(name, value)| (*name, value.as_str())))
    }

    /// The comparison without an operation.
    pub fn without(&self, id: OperationId) -> Self {
        Self { ids: self.ids.iter().copied().filter(|other| *other != id).collect(), ..self.clone() }
    }

    /// The comparison with an operation added at the end.
    pub fn with(&self, id: OperationId) -> Self {
        let mut more = self.without(id);
        more.ids.push(id);
        more
    }

    /// Whether a series is shown.
    pub fn draws(&self, name: &str) -> bool {
        self.series.is_empty() || self.series.iter().any(|chosen| chosen == name)
    }

    /// Shows or hides one series of `all`. Hiding the last one shows all again.
    pub fn toggled(&self, name: &str, all: &[String]) -> Self {
        let drawn = |other: &String| self.draws(other) != (other == name);
        let mut series: Vec<String> = all.iter().filter(|other| drawn(other)).cloned().collect();
        if series.len() == all.len() {
            series.clear();
        }
        Self { series, ..self.clone() }
    }

    /// Sets the x axis.
    pub fn counting(&self, counted: bool) -> Self {
        Self { counted, ..self.clone() }
    }

    /// Sets the smoothing weight, from 0 to below 1.
    pub fn smoothed(&self, weight: f64) -> Self {
        Self { smooth: hundredths(weight), ..self.clone() }
    }

    /// Shows or hides rows of equal values.
    pub fn with_equal_rows(&self, equal_rows: bool) -> Self {
        Self { equal_rows, ..self.clone() }
    }

    /// Smoothing weight, from 0 to below 1.
    pub fn weight(&self) -> f64 {
        weight(self.smooth)
    }
}

fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty())
}

fn weight(hundredths: u32) -> f64 {
    f64::from(hundredths) / 100.0
}

/// Weight in hundredths; NaN becomes 0.
fn hundredths(weight: f64) -> u32 {
    ((weight * 100.0).round() as u32).min(SMOOTHEST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn id(n: usize) -> OperationId {
        format!("0199c2d4-7f3a-7c11-9e1b-{n:012}").parse().unwrap()
    }

    #[test]
    fn a_comparison_reads_back_from_its_address() {
        let wanted = Comparison {
            series: vec!["equity".into(), "drawdown".into()],
            counted: true,
            smooth: 60,
            equal_rows: true,
            ..Comparison::of([id(1), id(2)])
        };
        let address = wanted.address();
        assert_eq!(
            address,
            format!("/compare?ids={},{}&series=equity,drawdown&x=count&smooth=0.6&rows=all", id(1), id(2))
        );
        assert_eq!(
            Comparison::new(&format!("{},{}", id(1), id(2)), "equity,drawdown", "count", "0.6", "all"),
            wanted
        );
        assert_eq!(Comparison::default().address(), "/compare");
    }

    #[test]
    fn ids_are_unique_and_invalid_ones_are_reported() {
        let ids = format!("{}, {},nonsense,,{}", id(1), id(1), id(2));
        let wanted = Comparison::new(&ids, "", "", "", "");
        assert_eq!((wanted.ids, wanted.odd), (vec![id(1), id(2)], vec!["nonsense".to_owned()]));
    }

    #[test]
    fn further_rows_are_counted() {
        let ids: Vec<_> = (0..MAX_COMPARED + 3).map(|n| id(n).to_string()).collect();
        let wanted = Comparison::new(&ids.join(","), "", "", "", "");
        assert_eq!((wanted.ids.len(), wanted.over), (MAX_COMPARED, 3));
    }

    #[test]
    fn both_sides_give_the_reason() {
        assert_eq!(refusal(1).as_deref(), Some("Select 1 more to compare"));
        assert_eq!(refusal(MAX_COMPARED + 1).as_deref(), Some("At most 20 operations can be compared"));
        assert!(refusal(MIN_COMPARED).is_none() && refusal(MAX_COMPARED).is_none());
    }

    #[test]
    fn curves_can_be_hidden_and_hiding_the_last_shows_all() {
        let all = ["equity".to_owned(), "drawdown".to_owned()];
        let less = Comparison::default().toggled("drawdown", &all);
        assert_eq!(less.series, ["equity"]);
        assert!(less.draws("equity") && !less.draws("drawdown"));
        assert_eq!(less.toggled("drawdown", &all), Comparison::default());
        assert_eq!(less.toggled("equity", &all), Comparison::default());
    }

    #[test]
    fn a_removed_and_added_entry_is_last() {
        let three = Comparison::of([id(1), id(2), id(3)]);
        assert_eq!(three.without(id(1)).with(id(1)).ids, [id(2), id(3), id(1)]);
    }

    proptest! {
        #[test]
        fn every_address_is_parsed_without_a_panic(ids: String, series: String, x: String, smooth: String, rows: String) {
            let wanted = Comparison::new(&ids, &series, &x, &smooth, &rows);
            prop_assert!(wanted.weight() < 1.0);
            let _ = wanted.address();
        }
    }
}
