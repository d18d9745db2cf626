//! Theme: light, dark or system.

use crate::settings;
use leptos::prelude::*;

/// The theme; from the context.
#[derive(Clone, Copy)]
pub struct Theme(RwSignal<&'static str>);

impl Theme {
    /// Name and stored value of each theme.
    const ALL: [(&'static str, &'static str); 3] = [("auto", ""), ("light", "light"), ("dark", "dark")];

    /// Called once, by the frame.
    pub fn new() -> Self {
        let theme = RwSignal::new("auto");
        Effect::new(move |_| {
            let stored = settings::stored("theme");
            let known = Self::ALL.iter().find(|(_, value)| *value == stored);
            theme.set(known.map_or("auto", |(name, _)| name));
        });
        Self(theme)
    }

    /// `auto`, `light` or `dark`. Tracked.
    pub fn get(&self) -> &'static str {
        self.0.get()
    }

    /// Sets `auto`, `light` or `dark`.
    pub fn choose(&self, wanted: &'static str) {
        if let Some((_, value)) = Self::ALL.iter().find(|(name, _)| *name == wanted) {
            settings::store("theme", value);
            self.0.set(wanted);
        }
    }
}
