//! Texts of the audit log.

use protocol::{Action, Actor, AuditEntry, Outcome, Via};

/// Name of an action.
pub fn action(action: Action) -> &'static str {
    match action {
        Action::Start => "Started",
        Action::Cancel => "Requested cancel",
        Action::Abandon => "Abandoned",
        Action::Retry => "Retried",
        Action::Resume => "Resumed",
        Action::Delete => "Deleted",
        Action::Drain => "Drained",
        Action::Undrain => "Undrained",
        Action::SetRule => "Set rule",
        Action::DropRule => "Removed rule",
        Action::Configure => "Configured",
        Action::CreateToken => "Created token",
        Action::RevokeToken => "Revoked token",
        Action::AddUser => "Added user",
        Action::ChangeUser => "Changed user",
        Action::RemoveUser => "Removed user",
        Action::SignIn => "Signed in",
        Action::AddAlertRule => "Created alert rule",
        Action::ChangeAlertRule => "Changed alert rule",
        Action::RemoveAlertRule => "Removed alert rule",
        Action::SilenceAlerts => "Silenced alerts",
        Action::EndSilence => "Ended silence",
        Action::Request => "Sent request",
    }
}

/// Name of an action with its outcome.
pub fn action_of(entry: &AuditEntry) -> String {
    match entry.outcome {
        Outcome::Done => action(entry.action).to_owned(),
        Outcome::Refused => match entry.action {
            Action::SignIn => "Sign-in refused".to_owned(),
            Action::Request => "Request refused".to_owned(),
            other => format!("{} (refused)", action(other)),
        },
    }
}

/// Name of an actor: the person if known, and the client that was used.
pub fn who(actor: &Actor) -> String {
    let way = match actor.via {
        Via::Page => "dashboard".to_owned(),
        Via::Signalbox => "Signalbox".to_owned(),
        // The product name of a user agent: "curl/8.5.0 (x86_64…)" is "curl".
        Via::Program => actor
            .agent
            .as_deref()
            .and_then(|agent| agent.split(['/', ' ']).next())
            .filter(|name| !name.is_empty())
            .map_or_else(|| "API".to_owned(), |name| format!("API ({name})")),
    };
    match &actor.name {
        Some(name) => format!("{name} via {way}"),
        None => way,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_name_precedes_the_name_of_the_client_program() {
        let mut actor = Actor { via: Via::Program, ..Actor::signalbox() };
        assert_eq!(who(&actor), "API");
        actor.agent = Some("curl/8.5.0".into());
        assert_eq!(who(&actor), "API (curl)");
        actor = Actor { via: Via::Page, name: Some("Ada".into()), ..actor };
        assert_eq!(who(&actor), "Ada via dashboard");
    }
}
