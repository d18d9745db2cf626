//! Who is signed in, and what they may do: from the document first, from the API after each doubt.

use crate::{api, http};
use leptos::prelude::*;
use leptos::task::spawn_local;
use protocol::access::{LackedPermission, Me, Permission, SignedInBy};
use std::cell::Cell;

/// Attribute of the document that passes the identity to the browser.
pub const ATTRIBUTE: &str = "data-me";

thread_local! {
    /// The page's own, for requests, which have no context. Set in the browser only.
    static OF_PAGE: Cell<Option<Identity>> = const { Cell::new(None) };
}

/// Identity of a rendered page's reader, in the context of the render; absent if the server needs no credential.
#[derive(Clone)]
pub struct Reader(pub Me);

impl Reader {
    /// The attribute of the document.
    pub fn attribute(&self) -> String {
        // Plain fields always serialize.
        serde_json::to_string(&self.0).unwrap_or_default()
    }
}

/// Who is signed in. One per page, from the context.
#[derive(Clone, Copy)]
pub struct Identity {
    /// Absent if the server needs no credential.
    me: RwSignal<Option<Me>>,
    /// The session or token has ended.
    signed_out: RwSignal<bool>,
    asking: StoredValue<Asking>,
}

/// The request for the identity.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asking {
    Idle,
    InFlight,
    /// In flight, but there was a new doubt since it was sent.
    Again,
}

impl Identity {
    /// Called once, by the app.
    #[expect(
        clippy::new_without_default,
        reason = "the app creates it once, and requests find it from then on"
    )]
    pub fn new() -> Self {
        let identity = Self {
            me: RwSignal::new(of_document()),
            signed_out: RwSignal::new(false),
            asking: StoredValue::new(Asking::Idle),
        };
        if cfg!(target_arch = "wasm32") {
            OF_PAGE.set(Some(identity));
            http::on_refused(refused);
        }
        identity
    }

    /// The page's own, provided by the app.
    pub fn here() -> Self {
        expect_context::<Identity>()
    }

    /// The reader; absent if the server needs no credential. Tracked.
    pub fn me(self) -> Option<Me> {
        self.me.get()
    }

    /// As [`Identity::me`], not tracked.
    pub fn me_now(self) -> Option<Me> {
        self.me.get_untracked()
    }

    /// As [`Identity::is_signed_out`], not tracked.
    pub fn is_signed_out_now(self) -> bool {
        self.signed_out.get_untracked()
    }

    /// Whether the session or token has ended. Tracked.
    pub fn is_signed_out(self) -> bool {
        self.signed_out.get()
    }

    /// The missing permission and who has it, if it is missing. Tracked.
    pub fn lacks(self, permission: Permission) -> Option<LackedPermission> {
        self.me.with(|me| me.as_ref()?.lacks.iter().find(|lacked| lacked.permission == permission).copied())
    }

    /// Removes disposed readers from the signals. Existing readers read again.
    pub fn forget_disposed_readers(self) {
        self.me.notify();
        self.signed_out.notify();
    }

    /// Asks the server again: the session may have ended, or the role may have changed. Nothing happens without an
    /// answer.
    pub fn check(self) {
        let before = self.asking.try_update_value(|asking| {
            let next = if *asking == Asking::Idle { Asking::InFlight } else { Asking::Again };
            std::mem::replace(asking, next)
        });
        if before != Some(Asking::Idle) {
            return;
        }
        spawn_local(async move {
            // An invalid credential is noted by the request itself.
            let answer = api::me().await;
            let before = self.asking.try_update_value(|asking| std::mem::replace(asking, Asking::Idle));
            if let Ok(me) = answer {
                self.renew((me.via != SignedInBy::Nothing).then_some(me));
            }
            if before == Some(Asking::Again) {
                self.check();
            }
        });
    }

    fn renew(self, me: Option<Me>) {
        let name = |me: &Option<Me>| me.as_ref().and_then(|me| me.name.clone());
        let (same_user, same) = self.me.with_untracked(|old| (name(old) == name(&me), *old == me));
        if !same_user {
            // Another user's page, with other data and other drafts.
            return reload();
        }
        if !same {
            self.me.set(me);
        }
        if self.signed_out.get_untracked() {
            self.signed_out.set(false);
        }
    }
}

/// A request was answered with 401, or with 403: then the role may have changed.
fn refused(status: u16) {
    let Some(identity) = OF_PAGE.get() else { return };
    if status != 401 {
        identity.check();
    } else if identity.signed_out.try_get_untracked() == Some(false) {
        identity.signed_out.set(true);
    }
}

fn reload() {
    // Fails only in a page that is being left.
    let _ = window().location().reload();
}

#[cfg(target_arch = "wasm32")]
fn of_document() -> Option<Me> {
    let text = document().document_element()?.get_attribute(ATTRIBUTE)?;
    json::from_str(&text).ok()
}

#[cfg(not(target_arch = "wasm32"))]
fn of_document() -> Option<Me> {
    use_context::<Reader>().map(|Reader(me)| me)
}
