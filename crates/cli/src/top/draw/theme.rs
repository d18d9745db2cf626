//! Theme: colours, or none.

use crate::listing::Colour;
use crate::terminal;
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::Span;

/// Colours of the terminal's own palette, so that they fit its background.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Theme {
    has_colours: bool,
}

impl Theme {
    /// Without colours if `NO_COLOR` is set or the terminal has none.
    pub fn of_environment() -> Self {
        Self { has_colours: terminal::has_colours() }
    }

    #[cfg(test)]
    pub fn plain() -> Self {
        Self { has_colours: false }
    }

    pub fn colour(self, colour: Colour) -> Style {
        if !self.has_colours {
            return Style::new();
        }
        Style::new().fg(match colour {
            Colour::Red => Color::Red,
            Colour::Green => Color::Green,
            Colour::Yellow => Color::Yellow,
            Colour::Blue => Color::Blue,
            Colour::Grey => Color::DarkGray,
        })
    }

    pub fn bold(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// Selected row.
    pub fn selected(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// Heading of a part, in its whole width.
    pub fn heading(self) -> Style {
        Style::new().add_modifier(Modifier::UNDERLINED)
    }
}

/// Text in exactly so many columns, cut with an ellipsis or followed by spaces.
pub fn cell(text: &str, columns: usize, style: Style) -> Span<'static> {
    // One more, because the last column of a terminal stays empty.
    let mut text = terminal::fitted(text, columns + 1);
    let padding = columns.saturating_sub(terminal::columns_of(&text));
    text.push_str(&" ".repeat(padding));
    Span::styled(text, style)
}

/// Text at the right of so many columns.
pub fn right(text: &str, columns: usize, style: Style) -> Span<'static> {
    let text = terminal::fitted(text, columns + 1);
    let padding = columns.saturating_sub(terminal::columns_of(&text));
    Span::styled(format!("{}{text}", " ".repeat(padding)), style)
}

pub fn gap(columns: usize) -> Span<'static> {
    Span::raw(" ".repeat(columns))
}
