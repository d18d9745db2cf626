//! Output as lines, as a terminal shows it: carriage return and backspace overwrite, a newline completes a line, and
//! cursor-up redraws several lines, whose last state counts.
//!
//! Accepts chunks of any size, bounds the number and length of lines, and replaces invalid UTF-8.

use crate::escape::{Control, Escape, Step};
use crate::row::Row;
use std::borrow::Cow;
use std::collections::VecDeque;

/// Maximum number of rows that are redrawn together.
const MAX_BLOCK_ROWS: usize = 100;
/// Number of newlines without cursor-up after which a live display has ended.
const MAX_QUIET_LINES: usize = 20;

/// State of a line. The text has colours and no other control sequences.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Piece<'a> {
    pub text: Cow<'a, str>,
    pub state: State,
    /// Whether the line was truncated.
    pub cut: bool,
    /// Rows that the cursor moved up from it.
    pub up: usize,
}

/// Status of a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum State {
    /// Final.
    Kept,
    /// Overwritten by the next state.
    Redrawn,
    /// Current, and can still change; reported again with its final status.
    Open,
    /// Row of a live display; can be redrawn.
    Passed,
    /// Last state of such a row, reported before as passed.
    Settled,
}

/// Line assembler.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    row: Row,
    escape: Escape,
    /// The last byte was a carriage return: the next byte decides its meaning.
    returned: bool,
    /// The line overwrites an earlier state.
    redrawing: bool,
    /// Pending cursor-up count.
    ups: usize,
    block: Option<Block>,
}

/// Rows of a live display. The row of the cursor is [`Lines::row`] once it is written to.
#[derive(Debug)]
struct Block {
    rows: VecDeque<Row>,
    at: usize,
    /// Farthest cursor-up so far. Rows above it are final.
    reach: usize,
    /// Newlines since the last cursor-up.
    quiet_lines: usize,
}

impl Lines {
    /// Parses a chunk and reports each state of a line.
    pub fn push(&mut self, bytes: &[u8], mut emit: impl FnMut(Piece)) {
        let mut rest = bytes;
        while let Some(&first) = rest.first() {
            if !self.escape.outside() {
                match self.escape.take(first) {
                    Step::More => rest = &rest[1..],
                    Step::Done(control) => {
                        rest = &rest[1..];
                        self.act(control, &mut emit);
                    }
                    Step::Broken => {}
                }
                continue;
            }
            let text = rest.iter().position(|b| b.is_ascii_control() && *b != b'\t').unwrap_or(rest.len());
            if text > 0 {
                self.begin_writing(&mut emit);
                self.row.write(&rest[..text]);
                rest = &rest[text..];
                continue;
            }
            rest = &rest[1..];
            match first {
                0x1b => self.escape = Escape::Begun,
                b'\n' => self.newline(&mut emit),
                b'\r' => {
                    self.settle_ups(&mut emit);
                    if self.returned {
                        self.end(State::Redrawn, &mut emit);
                    }
                    self.returned = true;
                }
                0x08 if !self.returned && self.ups == 0 => {
                    self.row.left(1);
                    self.redrawing = true;
                }
                _ => {}
            }
        }
        let drawn = (self.redrawing || self.returned) && self.block.is_none() && self.ups == 0;
        if drawn && !self.row.is_empty() {
            emit(Piece { text: self.row.text(), state: State::Open, cut: self.row.cut, up: 0 });
        }
    }

    /// Reports the last lines.
    pub fn finish(&mut self, mut emit: impl FnMut(Piece)) {
        self.settle_ups(&mut emit);
        if self.block.is_some() {
            self.leave(0, &mut emit);
            self.settle_block(&mut emit);
        } else if !self.row.is_empty() {
            self.end(State::Kept, &mut emit);
        }
    }

    fn act(&mut self, control: Control, emit: &mut impl FnMut(Piece)) {
        match control {
            Control::Up(rows) => {
                self.ups = (self.ups + rows).min(MAX_BLOCK_ROWS - 1);
                return;
            }
            Control::Nothing => return,
            _ => self.settle_ups(emit),
        }
        match control {
            Control::Style(parameters) => {
                if self.returned {
                    self.begin_writing(emit);
                }
                self.row.style(&parameters);
            }
            Control::Down(rows) if self.block.is_some() => {
                self.leave(0, emit);
                if let Some(block) = &mut self.block {
                    block.at = (block.at + rows).min(MAX_BLOCK_ROWS - 1);
                    while block.rows.len() <= block.at {
                        block.rows.push_back(Row::default());
                    }
                }
            }
            Control::Left(columns) if !self.returned => {
                self.row.left(columns);
                self.redrawing = true;
            }
            Control::LineStart => self.returned = true,
            Control::EraseLine { whole } if whole || self.returned || !self.row.touched => {
                self.begin_writing(emit);
                if !self.row.is_empty() {
                    self.end(State::Redrawn, emit);
                }
                self.row.wipe();
            }
            Control::EraseBelow => {
                if self.returned || self.block.is_some() {
                    self.begin_writing(emit);
                    self.row.touched = true;
                }
                if let Some(block) = &mut self.block {
                    block.rows.truncate(block.at + 1);
                }
            }
            Control::ShowCursor if self.block.is_some() => {
                self.leave(0, emit);
                self.settle_block(emit);
            }
            _ => {}
        }
    }

    /// Prepares a write: a line that the cursor returned to is redrawn.
    fn begin_writing(&mut self, emit: &mut impl FnMut(Piece)) {
        self.settle_ups(emit);
        if std::mem::take(&mut self.returned) {
            self.end(State::Redrawn, emit);
        }
    }

    fn newline(&mut self, emit: &mut impl FnMut(Piece)) {
        self.settle_ups(emit);
        self.returned = false;
        if self.block.is_none() {
            self.end(State::Kept, emit);
            return;
        }
        self.leave(0, emit);
        let Some(block) = &mut self.block else { return };
        block.at += 1;
        block.quiet_lines += 1;
        if block.at == block.rows.len() {
            block.rows.push_back(Row::default());
        }
        while block.at > block.reach {
            block.at -= 1;
            block.rows.pop_front().iter().for_each(|row| settle(row, emit));
        }
        if block.quiet_lines > block.reach + MAX_QUIET_LINES {
            self.settle_block(emit);
        }
    }

    /// Applies the pending cursor-up.
    fn settle_ups(&mut self, emit: &mut impl FnMut(Piece)) {
        let ups = std::mem::take(&mut self.ups);
        if ups == 0 {
            return;
        }
        self.returned = false;
        let block = self.block.get_or_insert_with(|| Block {
            rows: VecDeque::from([Row::default()]),
            at: 0,
            reach: 0,
            quiet_lines: 0,
        });
        (block.reach, block.quiet_lines) = (block.reach.max(ups), 0);
        self.leave(ups, emit);
        let Some(block) = &mut self.block else { return };
        while block.at < ups {
            // Lines above the block are final, and are reported again only if they are redrawn.
            block.rows.push_front(Row::default());
            block.at += 1;
        }
        block.at -= ups;
        while block.rows.len() > MAX_BLOCK_ROWS {
            block.rows.pop_back().iter().for_each(|row| settle(row, emit));
        }
    }

    /// Leaves a row of the block.
    fn leave(&mut self, up: usize, emit: &mut impl FnMut(Piece)) {
        let row = std::mem::take(&mut self.row);
        (self.returned, self.redrawing) = (false, false);
        let Some(block) = self.block.as_mut().filter(|_| row.touched) else { return };
        if !row.is_empty() {
            emit(Piece { text: row.text(), state: State::Passed, cut: row.cut, up });
        }
        block.rows[block.at] = row;
    }

    fn settle_block(&mut self, emit: &mut impl FnMut(Piece)) {
        if let Some(block) = self.block.take() {
            block.rows.iter().for_each(|row| settle(row, emit));
        }
    }

    fn end(&mut self, state: State, emit: &mut impl FnMut(Piece)) {
        let row = std::mem::take(&mut self.row);
        let state = if self.block.is_some() { State::Passed } else { state };
        if state != State::Passed || !row.is_empty() {
            emit(Piece { text: row.text(), state, cut: row.cut, up: 0 });
        }
        self.redrawing = state == State::Redrawn;
    }
}

fn settle(row: &Row, emit: &mut impl FnMut(Piece)) {
    if !ansi::plain(&row.text()).trim().is_empty() {
        emit(Piece { text: row.text(), state: State::Settled, cut: row.cut, up: 0 });
    }
}

/// Removes control characters from text, except colours.
pub(crate) fn coloured(text: &str) -> Cow<'_, str> {
    const KEPT: [char; 2] = ['\t', '\u{1b}'];
    if !text.contains(|c: char| c.is_control() && !KEPT.contains(&c)) {
        return Cow::Borrowed(text);
    }
    text.chars().filter(|c| !c.is_control() || KEPT.contains(c)).collect::<String>().into()
}

#[cfg(test)]
mod tests;
