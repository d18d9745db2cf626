//! Headline of a page: the three to five figures for which it is opened.

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

/// The strip of figures, most important first. Renders nothing without figures.
#[component]
pub fn Headline(
    /// Figures, at most five.
    #[prop(into)]
    figures: Signal<Vec<HeadFigure>>,
) -> impl IntoView {
    let strip = move || {
        figures.with(|figures| {
            (!figures.is_empty()).then(|| {
                let shown = figures.iter().map(one).collect_view();
                view! { <dl class="headline">{shown}</dl> }.into_any()
            })
        })
    };
    crate::reactive::part(strip)
}

fn one(figure: &HeadFigure) -> AnyView {
    let means = (!figure.means.is_empty()).then_some(figure.means);
    let note = (!figure.note.is_empty())
        .then(|| view! { <dd class="headline-note num">{figure.note.clone()}</dd> }.into_any());
    view! {
        <div title=means data-tone=figure.tone.name()>
            <dt>{figure.label.clone()}</dt>
            <dd>{figure.value.clone()}</dd>
            {note}
        </div>
    }
    .into_any()
}
