//! Charts of the series that at least two compared operations share.

use super::entry::{Entry, is_few, letter};
use crate::features::curves::flat;
use crate::features::curves::group::cards;
use crate::features::curves::sampled::Answer;
use crate::features::curves::{MAX_POINTS, extent_of, info};
use app_state::address::comparison::Comparison;
use charts::{AskAll, Chart, ChartGroup, Extent, Rows, Sheet, Spec, Toolbar, lines_of};
use components::reactive::{mark, part, spoken, text};
use display::format::is_same;
use futures::future::try_join_all;
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;
use live::api;
use live::base;
use protocol::api::SeriesAnswer;
use protocol::results::Columns;
use protocol::{OperationId, Point, SeriesInfo};
use std::sync::Arc;

/// Series shared by several operations.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Common {
    name: String,
    /// Positions of these operations.
    members: Vec<usize>,
    /// Whether all of them have it over time.
    dated: bool,
}

/// Chart of one series. Related charts share a card.
#[derive(Clone, PartialEq, Debug)]
struct Drawn {
    common: Common,
    info: SeriesInfo,
    /// Whether a logarithmic axis is offered.
    steep: bool,
    /// Drawdown, which falls from zero.
    falls: bool,
    alone: bool,
}

/// Shared series, and the titles of series of a single operation with its position.
type Found = (Vec<(Common, SeriesInfo)>, Vec<(String, usize)>);

/// Series of the operations, split into shared and single ones. Tracked.
fn commons(entries: &[Entry]) -> Found {
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
fn drawn(commons: &[(Common, SeriesInfo)]) -> Vec<Vec<Drawn>> {
    let of =
        |info: &SeriesInfo| commons.iter().find(|(_, known)| known == info).map(|(common, _)| common.clone());
    let card = |panels: Vec<crate::features::curves::group::Panel>| {
        let alone = panels.len() == 1;
        let charts = panels.into_iter().flat_map(|panel| {
            let (steep, falls) = (panel.is_steep(), panel.stem.ends_with("drawdown"));
            panel
                .series
                .into_iter()
                .filter_map(move |info| Some(Drawn { common: of(&info)?, info, steep, falls, alone }))
        });
        charts.collect()
    };
    cards(commons.iter().map(|(_, info)| info.clone()).collect()).into_iter().map(card).collect()
}

/// Key of a card.
fn key_of(card: &[Drawn]) -> Vec<Common> {
    card.iter().map(|drawn| drawn.common.clone()).collect()
}

/// Charts with their shared settings.
#[component]
pub fn Charts(entries: Vec<Entry>, wanted: Memo<Comparison>, group: ChartGroup) -> impl IntoView {
    let entries = StoredValue::new(entries);
    let found = Memo::new(move |_| entries.with_value(|entries| commons(entries)));
    let none = Memo::new(move |_| found.with(|(shared, _)| shared.is_empty()));
    // Series with one value in all operations.
    let constant = Memo::new(move |_| {
        let text = |(common, info): &(Common, SeriesInfo)| {
            let value = |place: &usize| {
                entries.with_value(|entries| {
                    entries[*place].curves.with(|c| flat::constant(c.get(&common.name)))
                })
            };
            let values: Vec<Option<f64>> = common.members.iter().map(value).collect();
            let first = values.first().copied().flatten()?;
            let equal = values.iter().all(|value| value.is_some_and(|value| is_same(value, first)));
            equal.then(|| (common.name.clone(), flat::wording(info, first)))
        };
        found.with(|(shared, _)| shared.iter().filter_map(text).collect::<Vec<_>>())
    });
    let constants = part(move || {
        let texts: Vec<String> = constant.get().into_iter().map(|(_, text)| text).collect();
        (!texts.is_empty()).then(|| {
            view! { <p class="chart-constants muted">{format!("Constant: {}", texts.join(" · "))}</p> }
                .into_any()
        })
    });
    let shown = Memo::new(move |_| {
        let counted = wanted.with(|w| w.counted);
        let mut shared = found.with(|(shared, _)| shared.clone());
        let flat = constant.get();
        shared.retain(|(common, _)| !flat.iter().any(|(name, _)| *name == common.name));
        shared.retain(|(common, _)| wanted.with(|w| w.draws(&common.name)));
        for (common, _) in &mut shared {
            common.dated &= !counted;
        }
        drawn(&shared)
    });
    // The first chart over time requests finer data on zoom; the others zoom along.
    let first_dated = Memo::new(move |_| {
        shown.with(|cards| cards.iter().flatten().find(|d| d.common.dated).map(|d| d.common.clone()))
    });
    let weight = group.weight;
    weight.set(wanted.with_untracked(Comparison::weight));
    Effect::new(move |_| {
        let asked = wanted.with(Comparison::weight);
        if weight.get_untracked() != asked {
            weight.set(asked);
        }
    });
    let single = part(move || {
        let single = found.with(|(_, single)| single.clone());
        let mut wording: Vec<(usize, Vec<String>)> = Vec::new();
        for (title, place) in single {
            match wording.iter_mut().find(|(of, _)| *of == place) {
                Some((_, titles)) => titles.push(title),
                None => wording.push((place, vec![title])),
            }
        }
        let wording: Vec<_> =
            wording.iter().map(|(of, titles)| format!("{}: {}", letter(*of), titles.join(", "))).collect();
        (!wording.is_empty()).then(|| {
            view! { <p class="muted">{format!("Curves of only one operation, shown on its own page: {}.", wording.join("; "))}</p> }
                .into_any()
        })
    });
    view! {
        <section class="overlaid chart-group" aria-label="Curves">
            {part(move || {
                Some(if none.get() {
                    view! { <p class="note">"These operations have no curves in common."</p> }.into_any()
                } else {
                    view! { <Settings wanted found group/> }.into_any()
                })
            })}
            <div class="charts">
                <For
                    each=move || shown.get()
                    key=|card| key_of(card)
                    children=move |card| {
                        let charts = card.into_iter().map(|drawn| {
                            let leads = first_dated.with_untracked(|first| first.as_ref() == Some(&drawn.common));
                            chart(drawn, leads, entries.get_value(), group)
                        });
                        view! { <div class="card stacked">{charts.collect_view()}</div> }
                    }
                />
            </div>
            {constants}
            {single}
        </section>
    }
    .into_any()
}

/// Settings of all charts: series, x axis and smoothing. They are part of the URL.
#[component]
fn Settings(wanted: Memo<Comparison>, found: Memo<Found>, group: ChartGroup) -> impl IntoView {
    let chip = move |wording: String, chosen: Signal<bool>, to: Signal<Comparison>| {
        // Not a router link: it compares paths only and would mark every chip as current.
        view! {
            <a
                href=text(move || base::url(&to.with(Comparison::address)))
                data-noscroll=""
                class="chip"
                data-chosen=mark(move || chosen.get())
                aria-current=spoken(move || chosen.get())
            >
                {wording}
            </a>
        }
        .into_any()
    };
    let curves = part(move || {
        let shared = found.with(|(shared, _)| shared.clone());
        let mut names: Vec<String> = Vec::new();
        for (common, _) in &shared {
            if !names.contains(&common.name) {
                names.push(common.name.clone());
            }
        }
        (names.len() > 1).then(|| {
            let chips = names.iter().filter_map(|name| {
                let (_, info) = shared.iter().find(|(common, _)| common.name == *name)?;
                let (of, to, all) = (name.clone(), name.clone(), names.clone());
                let chosen = Signal::derive(move || wanted.with(|w| w.draws(&of)));
                let toggled = Signal::derive(move || wanted.with(|w| w.toggled(&to, &all)));
                Some(chip(info.title.clone(), chosen, toggled))
            });
            view! {
                <nav class="chips" aria-label="Curves shown">
                    {chips.collect_view()}
                </nav>
            }
            .into_any()
        })
    });
    let counts = Memo::new(move |_| {
        found.with(|(shared, _)| {
            shared.iter().find(|(common, _)| common.dated).map(|(_, info)| info.x.clone())
        })
    });
    let axis = part(move || {
        let counts = counts.get()?;
        let to = move |counted: bool| {
            let chosen = Signal::derive(move || wanted.with(|w| w.counted == counted));
            (chosen, Signal::derive(move || wanted.with(|w| w.counting(counted))))
        };
        let (by_date, by_count) = (to(false), to(true));
        Some(
            view! {
                <nav class="chips" aria-label="X axis">
                    {chip("over time".to_owned(), by_date.0, by_date.1)}
                    {chip(format!("by {counts}"), by_count.0, by_count.1)}
                </nav>
            }
            .into_any(),
        )
    });
    let navigate = use_navigate();
    let smooth = Callback::new(move |asked: f64| {
        let then = wanted.with_untracked(|w| w.smoothed(asked));
        group.weight.set(then.weight());
        let options = NavigateOptions { replace: true, scroll: false, ..Default::default() };
        navigate(&then.address(), options);
    });
    view! {
        <Toolbar
            group
            on_smooth=smooth
            before=view! {
                {curves}
                {axis}
            }
                .into_any()
        />
    }
    .into_any()
}

/// Chart of one series; `leads` if it requests data for all charts over time.
fn chart(drawn: Drawn, leads: bool, entries: Vec<Entry>, group: ChartGroup) -> AnyView {
    let Drawn { common, info, steep, falls, alone } = drawn;
    let Common { name, members, dated } = common;
    let few = is_few(entries.len());
    let of: Vec<Entry> = members.iter().filter_map(|place| entries.get(*place).copied()).collect();
    let spec = Spec {
        title: info.title,
        file: "compared".to_owned(),
        time: dated,
        x: info.x,
        zero: info.unit.ends_with("/s") || falls,
        unit: info.unit,
        names: of.iter().map(|entry| if few { entry.label() } else { entry.letter().to_string() }).collect(),
        full: if few { Vec::new() } else { of.iter().map(Entry::label).collect() },
        ends: of.iter().map(|entry| entry.letter().to_string()).collect(),
        styles: members,
        smooth: true,
        log: steep,
        height: if falls && !alone { 140 } else { 260 },
        ..Spec::default()
    };
    let equity: Vec<_> = of.iter().map(|entry| entry.equity).collect();
    // Over time the rows are bars, which zooming loads in finer resolution.
    let all = (!dated).then(|| all_of(&name, &of));
    let sheet = Signal::derive(move || {
        Arc::new(if dated { dated_sheet(&name, &equity_of(&of)) } else { counted_sheet(&name, &of) })
    });
    let trouble = (dated && leads).then(|| equity.iter().map(|e| e.trouble().into_any()).collect_view());
    let ranged = Callback::new(move |range: Option<(f64, f64)>| {
        if leads {
            equity.iter().for_each(|equity| equity.ask.run(range));
        }
    });
    let drawn = match all {
        Some(all) => view! { <Chart spec sheet group no_legend=true on_range=ranged all/> }.into_any(),
        None => view! { <Chart spec sheet group no_legend=true on_range=ranged/> }.into_any(),
    };
    view! {
        {drawn}
        {trouble}
    }
    .into_any()
}

/// Requests a series of each operation at full resolution.
fn all_of(name: &str, of: &[Entry]) -> AskAll {
    let ids: Vec<OperationId> = of.iter().map(|entry| entry.op.id).collect();
    let name = name.to_owned();
    AskAll::new(move |()| {
        let (ids, name) = (ids.clone(), name.clone());
        Box::pin(async move {
            let responses = try_join_all(ids.into_iter().map(|id| api::series(id, MAX_POINTS))).await?;
            let points = |answer: &SeriesAnswer| {
                answer.series.iter().find(|curve| curve.name == name).map(|curve| curve.points.clone())
            };
            let points: Vec<Vec<Point>> =
                responses.iter().map(|responses| points(responses).unwrap_or_default()).collect();
            let points: Vec<&[Point]> = points.iter().map(Vec::as_slice).collect();
            let downsampled = responses.iter().any(|responses| responses.downsampled);
            Ok(Sheet { extent: extent_of(downsampled, MAX_POINTS, &points), ..lines_of(&points) })
        })
    })
}

/// Chart data over the series' own x values. Tracked.
fn counted_sheet(name: &str, of: &[Entry]) -> Sheet {
    let points: Vec<Vec<Point>> = of.iter().map(|e| e.curves.with(|c| c.get(name).to_vec())).collect();
    let points: Vec<&[Point]> = points.iter().map(Vec::as_slice).collect();
    let of_each = of.iter().zip(&points).map(|(e, curve)| extent_of(e.downsampled.get(), e.points, &[curve]));
    // One downsampled series makes the chart downsampled.
    let extent = of_each.into_iter().find(|extent| !extent.is_all()).unwrap_or_default();
    Sheet { fit: 1, extent, ..lines_of(&points) }
}

/// Loaded equity of each operation. Tracked.
fn equity_of(of: &[Entry]) -> Vec<Option<Answer<Columns>>> {
    of.iter().map(|entry| entry.equity.value.get()).collect()
}

/// Chart data over time. Series that have not arrived are empty.
fn dated_sheet(name: &str, answers: &[Option<Answer<Columns>>]) -> Sheet {
    let points: Vec<Vec<Point>> = answers
        .iter()
        .map(|answer| {
            let Some(columns) = answer.as_ref().map(|answer| &answer.of) else { return Vec::new() };
            let values = columns.columns.get(name).into_iter().flatten();
            columns.t.iter().zip(values).map(|(t, y)| Point(*t as f64, *y)).collect()
        })
        .collect();
    let points: Vec<&[Point]> = points.iter().map(Vec::as_slice).collect();
    let fit = answers.iter().flatten().map(|answer| answer.fit).sum();
    let bars = answers.iter().flatten().map(|answer| answer.of.bars_per_row).max().unwrap_or_default();
    let part = answers.iter().flatten().any(|answer| answer.part);
    Sheet { fit, extent: Extent { rows: Rows::for_bars(bars), part }, ..lines_of(&points) }
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
            cards.iter().map(|card| card.iter().map(|d| d.common.name.as_str()).collect()).collect();
        assert_eq!(names, [vec!["equity", "drawdown"], vec!["exposure"]]);
        assert!(cards[0][1].falls && !cards[0][1].alone);
    }

    #[test]
    fn parts_of_one_figure_are_charts_of_their_own_here() {
        let cards = drawn(&[series("train_loss", ""), series("validation_loss", "")]);
        assert_eq!((cards.len(), cards[0].len()), (1, 2));
        assert!(cards[0].iter().all(|d| d.steep));
    }

    #[test]
    fn curves_over_dates_share_them_and_a_missing_one_is_empty() {
        let columns = |equity: &[f64]| {
            let t = (0..equity.len() as i64).map(|n| n * 3_600).collect();
            let columns = [("equity".to_owned(), equity.to_vec())].into();
            let columns = Columns { t, columns, bars_per_row: 3 };
            Some(Answer { of: Arc::new(columns), fit: 1, part: false })
        };
        let sheet = dated_sheet("equity", &[columns(&[1.0, 2.0]), None, columns(&[3.0, 4.0, 5.0])]);
        assert_eq!(sheet.x, [0.0, 3_600.0, 7_200.0]);
        assert_eq!(sheet.columns[0][..2], [1.0, 2.0]);
        assert!(!sheet.columns[0][2].is_finite() && sheet.columns[1].iter().all(|y| !y.is_finite()));
        assert_eq!((sheet.columns[2].as_slice(), sheet.fit), (&[3.0, 4.0, 5.0][..], 2));
        assert_eq!(sheet.extent.rows, Rows::ForBars(3));
    }
}
