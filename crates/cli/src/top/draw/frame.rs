//! Layout of the parts.

use super::theme::{Theme, cell, right};
use super::{details, hosts, operations};
use crate::listing::Colour;
use crate::text;
use crate::top::model::{Model, Tracked};
use crate::top::view::{Mode, View};
use display::format;
use protocol::{State, Time};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::Line;
use ratatui::widgets::Paragraph;
use std::time::Duration;

/// Least number of rows that operations have, with their heading; fewer beside a log.
const MIN_OPERATION_ROWS: u16 = 4;
const MIN_ROWS_WITH_LOG: u16 = 2;
/// Least rows of hosts and of details, with their heading; with less room, they are left out.
const MIN_HOST_ROWS: u16 = 2;
const MIN_DETAIL_ROWS: u16 = 2;

/// Everything that is drawn.
pub struct Picture<'a> {
    pub server: &'a str,
    pub model: &'a Model,
    pub view: &'a View,
    pub rows: &'a [&'a Tracked],
    /// Selected row.
    pub selected: Option<usize>,
    /// Problem of the connection.
    pub trouble: Option<&'a str>,
    /// Time without a message, if it is too long.
    pub silence: Option<Duration>,
    /// The server's clock.
    pub now: Time,
    pub theme: Theme,
}

/// Draws the picture.
pub fn draw(frame: &mut Frame, picture: &Picture) {
    let area = frame.area();
    let columns = usize::from(area.width);
    let rows = Rows::of(picture, area.height);
    let [header, hosts_area, operations_area, detail_area, footer] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(rows.hosts),
        Constraint::Min(0),
        Constraint::Length(rows.details),
        Constraint::Length(1),
    ])
    .areas(area);
    frame.render_widget(Paragraph::new(heading(picture, columns)), header);
    if rows.hosts > 0 {
        frame.render_widget(Paragraph::new(host_lines(picture, hosts_area)), hosts_area);
    }
    frame.render_widget(Paragraph::new(operation_lines(picture, operations_area)), operations_area);
    frame.render_widget(Paragraph::new(detail_lines(picture, detail_area)), detail_area);
    frame.render_widget(Paragraph::new(foot(picture, columns)), footer);
}

/// Rows of the parts that share the height with the operations.
struct Rows {
    hosts: u16,
    details: u16,
}

impl Rows {
    /// Rows in a terminal of this height: a log comes before hosts, hosts before the details of an operation.
    fn of(picture: &Picture, height: u16) -> Self {
        let count = u16::try_from(picture.model.hosts.len()).unwrap_or(u16::MAX);
        // Hosts have a quarter of the height at most, or heading and two rows.
        let hosts = count.clamp(1, (height / 4).saturating_sub(1).max(2)) + 1;
        // Header and footer have a row each.
        let left = |operations: u16| height.saturating_sub(2 + operations);
        let at_least = |rows: u16, min: u16| if rows < min { 0 } else { rows };
        if picture.view.log.is_some() {
            let wanted = (height / 3).max(details::ROWS + 1) + 1;
            let left_for_log = left(MIN_ROWS_WITH_LOG);
            let details = at_least(wanted.min(left_for_log), MIN_DETAIL_ROWS);
            let hosts = hosts.min(left(MIN_OPERATION_ROWS).saturating_sub(details));
            return Self { hosts: at_least(hosts, MIN_HOST_ROWS), details };
        }
        let left = left(MIN_OPERATION_ROWS);
        let hosts = at_least(hosts.min(left), MIN_HOST_ROWS);
        let details = at_least((details::ROWS + 1).min(left - hosts), MIN_DETAIL_ROWS);
        Self { hosts, details }
    }
}

/// Server, state of the connection, and counts.
fn heading(picture: &Picture, columns: usize) -> Line<'static> {
    let (status, colour) = match (picture.trouble, picture.silence) {
        (Some(trouble), _) => {
            (format!("Unreachable: {}. Retrying", trouble.trim_end_matches('.')), Colour::Red)
        }
        (None, Some(silence)) => {
            (format!("Last seen {}", format::ago(silence.as_secs_f64())), Colour::Yellow)
        }
        (None, None) if picture.model.is_loaded => ("Connected".to_owned(), Colour::Green),
        (None, None) => ("Connecting".to_owned(), Colour::Grey),
    };
    let running = picture.model.count(&[State::Starting, State::Running, State::Cancelling]);
    let queued = picture.model.count(&[State::Queued]);
    let counts = format!("{running} running · {queued} queued");
    let left = format!("{}  ", picture.server.trim_start_matches("http://"));
    let room = columns.saturating_sub(counts.chars().count() + 1);
    let name_columns = left.chars().count().min(room / 2);
    Line::from(vec![
        cell(&left, name_columns, picture.theme.bold()),
        cell(&text::one_row(&status), room - name_columns, picture.theme.colour(colour)),
        right(&counts, columns.saturating_sub(room), picture.theme.bold()),
    ])
}

fn host_lines(picture: &Picture, area: Rect) -> Vec<Line<'static>> {
    let (theme, columns) = (picture.theme, usize::from(area.width));
    let room = usize::from(area.height).saturating_sub(1);
    let all = &picture.model.hosts;
    let shown = if all.len() > room { room.saturating_sub(1) } else { all.len() };
    let mut lines = vec![hosts::heading(theme, columns)];
    lines.extend(all[..shown].iter().map(|host| hosts::row(host, theme)));
    if shown < all.len() {
        let rest =
            if shown == 0 { format!("{} hosts", all.len()) } else { format!("{} more", all.len() - shown) };
        let text = format!("{rest}. `signalbox hosts` lists all hosts.");
        lines.push(Line::from(cell(&text, columns, theme.colour(Colour::Grey))));
    } else if all.is_empty() && picture.model.is_loaded {
        lines.push(Line::from(cell("No hosts are configured.", columns, theme.colour(Colour::Grey))));
    }
    lines
}

fn operation_lines(picture: &Picture, area: Rect) -> Vec<Line<'static>> {
    let (theme, columns) = (picture.theme, usize::from(area.width));
    let room = usize::from(area.height).saturating_sub(1).max(1);
    let mut lines = vec![operations::heading(theme, columns)];
    // The selected row is in the middle, as far as there are rows around it.
    let last = picture.rows.len().saturating_sub(room);
    let first = picture.selected.unwrap_or(0).saturating_sub(room / 2).min(last);
    for (at, known) in picture.rows.iter().enumerate().skip(first).take(room) {
        let line = operations::row(known, columns, picture.now, theme);
        let is_selected = picture.selected == Some(at);
        lines.push(if is_selected { line.style(theme.selected()) } else { line });
    }
    if picture.rows.is_empty() && picture.model.is_loaded {
        let text = match picture.view.filter.is_empty() {
            true => "No operations. `signalbox start KIND NAME=VALUE` starts an operation.",
            false => "No operations match the filter.",
        };
        lines.push(Line::from(cell(text, columns, theme.colour(Colour::Grey))));
    }
    lines
}

fn detail_lines(picture: &Picture, area: Rect) -> Vec<Line<'static>> {
    let (theme, columns) = (picture.theme, usize::from(area.width));
    let known = picture.selected.and_then(|at| picture.rows.get(at)).copied();
    let rule = Line::from(cell("", columns, theme.heading()));
    let mut lines = vec![rule];
    let room = usize::from(area.height).saturating_sub(1);
    match &picture.view.log {
        None => lines.extend(details::lines(known, columns, picture.now, theme)),
        Some(log) => {
            let title =
                known.map(|known| format!("Log: {} {}", known.op.kind, text::one_row(&known.op.title)));
            lines.push(Line::from(cell(&title.unwrap_or_default(), columns, theme.bold())));
            // The status stays above the log if there is room.
            let status = usize::from(room > 3);
            lines.extend(details::lines(known, columns, picture.now, theme).into_iter().skip(1).take(status));
            lines.extend(details::log(log, columns, room.saturating_sub(1 + status), theme));
        }
    }
    lines
}

/// Keys, a question, or the outcome of the last command.
fn foot(picture: &Picture, columns: usize) -> Line<'static> {
    let (theme, view) = (picture.theme, picture.view);
    let text = match view.mode {
        Mode::Filter => format!("Filter: {}▏  Enter keep  Esc clear", view.filter),
        Mode::Confirm(id) => {
            let title = picture.model.get(id).map(|known| text::one_row(&known.op.title)).unwrap_or_default();
            format!("Cancel {title}? y yes  any other key no")
        }
        Mode::Normal if !view.note.is_empty() => text::one_row(&view.note),
        Mode::Normal => {
            let filter = match view.filter.is_empty() {
                true => "/ filter".to_owned(),
                false => format!("/ filter: {}", view.filter),
            };
            let ended = if view.with_ended { "e hide ended" } else { "e show ended" };
            format!("q quit  ↑↓ select  l log  c cancel  {ended}  {filter}")
        }
    };
    let style = match view.mode {
        Mode::Confirm(_) => theme.colour(Colour::Yellow).patch(theme.bold()),
        Mode::Filter | Mode::Normal => theme.bold(),
    };
    Line::from(cell(&text, columns, style))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::top::log::Log;
    use crate::top::model::tests::{op, snapshot};
    use protocol::api::HostStatus;
    use protocol::{Progress, Receipt};
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;
    use serde_json::json;

    fn now() -> Time {
        Time::parse("2026-11-23T10:42:10Z").unwrap()
    }

    fn host(name: &str) -> HostStatus {
        serde_json::from_value(json!({
            "name": name, "url": "http://a", "link": "up", "kinds": ["data.load"], "capacity": 4,
            "running": 1, "latency_ms": 0.71
        }))
        .unwrap()
    }

    fn model(hosts: &[&str]) -> Model {
        let mut running = op(1, State::Running);
        running.progress = Some(Progress {
            fraction: Some(0.56),
            done: 11_204,
            total: Some(20_758),
            unit: "rows".into(),
            rate: Some(1_200.0),
            eta_seconds: Some(8.0),
            ..Progress::start(now())
        });
        let mut cancelled = op(3, State::Cancelled);
        let mut receipt = Receipt::requested(1, String::new(), now());
        receipt.sent = Some(now().plus_micros(2_000));
        receipt.released = Some(now().plus_micros(22_000));
        cancelled.receipt = Some(receipt);
        let all = vec![cancelled, op(2, State::Queued), running];
        let mut model = Model::default();
        model.load(snapshot(all, hosts.iter().map(|name| host(name)).collect()));
        model.sample();
        model
    }

    /// Rows of the picture.
    fn drawn(model: &Model, view: &mut View, size: (u16, u16), down: isize) -> Vec<String> {
        let rows = model.rows(&view.as_filter(), view.with_ended, now());
        view.move_by(&rows, down);
        let picture = Picture {
            server: "http://lab.example.org:7200",
            selected: view.settle(&rows),
            model,
            view,
            rows: &rows,
            trouble: None,
            silence: None,
            now: now(),
            theme: Theme::plain(),
        };
        let mut terminal = Terminal::new(TestBackend::new(size.0, size.1)).unwrap();
        terminal.draw(|frame| draw(frame, &picture)).unwrap();
        let buffer = terminal.backend().buffer().clone();
        let row = |y| (0..size.0).map(|x| buffer[(x, y)].symbol().to_owned()).collect::<String>();
        (0..size.1).map(row).map(|row| row.trim_end().to_owned()).collect()
    }

    #[test]
    fn a_terminal_of_80_by_24_shows_hosts_operations_details_and_keys() {
        let rows = drawn(&model(&["local"]), &mut View::default(), (80, 24), 0);
        assert!(rows[0].starts_with("lab.example.org:7200  Connected"), "{rows:#?}");
        assert!(rows[0].ends_with("1 running · 1 queued"), "{rows:#?}");
        assert_eq!(rows[2], "local          connected   ■□□□       1 of 4                      0.7 ms");
        assert_eq!(rows[4], "running    ━━━━━╸────  56 %      −8 s        █ data.load MSFT 1h");
        assert!(rows[5].starts_with("queued ") && rows[6].starts_with("cancelled "), "{rows:#?}");
        assert_eq!(rows[20], "running 56 % · 11,204 of 20,758 rows · 1.2k rows/s · about 8 s left");
        assert_eq!(rows[21], "symbol=MSFT");
        assert!(rows[23].starts_with("q quit") && rows[23].ends_with("/ filter"), "{rows:#?}");
    }

    #[test]
    fn the_receipt_of_a_cancel_is_shown_with_its_steps() {
        let rows = drawn(&model(&["local"]), &mut View::default(), (80, 24), 2);
        assert_eq!(rows[20], "Cancelled: stopped and released in 22 ms");
        assert_eq!(rows[21], "Receipt: sent +2 ms · released +22 ms");
    }

    #[test]
    fn the_log_has_the_title_of_its_operation() {
        let model = model(&["local"]);
        let mut view = View::default();
        drawn(&model, &mut view, (80, 24), 0);
        view.log = view.selected().map(|id| Log::new(id, 1));
        let rows = drawn(&model, &mut view, (80, 24), 0);
        let title = rows.iter().position(|row| row == "Log: data.load MSFT 1h").unwrap();
        assert!(rows[title + 1].starts_with("running 56 %"), "{rows:#?}");
        assert_eq!(rows[title + 2], "Loading the log…");
        // The selection moves, and the log with it.
        let rows = drawn(&model, &mut view, (80, 24), 1);
        assert_eq!(rows[title], "Log: data.load MSFT 2h");
    }

    #[test]
    fn a_narrow_terminal_shows_the_operation_instead_of_progress_and_rate() {
        let model = model(&["local"]);
        let shown = |columns| drawn(&model, &mut View::default(), (columns, 24), 0)[3..5].to_vec();
        assert_eq!(shown(60)[0], "STATE      PROGRESS              TIME OPERATION");
        assert_eq!(shown(60)[1], "running    ━━━━━╸────  56 %      −8 s data.load MSFT 1h");
        assert_eq!(shown(50)[0], "STATE       DONE      TIME OPERATION");
        assert_eq!(shown(50)[1], "running     56 %      −8 s data.load MSFT 1h");
        assert_eq!(shown(40)[1], "running         −8 s data.load MSFT 1h");
        assert_eq!(shown(30)[1], "running    data.load MSFT 1h");
        assert_eq!(shown(20)[1], "running    data.loa…");
    }

    #[test]
    fn a_low_terminal_shows_hosts_with_their_heading_or_not_at_all() {
        let model = model(&["local", "other"]);
        for height in 1..30 {
            let mut view = View::default();
            let rows = drawn(&model, &mut view, (40, height), 0);
            let at = |text: &str, rows: &[String]| rows.iter().position(|row| row.starts_with(text));
            let heading = at("HOST ", &rows);
            assert_eq!(heading.is_some(), height >= 8, "{rows:#?}");
            // Hosts, or how many there are.
            let next = heading.map(|at| rows[at + 1].as_str());
            assert!(
                next.is_none_or(|row| row.starts_with("local ") || row.starts_with("2 hosts.")),
                "{rows:#?}"
            );
            assert!(height < 4 || at("running ", &rows).is_some(), "{rows:#?}");
            // The log needs few rows, and comes before the hosts.
            view.log = view.selected().map(|id| Log::new(id, 1));
            let rows = drawn(&model, &mut view, (40, height), 0);
            assert!(height < 7 || at("Loading the log", &rows).is_some(), "{rows:#?}");
            assert!(height < 4 || at("running ", &rows).is_some(), "{rows:#?}");
            let heading = at("HOST ", &rows);
            let next = heading.map(|at| rows[at + 1].as_str());
            assert!(
                next.is_none_or(|row| row.starts_with("local ") || row.starts_with("2 hosts.")),
                "{rows:#?}"
            );
        }
    }

    #[test]
    fn every_size_down_to_a_few_rows_is_drawn_and_the_selection_is_visible() {
        let names: Vec<String> = (0..30).map(|n| format!("host-{n}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut model = model(&names);
        for n in 10..200 {
            model.update(op(n, State::Running));
        }
        for size in [(80, 24), (200, 60), (40, 12), (20, 5), (1, 1)] {
            let mut view = View::default();
            let rows = drawn(&model, &mut view, size, 150);
            let title = format!("MSFT {}h", 150 + 8);
            let is_shown = rows.iter().any(|row| row.contains(&title));
            assert!(is_shown || size.0 < 40, "{size:?}: {rows:#?}");
            let id = view.selected().unwrap();
            view.log = Some(Log::new(id, 1));
            drawn(&model, &mut view, size, 0);
        }
        let rows = drawn(&model, &mut View::default(), (80, 24), 0);
        assert!(rows.iter().any(|row| row == "26 more. `signalbox hosts` lists all hosts."), "{rows:#?}");
    }
}
