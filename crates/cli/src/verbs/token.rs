//! `signalbox token`

use crate::errors::{advised, unsure};
use crate::exit::{Exit, bail_usage};
use crate::listing::{self, Format};
use crate::output;
use crate::target::{Target, To};
use anyhow::anyhow;
use clap::{Args, Subcommand};
use protocol::access::{AccessToken, KindScope, NewAccessToken, Role, TOKEN_DAYS};

/// Arguments of `signalbox token`.
#[derive(Args)]
pub struct TokenArgs {
    #[command(subcommand)]
    command: TokenCommand,
}

#[derive(Subcommand)]
enum TokenCommand {
    /// Create a token for a program, and print it. It is shown only once.
    ///
    /// As soon as a token or user exists, every request needs a credential, also on loopback. Therefore, the first
    /// credential needs the role admin, unless the server was started with a token.
    Create(CreateArgs),
    /// List the tokens with their roles, and when and from where each was last used.
    List(ListArgs),
    /// Revoke a token: requests with this token are rejected immediately, and its open event streams end.
    Revoke(RevokeArgs),
}

#[derive(Args)]
struct CreateArgs {
    /// Name of the token; the audit log shows it
    name: String,
    /// viewer (reads), operator (also controls operations and alerts), or admin (also drains hosts, manages tokens and
    /// users)
    #[arg(long)]
    role: Role,
    /// Only for these kinds, such as 'training.*,data.load'; `*` matches any characters. Default: all kinds
    #[arg(long, value_name = "PATTERNS")]
    kinds: Option<KindScope>,
    /// Validity in days
    #[arg(long, default_value_t = TOKEN_DAYS, conflicts_with = "never_expires")]
    days: u32,
    /// Create a token that is valid until it is revoked
    #[arg(long)]
    never_expires: bool,
    #[command(flatten)]
    to: To,
}

#[derive(Args)]
struct ListArgs {
    #[command(flatten)]
    to: To,
}

#[derive(Args)]
struct RevokeArgs {
    /// Name or ID of the token; `signalbox token list` lists all tokens
    #[arg(value_name = "NAME|ID")]
    which: String,
    #[command(flatten)]
    to: To,
}

/// Creates, lists or revokes tokens.
pub async fn run(args: TokenArgs) -> anyhow::Result<Exit> {
    match args.command {
        TokenCommand::Create(args) => create(args).await,
        TokenCommand::List(args) => {
            let target = args.to.target().await?;
            let list = target.client.access_tokens().await.map_err(advised)?;
            target.print(&list.tokens, &list)?;
            Ok(Exit::Fine)
        }
        TokenCommand::Revoke(args) => revoke(args).await,
    }
}

async fn create(args: CreateArgs) -> anyhow::Result<Exit> {
    let target = args.to.target().await?;
    let format = target.format.one_of(&[Format::Text, Format::Json], "token create")?;
    let expires_in_days = (!args.never_expires).then_some(args.days);
    let new = NewAccessToken { name: args.name, role: args.role, kinds: args.kinds, expires_in_days };
    let created = target.client.create_access_token(&new).await;
    let created = created.map_err(|error| {
        unsure(error, "The token may have been created. `signalbox token list` lists all tokens")
    })?;
    if format == Format::Json {
        output::json(&listing::json_of(&created))?;
        return Ok(Exit::Fine);
    }
    let AccessToken { name, role, kinds, expires_at, .. } = &created.token;
    let kinds = kinds.as_ref().map_or_else(String::new, |kinds| format!(" for {kinds}"));
    let until = expires_at.map_or_else(|| "never expires".to_owned(), |end| format!("expires at {end}"));
    output::line(&created.secret)?;
    output::note(&format!(
        "The token '{name}' has the role {role}{kinds}, and {until}. It is not shown again. Programs send it as \
         'Authorization: Bearer sbx_…'; `signalbox` reads it from SIGNALBOX_TOKEN."
    ))?;
    Ok(Exit::Fine)
}

async fn revoke(args: RevokeArgs) -> anyhow::Result<Exit> {
    let target = args.to.target().await?;
    let token = named(&target, &args.which).await?;
    let revoked = target.client.revoke_access_token(&token.id).await;
    revoked.map_err(|error| {
        unsure(error, "The token may have been revoked. `signalbox token list` lists all tokens")
    })?;
    output::line(&format!("Revoked the token '{}'.", token.name))?;
    Ok(Exit::Fine)
}

async fn named(target: &Target, given: &str) -> anyhow::Result<AccessToken> {
    if given.starts_with("sbx_") {
        bail_usage!(
            "pass the name or the ID of the token, not its secret; `signalbox token list` shows both"
        );
    }
    let list = target.client.access_tokens().await.map_err(advised)?;
    let found = list.tokens.into_iter().find(|token| token.id == given || token.name == given);
    found.ok_or_else(|| anyhow!("there is no token '{given}'. `signalbox token list` lists all tokens"))
}
