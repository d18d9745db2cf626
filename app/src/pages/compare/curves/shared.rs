//! Series that compared operations share, grouped into charts and cards.

use crate::features::curves::group::{Panel, cards};
use crate::features::curves::info;
use crate::pages::compare::entry::Entry;
use leptos::prelude::*;
use protocol::SeriesInfo;

/// Maximum number of curves of a chart that has several parts of a metric.
const MAX_OVERLAID: usize = 16;

/// Series shared by several operations.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Common {
    pub name: String,
    /// Positions of these operations.
    pub members: Vec<usize>,
    /// Whether all of them have it over time.
    pub dated: bool,
}

/// Chart of one series, or of the parts of one metric, such as the losses on training and on validation data. Related
/// charts share a card.
#[derive(Clone, PartialEq, Debug)]
pub struct Drawn {
    /// One, or the parts of a metric. Never empty.
    pub commons: Vec<Common>,
    /// Names of the parts; empty for a single series.
    pub parts: Vec<String>,
    pub title: String,
    pub info: SeriesInfo,
    /// Whether a logarithmic axis is offered.
    pub steep: bool,
    /// Drawdown, which falls from zero.
    pub falls: bool,
    pub alone: bool,
}

impl Drawn {
    /// Whether its x is time. Only a single series is drawn over time.
    pub fn dated(&self) -> bool {
        self.commons.iter().all(|common| common.dated)
    }
}

/// Shared series, and the titles of series of a single operation with its position.
pub type Found = (Vec<(Common, SeriesInfo)>, Vec<(String, usize)>);

/// Series of the operations, split into shared and single ones. Tracked.
pub fn commons(entries: &[Entry]) -> Found {
    let mut all: Vec<(usize, Common, SeriesInfo)> = Vec::new();
    for entry in entries {
        let names: Vec<String> = entry.curves.with(|c| c.names().map(str::to_owned).collect());
        for name in names {
            let (place, info) = info(&name, entry.spec);
            let dates = entry.dates(&name);
            let same = |(_, common, other): &&mut (usize, Common, SeriesInfo)| {
                common.name == name && other.unit == info.unit && other.x == info.x
            };
            match all.iter_mut().find(same) {
                Some((_, common, _)) => {
                    common.members.push(entry.place);
                    common.dated &= dates;
                }
                None => all.push((place, Common { name, members: vec![entry.place], dated: dates }, info)),
            }
        }
    }
    // In the order of the kinds' declarations, not of arrival.
    all.sort_by_key(|(place, ..)| *place);
    let (shared, single): (Vec<_>, Vec<_>) = all.into_iter().partition(|(_, c, _)| c.members.len() > 1);
    let single = single.into_iter().map(|(_, common, info)| (info.title, common.members[0])).collect();
    (shared.into_iter().map(|(_, common, info)| (common, info)).collect(), single)
}

/// Charts of the shared series, grouped into cards.
pub fn drawn(commons: &[(Common, SeriesInfo)]) -> Vec<Vec<Drawn>> {
    let of =
        |info: &SeriesInfo| commons.iter().find(|(_, known)| known == info).map(|(common, _)| common.clone());
    let card = |panels: Vec<Panel>| {
        let alone = panels.len() == 1;
        let charts = panels.into_iter().flat_map(|panel| {
            let (steep, falls) = (panel.is_steep(), panel.stem.ends_with("drawdown"));
            let (title, parts) = (panel.title(), panel.names());
            let all: Vec<Common> = panel.series.iter().filter_map(of).collect();
            let curves: usize = all.iter().map(|common| common.members.len()).sum();
            let overlaid = panel.has_parts() && curves <= MAX_OVERLAID && !all.iter().any(|c| c.dated);
            if overlaid && all.len() == panel.series.len() {
                let info = panel.series[0].clone();
                return vec![Drawn { commons: all, parts, title, info, steep, falls, alone }];
            }
            let single = |info: SeriesInfo| {
                let (commons, title) = (vec![of(&info)?], info.title.clone());
                Some(Drawn { commons, parts: Vec::new(), title, info, steep, falls, alone })
            };
            panel.series.into_iter().filter_map(single).collect()
        });
        charts.collect()
    };
    cards(commons.iter().map(|(_, info)| info.clone()).collect()).into_iter().map(card).collect()
}

/// Key of a card.
pub fn key_of(card: &[Drawn]) -> Vec<Vec<Common>> {
    card.iter().map(|drawn| drawn.commons.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(name: &str, unit: &str) -> (Common, SeriesInfo) {
        let info = SeriesInfo { name: name.into(), title: name.into(), unit: unit.into(), x: "bar".into() };
        (Common { name: name.into(), members: vec![0, 1], dated: false }, info)
    }

    #[test]
    fn each_series_has_a_chart_and_a_drawdown_is_below_its_equity() {
        let cards = drawn(&[series("equity", ""), series("exposure", "share"), series("drawdown", "share")]);
        let names: Vec<Vec<&str>> =
            cards.iter().map(|card| card.iter().map(|d| d.commons[0].name.as_str()).collect()).collect();
        assert_eq!(names, [vec!["equity", "drawdown"], vec!["exposure"]]);
        assert!(cards[0][1].falls && !cards[0][1].alone);
    }

    #[test]
    fn losses_on_training_and_validation_data_share_a_chart() {
        let cards = drawn(&[series("train_loss", ""), series("validation_loss", "")]);
        assert_eq!((cards.len(), cards[0].len()), (1, 1));
        let chart = &cards[0][0];
        let names: Vec<&str> = chart.commons.iter().map(|common| common.name.as_str()).collect();
        assert_eq!(names, ["train_loss", "validation_loss"]);
        assert!(chart.steep && !chart.dated());
    }

    #[test]
    fn too_many_curves_for_one_chart_are_charts_of_their_own() {
        let with = |(mut common, info): (Common, SeriesInfo)| {
            common.members = (0..MAX_OVERLAID).collect();
            (common, info)
        };
        let cards = drawn(&[series("train_loss", ""), series("validation_loss", "")].map(with));
        assert_eq!((cards.len(), cards[0].len()), (1, 2));
        assert!(cards[0].iter().all(|d| d.parts.is_empty() && d.steep));
    }
}
