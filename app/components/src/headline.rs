//! Headline of a page: the three to five figures for which it is opened.

use crate::reactive::{maybe, part, text};
use leptos::prelude::*;

/// Whether a figure is good or bad by itself, apart from its size.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Tone {
    #[default]
    Plain,
    Good,
    Warn,
    Bad,
}

impl Tone {
    fn name(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Good => Some("good"),
            Self::Warn => Some("warn"),
            Self::Bad => Some("bad"),
        }
    }
}

/// One figure of a headline.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct HeadFigure {
    /// Name below the figure: `max. drawdown`.
    pub label: String,
    /// Value with its unit, or a dash.
    pub value: String,
    /// What the value is compared with: `buy & hold −38.4 %`. Empty if there is nothing to compare.
    pub note: String,
    /// Definition, as a tooltip. Empty if the name is enough.
    pub means: &'static str,
    pub tone: Tone,
}

/// Part of a figure that stays while its value changes.
type Label = (String, &'static str);

/// The strip of figures, most important first. Renders nothing without figures. While a value changes, only its text
/// does.
#[component]
pub fn Headline(
    /// Figures, at most five.
    #[prop(into)]
    figures: Signal<Vec<HeadFigure>>,
) -> impl IntoView {
    let labels = Memo::new(move |_| {
        figures.with(|figures| figures.iter().map(|f| (f.label.clone(), f.means)).collect::<Vec<Label>>())
    });
    part(move || {
        let labels = labels.get();
        (!labels.is_empty()).then(|| {
            let shown = labels.into_iter().enumerate().map(|(place, label)| one(figures, place, label));
            view! { <dl class="headline">{shown.collect_view()}</dl> }.into_any()
        })
    })
}

fn one(figures: Signal<Vec<HeadFigure>>, place: usize, (label, means): Label) -> AnyView {
    let of = move |read: fn(&HeadFigure) -> String| {
        text(move || figures.with(|figures| figures.get(place).map(read).unwrap_or_default()))
    };
    let tone = maybe(move || {
        figures.with(|figures| figures.get(place).and_then(|f| f.tone.name()).map(str::to_owned))
    });
    let means = (!means.is_empty()).then_some(means);
    view! {
        <div title=means data-tone=tone>
            <dt>{label}</dt>
            <dd>{of(|f| f.value.clone())}</dd>
            <dd class="headline-note num">{of(|f| f.note.clone())}</dd>
        </div>
    }
    .into_any()
}
