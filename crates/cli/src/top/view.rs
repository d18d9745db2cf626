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

    /// Row of the selected operation. The selection stays at its operation, else at its row. An open log is always that
    /// of the selected operation.
    pub fn settle(&mut self, rows: &[&Tracked]) -> Option<usize> {
        let at = self.selected.and_then(|id| rows.iter().position(|row| row.op.id == id));
        self.select(rows, at.unwrap_or(self.row));
        self.selected.map(|_| self.row)
    }

    /// Selects a row, or the last one.
    fn select(&mut self, rows: &[&Tracked], row: usize) {
        self.row = row.min(rows.len().saturating_sub(1));
        let selected = rows.get(self.row);
        self.selected = selected.map(|known| known.op.id);
        if self.log.as_ref().is_some_and(|log| Some(log.id) != self.selected) {
            self.log = selected.map(|known| Log::new(known.op.id, known.op.attempt));
        }
    }

    /// Moves the selection by rows.
    pub fn move_by(&mut self, rows: &[&Tracked], by: isize) {
        self.settle(rows);
        self.select(rows, self.row.saturating_add_signed(by));
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

    #[test]
    fn an_open_log_is_always_that_of_the_selected_operation() {
        let mut model = Model::default();
        model.load(snapshot(vec![op(1, State::Running), op(2, State::Failed)], vec![]));
        let mut view = View::default();
        let settled = |view: &mut View| {
            let rows = model.rows(&view.as_filter(), view.with_ended, Time::from_micros(0));
            view.settle(&rows);
            view.log.as_ref().map(|log| log.id)
        };
        let [running, failed] = [1, 2].map(|n| op(n, State::Running).id);
        assert_eq!(settled(&mut view), None);
        view.log = Some(Log::new(running, 1));
        assert_eq!(settled(&mut view), Some(running));
        // A filter hides the operation of the log.
        view.filter = "2h".into();
        assert_eq!(settled(&mut view), Some(failed));
        // Nothing is shown any more.
        view.with_ended = false;
        assert_eq!(settled(&mut view), None);
        view.filter.clear();
        assert_eq!(settled(&mut view), None);
    }
}
