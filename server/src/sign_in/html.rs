//! HTML of the pages that work without WebAssembly. All values are escaped.

use super::Form;
use html_escape::{encode_double_quoted_attribute as attribute, encode_text as text};
use protocol::Time;
use protocol::access::{KindScope, Role, Session};

/// Mark of Signalbox, as in the page's header.
const BRAND: &str = r#"<svg viewBox="0 0 16 16" aria-hidden="true"><path d="M2 2h5v5H2zM9 9h5v5H9z" fill="currentColor"/><path d="M9 2h5v5H9zM2 9h5v5H2z" fill="currentColor" opacity=".35"/></svg>"#;

/// A whole page; `width` is a class.
fn document(base: &str, title: &str, width: &str, content: &str) -> String {
    let base = attribute(base);
    let title = text(title);
    format!(
        r#"<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · Signalbox</title><link rel="stylesheet" href="{base}/sign-in.css">
<link rel="icon" href="{base}/favicon.svg"></head>
<body class="{width}"><main><a class="brand" href="{base}/">{BRAND}Signalbox</a>
{content}</main></body></html>
"#
    )
}

fn note(class: &str, message: &str) -> String {
    match message {
        "" => String::new(),
        message => format!(r#"<p class="{class}" role="alert">{}</p>"#, text(message)),
    }
}

/// Page to sign in. Without local users, only a token can be used.
pub fn sign_in(base: &str, form: &Form, users: bool, error: &str) -> String {
    let (at, to, name) = (attribute(base), attribute(&form.to), attribute(&form.name));
    let token = format!(
        r#"<form method="post" action="{at}/sign-in/token"><input type="hidden" name="to" value="{to}">
<label>Token<input name="token" type="password" autocomplete="off" spellcheck="false" required></label>
<button{}>Sign in with a token</button></form>"#,
        if users { r#" class="plain""# } else { "" }
    );
    let forms = if users {
        format!(
            r#"<form method="post" action="{at}/sign-in"><input type="hidden" name="to" value="{to}">
<label>Name<input name="name" value="{name}" autocomplete="username" autocapitalize="none" spellcheck="false" required{}></label>
<label>Password<input name="password" type="password" autocomplete="current-password" required{}></label>
<button>Sign in</button></form>
<details><summary>Use a token</summary>{token}</details>"#,
            if form.name.is_empty() { " autofocus" } else { "" },
            if form.name.is_empty() { "" } else { " autofocus" },
        )
    } else {
        token
    };
    let error = note("error", error);
    document(base, "Sign in", "narrow", &format!(r#"<div class="card"><h1>Sign in</h1>{error}{forms}</div>"#))
}

/// Page to choose a password at the first sign-in.
pub fn choose_password(base: &str, form: &Form, error: &str) -> String {
    let (at, to, ticket) = (attribute(base), attribute(&form.to), attribute(&form.ticket));
    let error = note("error", error);
    let fields = new_password_fields(true);
    let content = format!(
        r#"<div class="card"><h1>Choose a password</h1>
<p class="hint">An administrator set your temporary password. Replace it with your own.</p>{error}
<form method="post" action="{at}/sign-in/password"><input type="hidden" name="to" value="{to}">
<input type="hidden" name="ticket" value="{ticket}">{fields}<button>Save and sign in</button></form></div>"#
    );
    document(base, "Choose a password", "narrow", &content)
}

fn new_password_fields(focus: bool) -> String {
    let focus = if focus { " autofocus" } else { "" };
    format!(
        r#"<label>New password<input name="password" type="password" autocomplete="new-password" minlength="12" maxlength="200" required{focus} aria-describedby="rule"><span class="hint" id="rule">At least 12 characters</span></label>
<label>Repeat the password<input name="repeat" type="password" autocomplete="new-password" required></label>"#
    )
}

/// Page of a user's account.
pub struct Account<'a> {
    pub base: &'a str,
    pub name: &'a str,
    pub role: Role,
    /// Kinds that the role applies to.
    pub kinds: Option<&'a KindScope>,
    pub sessions: &'a [Session],
    /// ID of the session of the request.
    pub current: &'a str,
    pub now: Time,
    pub error: &'a str,
    pub done: &'a str,
}

impl Account<'_> {
    /// The page.
    pub fn html(&self) -> String {
        let Account { base, role, error, done, .. } = self;
        let (at, name) = (attribute(base), text(self.name));
        let sessions: String = self.sessions.iter().map(|session| self.session(session)).collect();
        let kinds = self.kinds.map_or_else(String::new, |kinds| format!(" for {kinds}"));
        let notes = [note("error", error), note("done", done)].concat();
        let fields = new_password_fields(false);
        let content = format!(
            r#"<div class="card"><div class="row"><div><h1>{name}</h1><p class="hint">Role {role}{kinds}</p></div>
<form method="post" action="{at}/sign-out"><button class="plain">Sign out</button></form></div>{notes}</div>
<section class="card" aria-labelledby="sessions"><div><h2 id="sessions">Sessions</h2>
<p class="hint">Sessions end after 12 hours of inactivity, and after 7 days in any case.</p></div><ul class="list">{sessions}</ul></section>
<section class="card" aria-labelledby="password"><div><h2 id="password">Change password</h2>
<p class="hint">Changing the password signs out your other sessions.</p></div>
<form method="post" action="{at}/account/password">
<label>Current password<input name="current" type="password" autocomplete="current-password" required></label>
{fields}<button>Change password</button></form></section>"#
        );
        document(base, "Account", "wide", &content)
    }

    fn session(&self, session: &Session) -> String {
        let (at, id) = (attribute(self.base), attribute(&session.id));
        let agent = text(session.agent.as_deref().unwrap_or("Unknown browser"));
        let from = session.address.as_deref().map(|address| format!(" from {address}")).unwrap_or_default();
        let ago = display::format::ago(self.now.seconds_since(session.last_used_at));
        let used = format!("Last used {ago}{from}");
        let used = text(&used);
        let end = if session.id == self.current {
            "<strong>This session</strong>".to_owned()
        } else {
            format!(
                r#"<form method="post" action="{at}/account/end"><input type="hidden" name="id" value="{id}"><button class="plain" aria-label="End the session of {}">End</button></form>"#,
                attribute(session.agent.as_deref().unwrap_or("an unknown browser"))
            )
        };
        format!(r#"<li class="row"><div>{agent}<br><span class="hint">{used}</span></div>{end}</li>"#)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_others_are_never_html() {
        let bad = r#""><script>alert(1)</script>"#;
        let form = Form { name: bad.into(), to: bad.into(), ticket: bad.into(), ..Form::default() };
        let at = Time::from_micros(0);
        let session = Session {
            id: bad.into(),
            user: bad.into(),
            created_at: at,
            last_used_at: at,
            expires_at: at,
            address: Some(bad.into()),
            agent: Some(bad.into()),
        };
        let account = Account {
            base: "",
            name: bad,
            role: Role::Viewer,
            kinds: None,
            sessions: &[session],
            current: "",
            now: at,
            error: bad,
            done: bad,
        };
        for page in [sign_in("", &form, true, bad), choose_password("", &form, bad), account.html()] {
            assert!(!page.contains("<script"), "{page}");
            assert!(!page.contains(r#""">"#), "{page}");
        }
    }
}
