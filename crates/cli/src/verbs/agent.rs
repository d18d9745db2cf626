//! `signalbox agent`

use crate::exit::Exit;
use crate::listing::{self, Cell, Colour, Format, Listed};
use crate::output;
use anyhow::bail;
use clap::{Args, Subcommand};
use cli_agent::{Agents, Destination, Limits, Place, ServeError, Status};
use protocol::Time;
use std::path::PathBuf;
use std::time::Duration;

/// Arguments of `signalbox agent`.
#[derive(Args)]
pub struct AgentArgs {
    #[command(subcommand)]
    command: AgentCommand,
}

#[derive(Subcommand)]
enum AgentCommand {
    /// Show the status of running agents.
    Status {
        /// Output format
        #[arg(long, short, value_name = "FORMAT", default_value = "text")]
        output: Format,
    },
    /// Stop the running agents.
    Stop,
    /// Run an agent; commands start one automatically.
    #[command(hide = true)]
    Run(RunArgs),
}

#[derive(Args)]
struct RunArgs {
    /// URL of the server
    #[arg(long)]
    server: String,
    /// Token of the server
    #[arg(long, env = "SIGNALBOX_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// PEM file with the CA of the server's certificate
    #[arg(long, env = "SIGNALBOX_CA", value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Maximum number of connections to the server
    #[arg(long, env = "SIGNALBOX_AGENT_CONNECTIONS", default_value_t = Limits::default().connections)]
    connections: usize,
    /// Seconds for which an unused connection is kept open
    #[arg(long, env = "SIGNALBOX_AGENT_KEEP_ALIVE", default_value_t = Limits::default().keep_alive.as_secs())]
    keep_alive: u64,
    /// Timeout of connecting, in seconds
    #[arg(long, env = "SIGNALBOX_AGENT_CONNECT_TIMEOUT", default_value_t = Limits::default().connect_timeout.as_secs())]
    connect_timeout: u64,
    /// Maximum number of retries of a request that is safe to repeat
    #[arg(long, env = "SIGNALBOX_AGENT_RETRIES", default_value_t = Limits::default().retries)]
    retries: u32,
    /// Seconds without a command after which the agent ends
    #[arg(long, env = "SIGNALBOX_AGENT_IDLE", default_value_t = Limits::default().idle.as_secs())]
    idle: u64,
    /// How often agents had been stopped when this agent was started
    #[arg(long)]
    stops: Option<u64>,
}

impl Listed for Status {
    const COLUMNS: &'static [&'static str] = &[
        "SERVER",
        "PID",
        "STATUS",
        "RUNNING FOR",
        "OPERATIONS",
        "ANSWERED",
        "FORWARDED",
        "CONNECTIONS",
        "REUSED",
    ];
    const FIELDS: &'static [&'static str] = &[
        "server",
        "pid",
        "connected",
        "uptime_seconds",
        "operations",
        "answered",
        "forwarded",
        "opened",
        "reused",
        "version",
        "seq",
    ];
    const EMPTY: &'static str = "No agent is running.";

    fn name(&self) -> String {
        self.server.clone()
    }

    fn cells(&self, _: Time) -> Vec<Cell> {
        let count = display::format::count;
        vec![
            self.server.clone().into(),
            self.pid.to_string().into(),
            match self.connected {
                true => Cell::coloured("connected", Colour::Green),
                false => Cell::coloured("not connected", Colour::Yellow),
            },
            crate::text::rounded(self.uptime_seconds as f64).into(),
            count(self.operations as u64).into(),
            count(self.answered).into(),
            count(self.forwarded).into(),
            count(self.opened).into(),
            count(self.reused).into(),
        ]
    }

    fn record(&self) -> Vec<String> {
        vec![
            self.server.clone(),
            self.pid.to_string(),
            self.connected.to_string(),
            self.uptime_seconds.to_string(),
            self.operations.to_string(),
            self.answered.to_string(),
            self.forwarded.to_string(),
            self.opened.to_string(),
            self.reused.to_string(),
            self.version.clone(),
            self.seq.to_string(),
        ]
    }
}

/// Reports on agents, stops them, or is one.
pub async fn run(args: AgentArgs) -> anyhow::Result<Exit> {
    match args.command {
        AgentCommand::Status { output } => {
            let Agents { answered, silent } = cli_agent::status().await?;
            if !answered.is_empty() || silent.is_empty() {
                listing::print(output, &answered, &answered)?;
            }
            if !silent.is_empty() {
                let pids: Vec<String> = silent.iter().map(u32::to_string).collect();
                bail!(
                    "no answer within 2 s from {} with the PID {}. `signalbox agent stop` ends such an agent",
                    display::format::counted(silent.len() as u64, "agent", "agents"),
                    pids.join(", ")
                );
            }
        }
        AgentCommand::Stop => {
            let stopped = cli_agent::stop().await?;
            let agents = display::format::counted(stopped as u64, "agent", "agents");
            output::line(&format!("Stopped {agents}."))?;
        }
        AgentCommand::Run(args) => serve(args).await?,
    }
    Ok(Exit::Fine)
}

async fn serve(args: RunArgs) -> anyhow::Result<()> {
    // A session of its own: the terminal and its signals stay with the command. Fails only if it has one already.
    let _ = rustix::process::setsid();
    let limits = Limits {
        connections: args.connections,
        keep_alive: Duration::from_secs(args.keep_alive),
        connect_timeout: Duration::from_secs(args.connect_timeout),
        retries: args.retries,
        idle: Duration::from_secs(args.idle),
    };
    let token = args.token.filter(|token| !token.is_empty());
    let destination = Destination::new(&args.server, token, args.ca);
    let place = Place::of(&destination);
    let stops = args.stops.unwrap_or_else(cli_agent::stops);
    match cli_agent::serve(destination, &place, limits, stops).await {
        // Another command was quicker.
        Err(ServeError::Running) => Ok(()),
        other => Ok(other?),
    }
}
