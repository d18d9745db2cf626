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

/// Link to the OpenID Connect provider.
pub struct Button<'a> {
    /// Name of the provider.
    pub name: &'a str,
    /// Why the provider can't be used.
    pub trouble: Option<String>,
}

impl Button<'_> {
    fn html(&self, base: &str, to: &str, users: bool) -> String {
        let (at, name) = (attribute(base), text(self.name));
        let to: String = form_urlencoded::byte_serialize(to.as_bytes()).collect();
        let trouble = self.trouble.as_ref().map_or_else(String::new, |why| {
            let others = if users { "Local users and tokens still work." } else { "Tokens still work." };
            format!(
                r#"<p class="hint" id="trouble" role="status">{} {others} To try again, press the button.</p>"#,
                text(why)
            )
        });
        let described = if self.trouble.is_some() { r#" aria-describedby="trouble""# } else { "" };
        let or = if users { r#"<p class="or">or as a local user</p>"# } else { "" };
        format!(
            r#"<a class="button" href="{at}/sign-in/provider?to={to}"{described}>Sign in with {name}</a>{trouble}{or}"#
        )
    }
}

/// Page to sign in. Without local users, only a token or the provider can be used.
pub fn sign_in(base: &str, form: &Form, users: bool, provider: Option<&Button<'_>>, error: &str) -> String {
    let (at, to, name) = (attribute(base), attribute(&form.to), attribute(&form.name));
    let only = !users && provider.is_none();
    let token = format!(
        r#"<form method="post" action="{at}/sign-in/token"><input type="hidden" name="to" value="{to}">
<label>Token<input name="token" type="password" autocomplete="off" spellcheck="false" required></label>
<button{}>Sign in with a token</button></form>"#,
        if only { "" } else { r#" class="plain""# }
    );
    let other = format!("<details><summary>Use a token</summary>{token}</details>");
    let button = provider.map_or_else(String::new, |provider| provider.html(base, &form.to, users));
    let forms = if users {
        format!(
            r#"<form method="post" action="{at}/sign-in"><input type="hidden" name="to" value="{to}">
<label>Name<input name="name" value="{name}" autocomplete="username" autocapitalize="none" spellcheck="false" required{}></label>
<label>Password<input name="password" type="password" autocomplete="current-password" required{}></label>
<button{}>Sign in</button></form>
{other}"#,
            // With a provider, nobody knows which way the person takes.
            if form.name.is_empty() && provider.is_none() { " autofocus" } else { "" },
            if form.name.is_empty() { "" } else { " autofocus" },
            if provider.is_some() { r#" class="plain""# } else { "" },
        )
    } else if only {
        token
    } else {
        other
    };
    let error = note("error", error);
    let content = format!(r#"<div class="card"><h1>Sign in</h1>{error}{button}{forms}</div>"#);
    document(base, "Sign in", "narrow", &content)
}

/// Page after a failed sign-in through the provider: what happened, and what to do. `again` is an address.
pub fn failed(base: &str, provider: &str, what: &str, advice: &str, again: &str) -> String {
    let (provider, what, advice, again) = (text(provider), text(what), text(advice), attribute(again));
    let content = format!(
        r#"<div class="card"><h1>Sign-in failed</h1><p class="error" role="alert">{what}</p>
<p>{advice}</p><p class="hint">Provider: {provider}</p><a class="button" href="{again}">Back to sign-in</a></div>"#
    );
    document(base, "Sign-in failed", "narrow", &content)
}

/// Page that leads to the provider, to sign out there, too. `address` is there.
pub fn signed_out(base: &str, provider: &str, address: &str) -> String {
    let (at, provider, address) = (attribute(base), text(provider), attribute(address));
    let content = format!(
        r#"<div class="card"><h1>Signed out</h1><p role="status">You are signed out of Signalbox.</p>
<a class="button" href="{address}">Sign out of {provider}, too</a><a href="{at}/sign-in">Back to sign-in</a></div>"#
    );
    document(base, "Signed out", "narrow", &content)
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

/// Form to change the password; `at` is escaped.
fn password_section(at: &str) -> String {
    let fields = new_password_fields(false);
    format!(
        r#"<section class="card" aria-labelledby="password"><div><h2 id="password">Change password</h2>
<p class="hint">Changing the password signs out your other sessions.</p></div>
<form method="post" action="{at}/account/password">
<label>Current password<input name="current" type="password" autocomplete="current-password" required></label>
{fields}<button>Change password</button></form></section>"#
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
    /// Provider that the user signs in through; `None` for a local user, who has a password.
    pub provider: Option<&'a str>,
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
        let password = match self.provider {
            None => password_section(&at),
            Some(provider) => format!(
                r#"<p class="hint">You sign in with {}. Your groups there determine your role at each sign-in.</p>"#,
                text(provider)
            ),
        };
        let content = format!(
            r#"<div class="card"><div class="row"><div><h1>{name}</h1><p class="hint">Role {role}{kinds}</p></div>
<form method="post" action="{at}/sign-out"><button class="plain">Sign out</button></form></div>{notes}</div>
<section class="card" aria-labelledby="sessions"><div><h2 id="sessions">Sessions</h2>
<p class="hint">Sessions end after 12 hours of inactivity, and after 7 days in any case.</p></div><ul class="list">{sessions}</ul></section>
{password}"#
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
            provider: Some(bad),
            now: at,
            error: bad,
            done: bad,
        };
        let button = Button { name: bad, trouble: Some(bad.into()) };
        for page in [
            sign_in("", &form, true, Some(&button), bad),
            choose_password("", &form, bad),
            failed("", bad, bad, bad, bad),
            signed_out("", bad, bad),
            account.html(),
        ] {
            assert!(!page.contains("<script"), "{page}");
            assert!(!page.contains(r#""">"#), "{page}");
        }
    }

    #[test]
    fn the_page_offers_what_can_be_used() {
        let form = Form { to: "/hosts?a=b&c".into(), ..Form::default() };
        let button = |trouble: Option<&str>| Button { name: "Example", trouble: trouble.map(str::to_owned) };
        let both = sign_in("/box", &form, true, Some(&button(None)), "");
        assert!(
            both.contains(r#"href="/box/sign-in/provider?to=%2Fhosts%3Fa%3Db%26c">Sign in with Example</a>"#)
        );
        assert!(both.contains(r#"name="password""#) && !both.contains("autofocus"), "{both}");
        let away = sign_in("", &form, true, Some(&button(Some("It is away."))), "");
        assert!(away.contains("It is away. Local users and tokens still work."), "{away}");
        let alone = sign_in("", &form, false, Some(&button(None)), "");
        assert!(!alone.contains(r#"name="password""#) && alone.contains("<details>"), "{alone}");
        let without = sign_in("", &form, true, None, "");
        assert!(without.contains("autofocus") && !without.contains("provider"), "{without}");
    }
}
