//! Lists as a table for people, and as JSON, CSV or names for programs.

use crate::columns::{self, GAP};
use crate::exit::UsageError;
use crate::output::{self, OutputError};
use crate::{terminal, text};
use protocol::Time;
use serde::Serialize;

/// Output format.
#[derive(
    Clone, Copy, PartialEq, Eq, Debug, Default, clap::ValueEnum, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Human-readable
    #[default]
    Text,
    /// One JSON document, as the API returns it
    Json,
    /// One JSON document per line
    Jsonl,
    /// Comma-separated values with a header
    Csv,
    /// Only IDs or names, one per line
    Name,
}

impl Format {
    /// The format, if the command can print it.
    ///
    /// # Errors
    /// [`UsageError`] that names the possible ones.
    pub fn one_of(self, possible: &[Format], command: &str) -> Result<Format, UsageError> {
        if possible.contains(&self) {
            return Ok(self);
        }
        let names: Vec<&str> = possible.iter().map(|format| format.as_str()).collect();
        let names = names.join(", ");
        Err(UsageError(format!(
            "`signalbox {command}` does not support the output format {}. Use one of: {names}",
            self.as_str()
        )))
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Format::Text => "text",
            Format::Json => "json",
            Format::Jsonl => "jsonl",
            Format::Csv => "csv",
            Format::Name => "name",
        }
    }

    /// JSON of either form.
    pub fn is_json(self) -> bool {
        matches!(self, Format::Json | Format::Jsonl)
    }
}

/// Cell of a table for people.
pub struct Cell {
    text: String,
    colour: Option<Colour>,
}

impl Cell {
    pub fn coloured(text: impl Into<String>, colour: Colour) -> Self {
        Self { text: text.into(), colour: Some(colour) }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self { text: text.into(), colour: None }
    }
}

/// Colour of a text on a terminal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Colour {
    Red,
    Green,
    Yellow,
    Blue,
    Grey,
}

impl Colour {
    fn code(self) -> u8 {
        match self {
            Colour::Red => 31,
            Colour::Green => 32,
            Colour::Yellow => 33,
            Colour::Blue => 34,
            Colour::Grey => 90,
        }
    }
}

/// Row of a list.
pub trait Listed: Serialize {
    /// Columns of the table for people.
    const COLUMNS: &'static [&'static str];
    /// Columns that a narrow terminal leaves out, in this order.
    const OPTIONAL: &'static [&'static str] = &[];
    /// Fields of CSV. Fields are only ever added, at the end.
    const FIELDS: &'static [&'static str];
    /// Sentence if there are no rows.
    const EMPTY: &'static str;

    /// ID or name, to pass to other commands.
    fn name(&self) -> String;
    /// Cells of the table, as many as there are columns.
    fn cells(&self, now: Time) -> Vec<Cell>;
    /// Values of CSV, as many as there are fields.
    fn record(&self) -> Vec<String>;
}

/// Prints a list. `whole` is the document of [`Format::Json`].
///
/// # Errors
/// [`OutputError`].
pub fn print<T: Listed>(format: Format, rows: &[T], whole: &impl Serialize) -> Result<(), OutputError> {
    match format {
        Format::Text if rows.is_empty() => output::line(T::EMPTY),
        Format::Text => {
            let now = Time::now();
            let cells = rows.iter().map(|row| row.cells(now)).collect();
            print_fitted(T::COLUMNS, cells, Fit { optional: T::OPTIONAL, ..Fit::cut() })
        }
        Format::Json => output::json(&json_of(whole)),
        Format::Jsonl => rows.iter().try_for_each(|row| output::json(&json_of(row))),
        Format::Csv => {
            let records = rows.iter().map(T::record);
            print_csv(T::FIELDS, records)
        }
        Format::Name => rows.iter().try_for_each(|row| output::line(&text::one_row(&row.name()))),
    }
}

/// Prints CSV with a header.
///
/// # Errors
/// [`OutputError`].
pub fn print_csv(fields: &[&str], records: impl Iterator<Item = Vec<String>>) -> Result<(), OutputError> {
    let mut all = display::csv::texts(fields.iter().copied());
    for record in records {
        all.push_str(&display::csv::texts(record.iter().map(String::as_str)));
    }
    output::line(&all.replace("\r\n", "\n"))
}

/// How a table fits into a terminal.
#[derive(Clone, Copy)]
pub struct Fit<'a> {
    /// Columns of the terminal; `None` if there is no terminal, so that nothing is cut.
    pub terminal: Option<usize>,
    /// Columns that may be left out, in this order.
    pub optional: &'a [&'a str],
    /// Long texts continue in the next row, instead of being cut.
    pub wraps: bool,
}

impl Fit<'static> {
    /// Cuts long texts if standard output is a terminal.
    pub fn cut() -> Self {
        Self { terminal: terminal::output_columns(), optional: &[], wraps: false }
    }

    /// Wraps long texts if standard output is a terminal.
    pub fn wrapped() -> Self {
        Self { wraps: true, ..Self::cut() }
    }

    /// All columns, as wide as they are.
    pub fn natural() -> Self {
        Self { terminal: None, optional: &[], wraps: false }
    }
}

/// Prints a table with aligned columns; with colours on a terminal, whose width it fits.
///
/// # Errors
/// [`OutputError`].
pub fn print_fitted(columns: &[&str], rows: Vec<Vec<Cell>>, fit: Fit) -> Result<(), OutputError> {
    output::styled_lines(&table(columns, rows, terminal::has_colours(), fit))
}

/// Prints a table whose long texts are wrapped on a terminal.
///
/// # Errors
/// [`OutputError`].
pub fn print_table(columns: &[&str], rows: Vec<Vec<Cell>>) -> Result<(), OutputError> {
    print_fitted(columns, rows, Fit::wrapped())
}

/// Lines of a table.
pub fn table(columns: &[&str], rows: Vec<Vec<Cell>>, coloured: bool, fit: Fit) -> Vec<String> {
    let head = columns.iter().map(|column| Cell::coloured(*column, Colour::Grey)).collect();
    let mut all: Vec<Vec<Cell>> = std::iter::once(head).chain(rows).collect();
    let mut natural = vec![0; columns.len()];
    for row in &mut all {
        for (cell, width) in row.iter_mut().zip(&mut natural) {
            cell.text = text::one_row(&cell.text);
            *width = (*width).max(terminal::columns_of(&cell.text));
        }
    }
    // The last column of a terminal stays empty, because some terminals wrap once it is written.
    let room = fit.terminal.map(|columns| columns.saturating_sub(1));
    let at = |name: &&str| columns.iter().position(|column| column == name);
    let optional: Vec<usize> = fit.optional.iter().filter_map(at).collect();
    let shown = match room {
        Some(room) => columns::fitted(&natural, &optional, room),
        None => natural.iter().copied().enumerate().collect(),
    };
    let room = room.unwrap_or(usize::MAX);
    all.iter().flat_map(|row| lines_of(row, &shown, room, coloured, fit.wraps)).collect()
}

/// Lines of a row: one, or as many as its longest text needs.
fn lines_of(row: &[Cell], shown: &[(usize, usize)], room: usize, coloured: bool, wraps: bool) -> Vec<String> {
    let texts = shown.iter().filter_map(|(at, width)| Some((row.get(*at)?, *width)));
    let cells: Vec<(Vec<String>, Option<Colour>, usize)> = texts
        .map(|(cell, width)| {
            let parts = match wraps {
                true => terminal::wrapped(&cell.text, width),
                false => vec![terminal::cut(&cell.text, width)],
            };
            (parts, cell.colour.filter(|_| coloured), width)
        })
        .collect();
    let count = cells.iter().map(|(parts, ..)| parts.len()).max().unwrap_or_default();
    let part = |(parts, colour, width): &(Vec<String>, Option<Colour>, usize), n: usize| {
        (parts.get(n).cloned().unwrap_or_default(), *colour, *width)
    };
    (0..count).map(|n| line_of(cells.iter().map(|cell| part(cell, n)), room)).collect()
}

fn line_of(cells: impl Iterator<Item = (String, Option<Colour>, usize)>, room: usize) -> String {
    let mut line = String::new();
    // Columns that are written, and blanks that a text after them needs.
    let (mut used, mut pending) = (0, 0);
    for (text, colour, width) in cells {
        let left = room.saturating_sub(used + pending);
        let text = terminal::cut(&text, left);
        let columns = terminal::columns_of(&text);
        if !text.is_empty() {
            line.push_str(&" ".repeat(pending));
            used += pending + columns;
            pending = 0;
            match colour {
                Some(colour) => line.push_str(&format!("\u{1b}[{}m{text}\u{1b}[0m", colour.code())),
                None => line.push_str(&text),
            }
        }
        pending += width.saturating_sub(columns) + GAP;
    }
    line
}

/// JSON of a value.
pub fn json_of(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("types of the API are JSON")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_also_with_wide_characters_and_colours() {
        let rows = || {
            vec![
                vec![Cell::coloured("失敗", Colour::Red), Cell::from("a\u{1b}[2Jb\nc")],
                vec![Cell::from("ok"), Cell::from("d")],
            ]
        };
        let plain = table(&["STATE", "TITLE"], rows(), false, Fit::natural());
        assert_eq!(plain, ["STATE  TITLE", "失敗   ab c", "ok     d"]);
        let coloured = table(&["STATE", "TITLE"], rows(), true, Fit::natural());
        assert_eq!(coloured[1], "\u{1b}[31m失敗\u{1b}[0m   ab c");
        assert_eq!(coloured[2], plain[2]);
    }

    #[test]
    fn a_table_fits_the_terminal_by_the_width_of_its_characters() {
        let rows = || {
            let title = "読込中です".repeat(40);
            let state = || Cell::coloured("running", Colour::Blue);
            vec![
                vec!["0199c2d4-7f3a-7c11".into(), state(), "local".into(), title.as_str().into()],
                vec!["0199c2d4-7f3a-7c12".into(), state(), "local".into(), "short".into()],
            ]
        };
        let columns = ["ID", "STATE", "HOST", "TITLE"];
        let lines = |width| {
            table(&columns, rows(), false, Fit { terminal: Some(width), optional: &["HOST"], wraps: false })
        };
        for width in [1, 2, 20, 40, 80, 300] {
            let lines = lines(width);
            assert_eq!(lines.len(), 3);
            assert!(lines.iter().all(|line| terminal::columns_of(line) < width.max(2)), "{width}: {lines:?}");
        }
        assert_eq!(lines(60)[1], "0199c2d4-7f3a-7c11  running  local  読込中です読込中です読…");
        assert_eq!(lines(44)[1], "0199c2d4-7f3a-7c11  running  読込中です読…");
        assert_eq!(lines(44)[2], "0199c2d4-7f3a-7c12  running  short");
        // Without a terminal, all of it is there.
        assert!(table(&columns, rows(), false, Fit::natural())[1].ends_with(&"読込中です".repeat(40)));
        // A colour ends with its text, also if that is cut.
        let fit = Fit { terminal: Some(26), ..Fit::natural() };
        assert_eq!(table(&columns, rows(), true, fit)[1], "0199c2d4-7f3a-7c11  \u{1b}[34mrunn…\u{1b}[0m");
    }

    #[test]
    fn long_texts_are_wrapped_in_their_columns() {
        let rows = vec![
            vec!["timeframe".into(), "one of 1m, 5m, 15m, 30m, 1h, 4h or 1d".into(), "Width of a bar".into()],
            vec!["symbol".into(), "text".into(), "".into()],
        ];
        let fit = Fit { terminal: Some(46), optional: &[], wraps: true };
        let expected = [
            "PARAMETER  VALUES              DESCRIPTION",
            "timeframe  one of 1m, 5m,      Width of a bar",
            "           15m, 30m, 1h, 4h",
            "           or 1d",
            "symbol     text",
        ];
        assert_eq!(table(&["PARAMETER", "VALUES", "DESCRIPTION"], rows, false, fit), expected);
    }

    #[test]
    fn a_format_that_a_command_lacks_is_refused_with_those_it_has() {
        let refused = Format::Csv.one_of(&[Format::Text, Format::Json], "result").unwrap_err();
        assert_eq!(
            refused.to_string(),
            "`signalbox result` does not support the output format csv. Use one of: text, json"
        );
    }
}
