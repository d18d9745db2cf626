//! Agent: whether a command uses it, and how it is started.

use cli_agent::{Agent, Destination, Place, Reads};
use client::Client;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

/// Closes what the shell that started the command may have left open, and becomes the agent.
const DETACH: &str = "exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-; exec \"$0\" \"$@\"";

/// Whether the environment lets commands use the agent: not in CI, whose machines wait for every process to end.
pub fn is_wanted() -> bool {
    let is_set = |name| std::env::var(name).is_ok_and(|value| !matches!(value.as_str(), "" | "0" | "false"));
    match std::env::var("SIGNALBOX_AGENT").as_deref() {
        Ok("off" | "0" | "false" | "no") => false,
        Ok("on" | "1" | "true" | "yes") => true,
        _ => !is_set("CI"),
    }
}

/// Client that sends its requests by the agent. If there is none, it is started for the next command, and this one goes
/// directly. The sentence says why there is no agent.
pub async fn attached(client: Client, destination: &Destination, reads: Reads) -> (Client, Option<String>) {
    let place = Place::of(destination);
    // Before looking for an agent: `agent stop` may end the one that is running, and must end the next one, too.
    let stops = cli_agent::stops();
    match Agent::connect(client.server(), &place, reads).await {
        Ok(Some(agent)) => return (client.with_transport(Arc::new(agent)), None),
        Ok(None) => {}
        Err(error) => {
            return (
                client,
                Some(format!("The agent is not used: {error}. Requests go directly to the server.")),
            );
        }
    }
    match start(destination, stops) {
        Ok(()) => (client, None),
        Err(error) => (
            client,
            Some(format!("The agent can't be started: {error}. Requests go directly to the server.")),
        ),
    }
}

/// Variables with numbers for an agent.
const NUMBERS: [&str; 5] = [
    "SIGNALBOX_AGENT_CONNECTIONS",
    "SIGNALBOX_AGENT_CONNECT_TIMEOUT",
    "SIGNALBOX_AGENT_IDLE",
    "SIGNALBOX_AGENT_KEEP_ALIVE",
    "SIGNALBOX_AGENT_RETRIES",
];

/// Names of the variables that are set, but empty. The agent could not say that another one is no number.
fn empty_numbers() -> io::Result<Vec<&'static str>> {
    let mut empty = Vec::new();
    for name in NUMBERS {
        match std::env::var_os(name) {
            Some(value) if value.is_empty() => empty.push(name),
            Some(value) if value.to_str().is_none_or(|text| text.parse::<u32>().is_err()) => {
                let text = format!("{name} is '{}', which is no whole number", value.to_string_lossy());
                return Err(io::Error::other(text));
            }
            _ => {}
        }
    }
    Ok(empty)
}

/// Starts an agent, which lives on without this command, its terminal and its pipes.
fn start(destination: &Destination, stops: u64) -> io::Result<()> {
    let program = cli_agent::program()?;
    let empty = empty_numbers()?;
    let shell = Path::new("/bin/sh");
    let mut command = match shell.exists() {
        true => {
            let mut command = Command::new(shell);
            command.arg("-c").arg(DETACH).arg(program);
            command
        }
        false => Command::new(program),
    };
    command.args(["agent", "run", "--server", &destination.server, "--stops", &stops.to_string()]);
    command.env_remove("SIGNALBOX_CA").current_dir("/");
    for name in empty {
        command.env_remove(name);
    }
    if let Some(ca) = &destination.ca {
        command.arg("--ca").arg(ca);
    }
    // Not as an argument, which other users can read.
    match &destination.token {
        Some(token) => command.env("SIGNALBOX_TOKEN", token),
        None => command.env_remove("SIGNALBOX_TOKEN"),
    };
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    Ok(())
}
