//! Keys: what each does. Pure.

use super::view::Mode;
use ratatui::crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// What a key does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Command {
    Quit,
    /// Moves the selection by rows.
    Move(isize),
    /// Moves the selection by pages.
    Page(isize),
    First,
    Last,
    /// Shows or hides the log.
    Log,
    /// Shows or hides ended operations.
    Ended,
    /// Asks whether the selected operation is cancelled.
    AskCancel,
    /// Cancels it.
    Cancel,
    /// Closes a question or the log.
    Back,
    EditFilter,
    Type(char),
    Erase,
    /// Leaves the filter as it is.
    KeepFilter,
    ClearFilter,
    /// Draws everything again.
    Redraw,
}

/// Command of an event of the terminal.
pub fn command(event: &Event, mode: Mode) -> Option<Command> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => of_key(*key, mode),
        Event::Resize(..) => Some(Command::Redraw),
        _ => None,
    }
}

fn of_key(key: KeyEvent, mode: Mode) -> Option<Command> {
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        return match key.code {
            KeyCode::Char('c') => Some(Command::Quit),
            KeyCode::Char('l') => Some(Command::Redraw),
            KeyCode::Char('u') if mode == Mode::Filter => Some(Command::ClearFilter),
            _ => None,
        };
    }
    match mode {
        Mode::Filter => match key.code {
            KeyCode::Enter => Some(Command::KeepFilter),
            KeyCode::Esc => Some(Command::ClearFilter),
            KeyCode::Backspace => Some(Command::Erase),
            KeyCode::Char(c) => Some(Command::Type(c)),
            _ => None,
        },
        Mode::Confirm(_) => match key.code {
            KeyCode::Char('y' | 'Y') => Some(Command::Cancel),
            _ => Some(Command::Back),
        },
        Mode::Normal => match key.code {
            KeyCode::Char('q') => Some(Command::Quit),
            KeyCode::Esc => Some(Command::Back),
            KeyCode::Down | KeyCode::Char('j') => Some(Command::Move(1)),
            KeyCode::Up | KeyCode::Char('k') => Some(Command::Move(-1)),
            KeyCode::PageDown => Some(Command::Page(1)),
            KeyCode::PageUp => Some(Command::Page(-1)),
            KeyCode::Home | KeyCode::Char('g') => Some(Command::First),
            KeyCode::End | KeyCode::Char('G') => Some(Command::Last),
            KeyCode::Enter | KeyCode::Char('l') => Some(Command::Log),
            KeyCode::Char('e') => Some(Command::Ended),
            KeyCode::Char('c') => Some(Command::AskCancel),
            KeyCode::Char('/') => Some(Command::EditFilter),
            _ => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::OperationId;

    fn pressed(code: KeyCode, mode: Mode) -> Option<Command> {
        command(&Event::Key(KeyEvent::new(code, KeyModifiers::NONE)), mode)
    }

    #[test]
    fn nothing_is_cancelled_by_a_single_key() {
        let confirm = Mode::Confirm(OperationId::new());
        assert_eq!(pressed(KeyCode::Char('c'), Mode::Normal), Some(Command::AskCancel));
        assert_eq!(pressed(KeyCode::Char('y'), confirm), Some(Command::Cancel));
        for key in [KeyCode::Enter, KeyCode::Esc, KeyCode::Char('c'), KeyCode::Char('n')] {
            assert_eq!(pressed(key, confirm), Some(Command::Back), "{key:?}");
        }
    }

    #[test]
    fn letters_are_text_while_the_filter_is_edited_and_ctrl_c_always_quits() {
        assert_eq!(pressed(KeyCode::Char('q'), Mode::Filter), Some(Command::Type('q')));
        assert_eq!(pressed(KeyCode::Char('q'), Mode::Normal), Some(Command::Quit));
        for mode in [Mode::Normal, Mode::Filter, Mode::Confirm(OperationId::new())] {
            let key = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
            assert_eq!(command(&Event::Key(key), mode), Some(Command::Quit));
        }
    }
}
