//! Output as lines, the way a terminal shows it: a carriage return draws the line anew, backspaces draw the end of it
//! anew, a newline keeps it, and moving the cursor up draws several lines anew, of which the last state counts.
//!
//! Takes bytes in any portions, holds a bounded number of lines of bounded length, and takes whatever is not UTF-8
//! as replacement characters.

use crate::escape::{Control, Escape, Step};
use crate::row::Row;
use protocol::ansi;
use std::borrow::Cow;
use std::collections::VecDeque;

/// So many rows can be drawn anew together.
const MAX_BLOCK_ROWS: usize = 100;
/// After so many lines in a row without moving up, nothing is drawn anew any more.
const CALM_LINES: usize = 20;

/// One state of a line. Its text has colours and no other control sequences.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Piece<'a> {
    pub text: Cow<'a, str>,
    pub state: State,
    /// There was more of it than is kept.
    pub cut: bool,
    /// How many rows the cursor went up from it.
    pub up: usize,
}

/// What became of a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum State {
    /// It stays.
    Kept,
    /// It is drawn over by what follows.
    Redrawn,
    /// It stands at present and may change; told again when it is known what becomes of it.
    Open,
    /// A row of several that are drawn anew together: it may be drawn again.
    Passed,
    /// The last state of such a row; told before as passed.
    Settled,
}

/// Gathers lines.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    row: Row,
    escape: Escape,
    /// A carriage return came last: whether a newline follows decides what it was.
    returned: bool,
    /// The line is being drawn over an earlier state.
    redrawing: bool,
    /// The cursor goes up so many rows as soon as it is known how many.
    ups: usize,
    block: Option<Block>,
}

/// Rows that are drawn anew together. The one with the cursor is [`Lines::row`] once something is written in it.
#[derive(Debug)]
struct Block {
    rows: VecDeque<Row>,
    at: usize,
    /// The farthest that the cursor went up: rows above that are over.
    reach: usize,
    /// Newlines since it last went up.
    calm: usize,
}

impl Lines {
    /// Takes a portion and tells each state of a line in it.
    pub fn push(&mut self, bytes: &[u8], mut tell: impl FnMut(Piece)) {
        let mut rest = bytes;
        while let Some(&first) = rest.first() {
            if !self.escape.outside() {
                match self.escape.take(first) {
                    Step::More => rest = &rest[1..],
                    Step::Done(control) => {
                        rest = &rest[1..];
                        self.act(control, &mut tell);
                    }
                    Step::Broken => {}
                }
                continue;
            }
            let text = rest.iter().position(|b| b.is_ascii_control() && *b != b'\t').unwrap_or(rest.len());
            if text > 0 {
                self.begin_writing(&mut tell);
                self.row.write(&rest[..text]);
                rest = &rest[text..];
                continue;
            }
            rest = &rest[1..];
            match first {
                0x1b => self.escape = Escape::Begun,
                b'\n' => self.newline(&mut tell),
                b'\r' => {
                    self.settle_ups(&mut tell);
                    if self.returned {
                        self.end(State::Redrawn, &mut tell);
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
            tell(Piece { text: self.row.text(), state: State::Open, cut: self.row.cut, up: 0 });
        }
    }

    /// Tells the last lines. Nothing comes after it.
    pub fn finish(&mut self, mut tell: impl FnMut(Piece)) {
        self.settle_ups(&mut tell);
        if self.block.is_some() {
            self.leave(0, &mut tell);
            self.settle_block(&mut tell);
        } else if !self.row.is_empty() {
            self.end(State::Kept, &mut tell);
        }
    }

    fn act(&mut self, control: Control, tell: &mut impl FnMut(Piece)) {
        match control {
            Control::Up(rows) => {
                self.ups = (self.ups + rows).min(MAX_BLOCK_ROWS - 1);
                return;
            }
            Control::Nothing => return,
            _ => self.settle_ups(tell),
        }
        match control {
            Control::Style(parameters) => {
                if self.returned {
                    self.begin_writing(tell);
                }
                self.row.style(&parameters);
            }
            Control::Down(rows) if self.block.is_some() => {
                self.leave(0, tell);
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
                self.begin_writing(tell);
                if !self.row.is_empty() {
                    self.end(State::Redrawn, tell);
                }
                self.row.wipe();
            }
            Control::EraseBelow => {
                if self.returned || self.block.is_some() {
                    self.begin_writing(tell);
                    self.row.touched = true;
                }
                if let Some(block) = &mut self.block {
                    block.rows.truncate(block.at + 1);
                }
            }
            Control::ShowCursor if self.block.is_some() => {
                self.leave(0, tell);
                self.settle_block(tell);
            }
            _ => {}
        }
    }

    /// Something is about to be written: a line that the cursor returned to is drawn anew.
    fn begin_writing(&mut self, tell: &mut impl FnMut(Piece)) {
        self.settle_ups(tell);
        if std::mem::take(&mut self.returned) {
            self.end(State::Redrawn, tell);
        }
    }

    fn newline(&mut self, tell: &mut impl FnMut(Piece)) {
        self.settle_ups(tell);
        self.returned = false;
        if self.block.is_none() {
            self.end(State::Kept, tell);
            return;
        }
        self.leave(0, tell);
        let Some(block) = &mut self.block else { return };
        block.at += 1;
        block.calm += 1;
        if block.at == block.rows.len() {
            block.rows.push_back(Row::default());
        }
        while block.at > block.reach {
            block.at -= 1;
            block.rows.pop_front().iter().for_each(|row| settle(row, tell));
        }
        if block.calm > block.reach + CALM_LINES {
            self.settle_block(tell);
        }
    }

    /// Goes up the rows that were asked for.
    fn settle_ups(&mut self, tell: &mut impl FnMut(Piece)) {
        let ups = std::mem::take(&mut self.ups);
        if ups == 0 {
            return;
        }
        self.returned = false;
        let block = self.block.get_or_insert_with(|| Block {
            rows: VecDeque::from([Row::default()]),
            at: 0,
            reach: 0,
            calm: 0,
        });
        (block.reach, block.calm) = (block.reach.max(ups), 0);
        self.leave(ups, tell);
        let Some(block) = &mut self.block else { return };
        while block.at < ups {
            // Above the block are lines that were kept: they are told again only when they are drawn anew.
            block.rows.push_front(Row::default());
            block.at += 1;
        }
        block.at -= ups;
        while block.rows.len() > MAX_BLOCK_ROWS {
            block.rows.pop_back().iter().for_each(|row| settle(row, tell));
        }
    }

    /// Leaves a row of the block.
    fn leave(&mut self, up: usize, tell: &mut impl FnMut(Piece)) {
        let row = std::mem::take(&mut self.row);
        (self.returned, self.redrawing) = (false, false);
        let Some(block) = self.block.as_mut().filter(|_| row.touched) else { return };
        if !row.is_empty() {
            tell(Piece { text: row.text(), state: State::Passed, cut: row.cut, up });
        }
        block.rows[block.at] = row;
    }

    fn settle_block(&mut self, tell: &mut impl FnMut(Piece)) {
        if let Some(block) = self.block.take() {
            block.rows.iter().for_each(|row| settle(row, tell));
        }
    }

    fn end(&mut self, state: State, tell: &mut impl FnMut(Piece)) {
        let row = std::mem::take(&mut self.row);
        let state = if self.block.is_some() { State::Passed } else { state };
        if state != State::Passed || !row.is_empty() {
            tell(Piece { text: row.text(), state, cut: row.cut, up: 0 });
        }
        self.redrawing = state == State::Redrawn;
    }
}

fn settle(row: &Row, tell: &mut impl FnMut(Piece)) {
    if !ansi::plain(&row.text()).trim().is_empty() {
        tell(Piece { text: row.text(), state: State::Settled, cut: row.cut, up: 0 });
    }
}

/// The text with its colours, and without control characters that came in another way than by ESC.
pub(crate) fn coloured(text: &str) -> Cow<'_, str> {
    const KEPT: [char; 2] = ['\t', '\u{1b}'];
    if !text.contains(|c: char| c.is_control() && !KEPT.contains(&c)) {
        return Cow::Borrowed(text);
    }
    text.chars().filter(|c| !c.is_control() || KEPT.contains(c)).collect::<String>().into()
}

#[cfg(test)]
mod tests;
