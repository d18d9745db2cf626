//! Charts of the series that at least two compared operations share.

mod shared;
mod sheet;

use super::entry::{Entry, is_few, letter};
use crate::features::curves::flat;
use crate::features::curves::group::is_of_training;
use app_state::address::comparison::Comparison;
use charts::{Chart, ChartGroup, Spec, Toolbar};
use components::reactive::{mark, part, spoken, text};
use display::format::is_same;
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;
use live::base;
use protocol::SeriesInfo;
use shared::{Common, Drawn, Found, commons, drawn, key_of};
use sheet::{Column, all_of, counted_sheet, dated_sheet, equity_of};
use std::sync::Arc;

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
        shown.with(|cards| cards.iter().flatten().find(|d| d.dated()).map(|d| d.commons.clone()))
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
            view! { <p class="muted">{format!("Curves that only one operation has are on the page of that operation: {}.", wording.join("; "))}</p> }
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
                            let leads = first_dated.with_untracked(|first| first.as_ref() == Some(&drawn.commons));
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

/// Title of a chart with parts of a metric, which names the dotted one: `Loss (training dotted)`.
fn parted(title: &str, parts: &[String], commons: &[Common]) -> String {
    let dotted = parts.iter().zip(commons).find(|(_, common)| is_of_training(&common.name));
    match dotted {
        Some((name, _)) => format!("{title} ({} dotted)", name.to_lowercase()),
        None => title.to_owned(),
    }
}

/// Chart of one series; `leads` if it requests data for all charts over time.
fn chart(drawn: Drawn, leads: bool, entries: Vec<Entry>, group: ChartGroup) -> AnyView {
    let dated = drawn.dated();
    let Drawn { commons, parts, title, info, steep, falls, alone } = drawn;
    let few = is_few(entries.len());
    // A column for each operation and part.
    let columns: Vec<Column> = commons
        .iter()
        .enumerate()
        .flat_map(|(part, common)| {
            common.members.iter().map(move |place| (part, common.name.clone(), *place))
        })
        .filter_map(|(part, series, place)| {
            let part = parts.get(part).cloned().unwrap_or_default();
            Some(Column { entry: *entries.get(place)?, series, part })
        })
        .collect();
    let of: Vec<Entry> = columns.iter().map(|column| column.entry).collect();
    let names = |name: fn(&Entry) -> String| -> Vec<String> {
        columns
            .iter()
            .map(|column| format!("{} {}", name(&column.entry), column.part).trim_end().to_owned())
            .collect()
    };
    let spec = Spec {
        title: parted(&title, &parts, &commons),
        file: "compared".to_owned(),
        time: dated,
        x: info.x,
        zero: info.unit.ends_with("/s") || falls,
        unit: info.unit,
        names: names(if few { Entry::label } else { |entry| entry.letter().to_string() }),
        full: if few { Vec::new() } else { names(Entry::label) },
        ends: columns.iter().map(|column| column.entry.letter().to_string()).collect(),
        styles: columns.iter().map(|column| column.entry.place).collect(),
        faint: columns.iter().map(|column| !parts.is_empty() && is_of_training(&column.series)).collect(),
        smooth: true,
        log: steep,
        height: if falls && !alone { 140 } else { 260 },
        ..Spec::default()
    };
    let equity: Vec<_> = of.iter().map(|entry| entry.equity).collect();
    // Over time the rows are bars, which zooming loads in finer resolution.
    let all = (!dated).then(|| all_of(&columns));
    let sheet = Signal::derive(move || {
        let name = columns.first().map_or("", |column| column.series.as_str());
        Arc::new(if dated { dated_sheet(name, &equity_of(&of)) } else { counted_sheet(&columns) })
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
