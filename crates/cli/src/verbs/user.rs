//! `signalbox user`

use crate::errors::{advised, unsure};
use crate::exit::{Exit, bail_usage};
use crate::output;
use crate::target::To;
use clap::{Args, Subcommand};
use protocol::access::{ChangeUser, KindScope, NewUser, Role};
use std::io::{BufRead, IsTerminal};

/// Advice after a lost answer.
const UNSURE: &str = "The change may have been made. `signalbox user list` lists all users";

/// Arguments of `signalbox user`.
#[derive(Args)]
pub struct UserArgs {
    #[command(subcommand)]
    command: UserCommand,
}

#[derive(Subcommand)]
enum UserCommand {
    /// Add a user. A temporary password is read from the terminal, or from standard input.
    ///
    /// The user signs in at /sign-in, and must set a new password there. As soon as a token or user exists, every
    /// request needs a credential, also on loopback. Therefore, the first credential needs the role admin, unless the
    /// server was started with a token.
    Add(AddArgs),
    /// List the users.
    List(ListArgs),
    /// Set the role of a user, and the kinds that the role applies to. The change takes effect immediately.
    Role(RoleArgs),
    /// Set a temporary password, read from the terminal or from standard input. All sessions of the user end.
    Password(NameArgs),
    /// Remove a user. All sessions of the user end.
    Remove(NameArgs),
}

#[derive(Args)]
struct AddArgs {
    /// Name with which the user signs in
    name: String,
    /// viewer (reads), operator (also controls operations and alerts), or admin (also drains hosts, manages tokens and
    /// users)
    #[arg(long)]
    role: Role,
    /// Only for these kinds, such as 'training.*,data.load'; `*` matches any characters. Default: all kinds
    #[arg(long, value_name = "PATTERNS")]
    kinds: Option<KindScope>,
    #[command(flatten)]
    to: To,
}

#[derive(Args)]
struct ListArgs {
    #[command(flatten)]
    to: To,
}

#[derive(Args)]
struct RoleArgs {
    /// Name of the user
    name: String,
    /// viewer, operator or admin
    role: Role,
    /// Only for these kinds, such as 'training.*,data.load'; `*` matches any characters. Default: all kinds
    #[arg(long, value_name = "PATTERNS")]
    kinds: Option<KindScope>,
    #[command(flatten)]
    to: To,
}

#[derive(Args)]
struct NameArgs {
    /// Name of the user
    name: String,
    #[command(flatten)]
    to: To,
}

/// Adds, lists, changes or removes users.
pub async fn run(args: UserArgs) -> anyhow::Result<Exit> {
    match args.command {
        UserCommand::Add(AddArgs { name, role, kinds, to }) => {
            let target = to.target().await?;
            let new = NewUser { name, role, kinds, password: first_password()? };
            let user = target.client.add_user(&new).await.map_err(|error| unsure(error, UNSURE))?;
            let kinds = named(user.kinds.as_ref());
            output::line(&format!("Added the user '{}' with the role {}{kinds}.", user.name, user.role))?;
        }
        UserCommand::List(ListArgs { to }) => {
            let target = to.target().await?;
            let list = target.client.users().await.map_err(advised)?;
            target.print(&list.users, &list)?;
        }
        UserCommand::Role(RoleArgs { name, role, kinds, to }) => {
            let change = ChangeUser { role: Some(role), kinds, password: None };
            to.target()
                .await?
                .client
                .change_user(&name, &change)
                .await
                .map_err(|error| unsure(error, UNSURE))?;
            let kinds = named(change.kinds.as_ref());
            output::line(&format!("Changed the role of the user '{name}' to {role}{kinds}."))?;
        }
        UserCommand::Password(NameArgs { name, to }) => {
            let target = to.target().await?;
            let change = ChangeUser { password: Some(first_password()?), ..ChangeUser::default() };
            target.client.change_user(&name, &change).await.map_err(|error| unsure(error, UNSURE))?;
            output::line(&format!("The user '{name}' must set a new password at the next sign-in."))?;
        }
        UserCommand::Remove(NameArgs { name, to }) => {
            to.target().await?.client.remove_user(&name).await.map_err(|error| unsure(error, UNSURE))?;
            output::line(&format!("Removed the user '{name}'."))?;
        }
    }
    Ok(Exit::Fine)
}

/// Kinds of a role in a sentence.
fn named(kinds: Option<&KindScope>) -> String {
    kinds.map_or_else(String::new, |kinds| format!(" for {kinds}"))
}

/// Password, typed twice on a terminal, or the first line of standard input. It is never an argument, which other users
/// of the machine could see.
fn first_password() -> anyhow::Result<String> {
    let mut input = std::io::stdin().lock();
    if !std::io::stdin().is_terminal() {
        let mut line = String::new();
        input.read_line(&mut line)?;
        let password = line.trim_end_matches(['\r', '\n']).to_owned();
        if password.is_empty() {
            bail_usage!("the first line of standard input is empty. It must be the password");
        }
        return Ok(password);
    }
    drop(input);
    let password = rpassword::prompt_password("Temporary password: ")?;
    if rpassword::prompt_password("Repeat the password: ")? != password {
        bail_usage!("the two passwords do not match");
    }
    Ok(password)
}
