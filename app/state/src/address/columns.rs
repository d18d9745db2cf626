//! Columns of the operations list, as in the address. Pure.

/// Maximum number of chosen columns.
const MAX_COLUMNS: usize = 16;

/// A column that can be chosen; state and operation are always shown.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Column {
    /// Activity of an active operation, result or failure of an ended one.
    Result,
    Progress,
    /// Remaining time or end.
    End,
    Duration,
    Started,
    Host,
    Kind,
    Attempt,
    Id,
    /// CPU time.
    Cpu,
    /// Peak memory.
    Memory,
    /// A parameter, by name.
    Param(String),
    /// A key figure of the result, by name.
    Figure(String),
}

impl Column {
    /// Columns of a list for which none are chosen.
    pub const STANDARD: [Column; 6] =
        [Column::Result, Column::Progress, Column::End, Column::Duration, Column::Started, Column::Host];
    /// Other columns that every operation has.
    pub const MORE: [Column; 5] = [Column::Kind, Column::Attempt, Column::Id, Column::Cpu, Column::Memory];

    fn fixed_word(&self) -> &'static str {
        match self {
            Column::Result => "result",
            Column::Progress => "progress",
            Column::End => "end",
            Column::Duration => "duration",
            Column::Started => "started",
            Column::Host => "host",
            Column::Kind => "kind",
            Column::Attempt => "attempt",
            Column::Id => "id",
            Column::Cpu => "cpu",
            Column::Memory => "memory",
            Column::Param(_) => "param.",
            Column::Figure(_) => "figure.",
        }
    }

    /// Value in the address.
    pub fn word(&self) -> String {
        match self {
            Column::Param(name) | Column::Figure(name) => format!("{}{name}", self.fixed_word()),
            fixed => fixed.fixed_word().to_owned(),
        }
    }

    pub(super) fn read(word: &str) -> Option<Self> {
        let named =
            |prefix: &str| word.strip_prefix(prefix).filter(|name| !name.is_empty()).map(str::to_owned);
        let fixed = Self::STANDARD.into_iter().chain(Self::MORE).find(|column| column.fixed_word() == word);
        fixed.or_else(|| named("param.").map(Self::Param)).or_else(|| named("figure.").map(Self::Figure))
    }

    /// Label.
    pub fn title(&self) -> &str {
        match self {
            Column::Result => "Result",
            Column::Progress => "Progress",
            Column::End => "End",
            Column::Duration => "Duration",
            Column::Started => "Started",
            Column::Host => "Host",
            Column::Kind => "Kind",
            Column::Attempt => "Attempt",
            Column::Id => "ID",
            Column::Cpu => "CPU time",
            Column::Memory => "Peak memory",
            Column::Param(name) | Column::Figure(name) => name,
        }
    }

    /// Class of its cells in style sheets, which hide columns that do not fit.
    pub fn class(&self) -> &'static str {
        match self {
            Column::Result => "c-result",
            Column::Progress => "c-bar",
            Column::End => "c-left",
            Column::Duration => "c-took",
            Column::Started => "c-began",
            Column::Host => "c-host",
            _ => "c-own",
        }
    }

    /// Whether all of its values are numbers.
    pub fn is_figure(&self) -> bool {
        matches!(self, Column::Attempt | Column::Cpu | Column::Memory | Column::Figure(_))
    }

    /// Whether a list can be sorted by its values. Other columns have orders of their own, or nothing to compare.
    pub fn sorts(&self) -> bool {
        matches!(self, Column::Host | Column::Kind | Column::Attempt | Column::Param(_) | Column::Figure(_))
    }

    /// Whether it can be part of an address, which separates columns by commas.
    pub fn is_nameable(&self) -> bool {
        !matches!(self, Column::Param(name) | Column::Figure(name) if name.is_empty() || name.contains(','))
    }
}

/// Reads the columns of an address: unknown and repeated ones are left out.
pub fn read(text: &str) -> Vec<Column> {
    let mut columns = Vec::new();
    for column in text.split(',').filter_map(Column::read) {
        if columns.len() < MAX_COLUMNS && !columns.contains(&column) {
            columns.push(column);
        }
    }
    columns
}

/// Text in the address; empty for the standard columns.
pub fn text(columns: &[Column]) -> String {
    columns.iter().map(Column::word).collect::<Vec<_>>().join(",")
}

/// Columns after one was added or removed, starting from the standard ones.
pub fn toggled(columns: &[Column], column: &Column) -> Vec<Column> {
    let mut columns = columns.to_vec();
    match columns.iter().position(|known| known == column) {
        Some(at) => drop(columns.remove(at)),
        None if columns.len() < MAX_COLUMNS => columns.push(column.clone()),
        None => {}
    }
    columns
}

/// Columns after one was moved by one place.
pub fn moved(columns: &[Column], column: &Column, down: bool) -> Vec<Column> {
    let mut columns = columns.to_vec();
    if let Some(at) = columns.iter().position(|known| known == column) {
        let to = if down { at + 1 } else { at.wrapping_sub(1) };
        if to < columns.len() {
            columns.swap(at, to);
        }
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_read_back_from_their_text() {
        let words = "result,host,param.symbol,figure.Test accuracy";
        let columns = read(words);
        assert_eq!((columns.len(), text(&columns).as_str()), (4, words));
        assert_eq!(columns[3], Column::Figure("Test accuracy".to_owned()));
        assert_eq!(read("host,colour,host,param.,"), [Column::Host]);
        assert_eq!((read(""), text(&[])), (vec![], String::new()));
        let all = Column::STANDARD.into_iter().chain(Column::MORE);
        assert!(all.clone().all(|column| read(&column.word()) == [column]));
        assert!(!Column::Param("a,b".to_owned()).is_nameable() && Column::Host.is_nameable());
    }

    #[test]
    fn a_column_is_added_removed_and_moved_within_the_row() {
        let columns = read("result,host,kind");
        assert_eq!(text(&toggled(&columns, &Column::Host)), "result,kind");
        assert_eq!(text(&toggled(&columns, &Column::Id)), "result,host,kind,id");
        assert_eq!(text(&moved(&columns, &Column::Kind, false)), "result,kind,host");
        assert_eq!(text(&moved(&columns, &Column::Result, false)), "result,host,kind");
        assert_eq!(text(&moved(&columns, &Column::Kind, true)), "result,host,kind");
    }
}
