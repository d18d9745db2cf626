//! Real program with its real bundled hosts, over HTTP: what programs and administrators rely on.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod access;
mod access_matrix;
mod alert_rules;
mod alertmanager;
mod alerts;
mod api;
mod audit_sink;
mod bands;
mod base_path;
mod bundled;
mod checkpoint_transfer;
mod cli;
#[cfg(unix)]
mod cli_agent;
#[cfg(target_os = "linux")]
mod cli_complete;
#[cfg(target_os = "linux")]
mod cli_environment;
#[cfg(unix)]
mod cli_https;
#[cfg(target_os = "linux")]
mod cli_interrupt;
#[cfg(target_os = "linux")]
mod cli_kill;
mod cli_output;
#[cfg(unix)]
mod cli_programs;
#[cfg(target_os = "linux")]
mod cli_tables;
#[cfg(target_os = "linux")]
mod cli_top;
mod cli_verbs;
mod demo;
mod email;
mod feed;
mod history;
mod host_tokens;
mod https_hosts;
mod ktrdr;
mod line;
mod logs;
mod observability;
mod oidc;
mod otlp;
mod process;
mod programs;
mod prometheus;
mod provider_double;
#[cfg(target_os = "linux")]
mod request_limits;
mod requests;
mod restart;
#[cfg(target_os = "linux")]
mod sandbox;
mod scopes;
#[cfg(target_os = "linux")]
mod secrets;
mod startup_errors;
mod sweep;
#[cfg(target_os = "linux")]
mod terminal;
mod time_breakdown;
mod tls;
#[cfg(unix)]
mod user;
mod users;
