//! View: what the user chose. Pure.

use super::log::Log;
use super::model::Tracked;
use protocol::OperationId;
use protocol::filter::Filter;

/// What keys mean at the moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    Normal,
    /// The filter is typed.
    Filter,
    /// A question whether this operation is cancelled.
    Confirm(OperationId),
}

/// Selection, filter and log.
pub struct View {
    pub mode: Mode,
    pub filter: String,
    pub with_ended: bool,
    pub log: Option<Log>,
    /// Outcome of the last command of the user.
    pub note: String,
    selected: Option<OperationId>,
    /// Row of the selection, in case that its operation disappears.
    row: usize,
}

impl Default for View {
    fn default() -> Self {
        Self {
            mode: Mode::Normal,
            filter: String::new(),
            with_ended: true,
            log: None,
            note: String::new(),
            selected: None,
            row: 0,
        }
    }
}

impl View {
    /// The filter as typed: words that must all occur.
    pub fn as_filter(&self) -> Filter {
        Filter { text: self.filter.clone(), ..Filter::default() }
    }

    /// Row of the selected operation. The selection stays at its operation, else at its row.
    pub fn settle(&mut self, rows: &[&Tracked]) -> Option<usize> {
        let at = self.selected.and_then(|id| rows.iter().position(|row| row.op.id == id));
        self.row = at.unwrap_or(self.row).min(rows.len().saturating_sub(1));
        self.selected = rows.get(self.row).map(|row| row.op.id);
        self.selected.map(|_| self.row)
    }

    /// Moves the selection by rows.
    pub fn move_by(&mut self, rows: &[&Tracked], by: isize) {
        self.settle(rows);
        self.row = self.row.saturating_add_signed(by).min(rows.len().saturating_sub(1));
        self.selected = rows.get(self.row).map(|row| row.op.id);
    }

    pub fn selected(&self) -> Option<OperationId> {
        self.selected
    }
}

#[cfg(test)]
mod tests {
    use super::super::model::Model;
    use super::super::model::tests::{op, snapshot};
    use super::*;
    use protocol::{State, Time};

    #[test]
    fn the_selection_stays_at_its_operation_else_at_its_row() {
        let mut model = Model::default();
        let all = [1, 2, 3].map(|n| op(n, State::Running));
        model.load(snapshot(all.to_vec(), vec![]));
        let mut view = View::default();
        let rows = |model: &Model| -> Vec<Tracked> {
            let rows = model.rows(&Filter::default(), true, Time::from_micros(0));
            rows.into_iter().cloned().collect()
        };
        let mut settle = |model: &Model, by: isize| {
            let rows = rows(model);
            let rows: Vec<&Tracked> = rows.iter().collect();
            view.move_by(&rows, by);
            view.settle(&rows)
        };
        assert_eq!(settle(&model, 1), Some(1));
        // An operation appears above it, and its own one ends.
        model.update(op(0, State::Running));
        assert_eq!(settle(&model, 0), Some(2));
        let mut ended = op(2, State::Failed);
        ended.seq = 99;
        model.update(ended);
        assert_eq!(settle(&model, 0), Some(3));
        assert_eq!(settle(&model, 100), Some(3));
        assert_eq!(settle(&model, -100), Some(0));
        assert_eq!(settle(&Model::default(), 0), None);
    }
}
