//! One operation followed to its end: a line that lives on a terminal, lines of changes elsewhere. A connection that
//! breaks is made again; what was missed meanwhile is in what the server then tells first.

use super::ask::Server;
use super::{out, words};
use anyhow::bail;
use pool::SseStream;
use protocol::api::OperationDetail;
use protocol::{Event, EventBody, Operation, OperationId};
use std::io::{IsTerminal, Write};
use std::time::Duration;
use tokio::time::Instant;

/// Where nobody looks at a terminal, progress is told so often.
const PROGRESS_EVERY: Duration = Duration::from_secs(10);
/// The pause before a lost connection is made again.
const PAUSE: Duration = Duration::from_secs(1);

/// Stays until it has ended, and gives it as it then stands. That it is tried again by itself is no end.
///
/// # Errors
/// When it is not there, or the server can't be reached at first. Later it is waited for.
pub async fn follow(server: &Server, id: OperationId, log: bool, json: bool) -> anyhow::Result<Operation> {
    let path = format!("/api/v1/operations/{id}");
    let detail: OperationDetail = server.get(&path).await?;
    let mut teller = Teller::new(detail.operation, log, json);
    let mut after = detail.seq;
    teller.begin();
    let mut over = teller.op.state.ended();
    while !over {
        let mut told = false;
        match server.events(id, after).await {
            Ok(stream) => {
                after = teller.listen(stream, after).await;
                told = teller.op.state.ended();
            }
            Err(error) => teller.aside(&format!("{} Trying again.", sentence_of(&error))),
        }
        if !told {
            tokio::time::sleep(PAUSE).await;
        }
        let found = loop {
            match server.find::<OperationDetail>(&path).await {
                Ok(found) => break found,
                Err(error) => teller.aside(&format!("No word from the server: {error}. Trying again.")),
            }
            tokio::time::sleep(PAUSE).await;
        };
        match found {
            // What was told was the end of one attempt, and the stream goes on with the next.
            Some(detail) if told && !detail.operation.state.ended() => {}
            // What the stream no longer holds, or what ended meanwhile.
            Some(detail) => {
                after = detail.seq;
                teller.stands(detail.operation);
                over = teller.op.state.ended();
            }
            // It ended, and was deleted at once.
            None if told => over = true,
            None => bail!("operation {id} was deleted meanwhile"),
        }
    }
    teller.wipe();
    Ok(teller.op)
}

fn sentence_of(error: &pool::PoolError) -> String {
    let said = error.to_string();
    if said.ends_with(['.', '?']) { said } else { format!("{said}.") }
}

/// Who tells of it.
struct Teller {
    op: Operation,
    log: bool,
    json: bool,
    /// A line that is written over and over.
    terminal: bool,
    /// What the terminal shows now.
    line: String,
    told_at: Option<Instant>,
    /// The same trouble is told once.
    trouble: String,
}

impl Teller {
    fn new(op: Operation, log: bool, json: bool) -> Self {
        let terminal = std::io::stderr().is_terminal() && !json;
        Self { op, log, json, terminal, line: String::new(), told_at: None, trouble: String::new() }
    }

    fn begin(&mut self) {
        if self.json {
            out(&serde_json::to_string(&self.op).unwrap_or_default());
        } else if !self.op.state.ended() {
            eprintln!("{} {}", self.op.kind, self.op.title);
            self.tell(true);
        }
    }

    /// Takes in what the stream brings, until it breaks or the end is there; gives the last number that is known.
    async fn listen(&mut self, mut stream: SseStream, mut after: u64) -> u64 {
        while let Some(Ok(message)) = stream.next().await {
            self.trouble.clear();
            if !matches!(message.event.as_str(), "message" | "") {
                if message.event == "reset" {
                    break;
                }
                continue;
            }
            // A newer server may tell of what is not known here.
            let Ok(event) = serde_json::from_str::<Event>(&message.data) else { continue };
            after = after.max(event.seq);
            if event.operation() != Some(self.op.id) {
                continue;
            }
            if self.json {
                out(&message.data);
            }
            match event.body {
                EventBody::Operation { operation } => self.stands(*operation),
                EventBody::Progress { attempt, progress, .. } if attempt == self.op.attempt => {
                    self.op.progress = Some(progress);
                    self.tell(false);
                }
                EventBody::Log { lines, .. } if self.log && !self.json => {
                    self.wipe();
                    for line in lines {
                        out(&format!(
                            "{} {:<5} {}",
                            app::zone::Zone::Utc.clock_millis(line.at),
                            line.level.as_str(),
                            line.text
                        ));
                    }
                    self.draw();
                }
                _ => {}
            }
            if self.op.state.ended() {
                break;
            }
        }
        after
    }

    fn stands(&mut self, op: Operation) {
        let changed = op.state != self.op.state || op.attempt != self.op.attempt;
        self.op = op;
        if !self.op.state.ended() {
            self.tell(changed);
        }
    }

    /// Says where it stands; `now` wherever the line goes.
    fn tell(&mut self, now: bool) {
        if self.json {
            return;
        }
        let line = words::standing(&self.op);
        if self.terminal {
            self.wipe();
            self.line = line;
            self.draw();
        } else if now || self.told_at.is_none_or(|at| at.elapsed() > PROGRESS_EVERY) {
            eprintln!("{line}");
            self.told_at = Some(Instant::now());
        }
    }

    fn aside(&mut self, said: &str) {
        if self.trouble != said {
            self.wipe();
            eprintln!("{said}");
            said.clone_into(&mut self.trouble);
        }
    }

    fn draw(&self) {
        if self.terminal {
            let wide = std::env::var("COLUMNS").ok().and_then(|wide| wide.parse().ok()).unwrap_or(100usize);
            let line: String = self.line.chars().take(wide.saturating_sub(1)).collect();
            eprint!("{line}");
            // Nothing is lost when the terminal is gone.
            let _ = std::io::stderr().flush();
        }
    }

    fn wipe(&self) {
        if self.terminal {
            eprint!("\r\x1b[K");
        }
    }
}
