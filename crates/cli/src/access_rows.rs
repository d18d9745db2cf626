//! Tokens and users as rows of a list.

use crate::listing::{Cell, Colour, Listed};
use protocol::Time;
use protocol::access::{AccessToken, KindScope, User};

fn at(time: Option<Time>) -> String {
    time.map(|time| time.to_string()).unwrap_or_default()
}

/// Kinds of a role, or what stands for all of them.
fn kinds(kinds: Option<&KindScope>, all: &str) -> String {
    kinds.map_or_else(|| all.to_owned(), ToString::to_string)
}

impl Listed for AccessToken {
    const COLUMNS: &'static [&'static str] = &["NAME", "ROLE", "KINDS", "EXPIRES", "LAST USED", "FROM", "ID"];
    const FIELDS: &'static [&'static str] = &[
        "id",
        "name",
        "role",
        "kinds",
        "created_at",
        "created_by",
        "expires_at",
        "last_used_at",
        "last_used_from",
    ];
    const EMPTY: &'static str = "No tokens.";

    fn name(&self) -> String {
        self.name.clone()
    }

    fn cells(&self, now: Time) -> Vec<Cell> {
        let ago = |time| display::format::ago(now.seconds_since(time));
        let expires = match self.expires_at {
            None => "never".into(),
            Some(end) if end <= now => Cell::coloured("expired", Colour::Red),
            Some(end) => end.to_string().into(),
        };
        vec![
            self.name.clone().into(),
            self.role.as_str().into(),
            kinds(self.kinds.as_ref(), "all").into(),
            expires,
            self.last_used_at.map_or_else(|| "never".to_owned(), ago).into(),
            self.last_used_from.clone().unwrap_or_default().into(),
            self.id.clone().into(),
        ]
    }

    fn record(&self) -> Vec<String> {
        vec![
            self.id.clone(),
            self.name.clone(),
            self.role.as_str().to_owned(),
            kinds(self.kinds.as_ref(), ""),
            self.created_at.to_string(),
            self.created_by.clone().unwrap_or_default(),
            at(self.expires_at),
            at(self.last_used_at),
            self.last_used_from.clone().unwrap_or_default(),
        ]
    }
}

impl Listed for User {
    const COLUMNS: &'static [&'static str] = &["NAME", "ROLE", "KINDS", "LAST SIGN-IN", "PASSWORD"];
    const FIELDS: &'static [&'static str] =
        &["name", "role", "kinds", "created_at", "last_sign_in_at", "must_change_password"];
    const EMPTY: &'static str = "No users.";

    fn name(&self) -> String {
        self.name.clone()
    }

    fn cells(&self, now: Time) -> Vec<Cell> {
        let ago = |time| display::format::ago(now.seconds_since(time));
        let password = match (&self.provider, self.must_change_password) {
            (Some(_), _) => "at sign-in provider".into(),
            (None, true) => Cell::coloured("temporary", Colour::Yellow),
            (None, false) => "set".into(),
        };
        vec![
            self.name.clone().into(),
            self.role.as_str().into(),
            kinds(self.kinds.as_ref(), "all").into(),
            self.last_sign_in_at.map_or_else(|| "never".to_owned(), ago).into(),
            password,
        ]
    }

    fn record(&self) -> Vec<String> {
        vec![
            self.name.clone(),
            self.role.as_str().to_owned(),
            kinds(self.kinds.as_ref(), ""),
            self.created_at.to_string(),
            at(self.last_sign_in_at),
            self.must_change_password.to_string(),
        ]
    }
}
