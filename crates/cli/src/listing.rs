//! Lists as a table for people, and as JSON, CSV or names for programs.

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
            print_table(T::COLUMNS, rows.iter().map(|row| row.cells(now)).collect())
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

/// Prints a table with aligned columns; with colours on a terminal.
///
/// # Errors
/// [`OutputError`].
pub fn print_table(columns: &[&str], rows: Vec<Vec<Cell>>) -> Result<(), OutputError> {
    output::styled_lines(&table(columns, rows, terminal::has_colours()))
}

/// Lines of a table.
pub fn table(columns: &[&str], rows: Vec<Vec<Cell>>, coloured: bool) -> Vec<String> {
    let head = columns.iter().map(|column| Cell::coloured(*column, Colour::Grey)).collect();
    let mut all: Vec<Vec<Cell>> = std::iter::once(head).chain(rows).collect();
    let mut widths = vec![0; columns.len()];
    for row in &mut all {
        for (cell, width) in row.iter_mut().zip(&mut widths) {
            cell.text = text::one_row(&cell.text);
            *width = (*width).max(terminal::columns_of(&cell.text));
        }
    }
    all.iter().map(|row| line_of(row, &widths, coloured)).collect()
}

fn line_of(row: &[Cell], widths: &[usize], coloured: bool) -> String {
    let mut line = String::new();
    let mut pending = 0;
    for (cell, width) in row.iter().zip(widths) {
        if !cell.text.is_empty() {
            line.push_str(&" ".repeat(pending));
            pending = 0;
            match cell.colour.filter(|_| coloured) {
                Some(colour) => line.push_str(&format!("\u{1b}[{}m{}\u{1b}[0m", colour.code(), cell.text)),
                None => line.push_str(&cell.text),
            }
        }
        pending += width - terminal::columns_of(&cell.text) + 2;
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
        let plain = table(&["STATE", "TITLE"], rows(), false);
        assert_eq!(plain, ["STATE  TITLE", "失敗   ab c", "ok     d"]);
        let coloured = table(&["STATE", "TITLE"], rows(), true);
        assert_eq!(coloured[1], "\u{1b}[31m失敗\u{1b}[0m   ab c");
        assert_eq!(coloured[2], plain[2]);
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
