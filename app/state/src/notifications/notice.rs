//! Browser notifications and their permission.

use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Notification, NotificationOptions, NotificationPermission};

/// Permission to show notifications.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Leave {
    Granted,
    /// The user was not asked yet.
    NotAsked,
    Denied,
    /// Notifications need a secure origin.
    Insecure,
    /// Not supported by this browser.
    Missing,
}

impl Leave {
    /// The current permission.
    pub fn now() -> Self {
        let window = leptos::prelude::window();
        if !window.is_secure_context() {
            return Leave::Insecure;
        }
        if !js_sys::Reflect::has(&window, &"Notification".into()).unwrap_or(false) {
            return Leave::Missing;
        }
        Self::of(Notification::permission())
    }

    fn of(permission: NotificationPermission) -> Self {
        match permission {
            NotificationPermission::Granted => Leave::Granted,
            NotificationPermission::Denied => Leave::Denied,
            _ => Leave::NotAsked,
        }
    }

    /// Asks the user unless already decided.
    pub async fn ask() -> Self {
        let now = Self::now();
        if now != Leave::NotAsked {
            return now;
        }
        if let Ok(answer) = Notification::request_permission() {
            // The result is read below.
            let _ = JsFuture::from(answer).await;
        }
        Self::now()
    }

    /// Where the user is notified, after "You will be notified when it ends:".
    pub fn in_words(self) -> &'static str {
        match self {
            Leave::Granted => "on the page, or by a browser notification while no Signalbox page is visible.",
            Leave::NotAsked => {
                "on the page only, until you allow notifications. To be asked again, choose Don't notify me, \
                 then Notify me."
            }
            Leave::Denied => {
                "on the page only. The browser blocks notifications from this site: allow them in the browser's \
                 site settings."
            }
            Leave::Insecure => {
                "on the page only. Browsers show notifications only for pages over HTTPS or from localhost."
            }
            Leave::Missing => "on the page only. This browser does not support notifications.",
        }
    }
}

/// Shows a notification; a click focuses the page and calls `clicked`. False when the browser shows none: some support
/// them only for installed pages.
pub fn show(title: &str, body: &str, tag: &str, clicked: impl FnOnce() + 'static) -> bool {
    if Leave::now() != Leave::Granted {
        return false;
    }
    let options = NotificationOptions::new();
    options.set_body(body);
    // The same tag replaces a repeated notification.
    options.set_tag(tag);
    options.set_icon(&live::base::url("/favicon.svg"));
    let Ok(notification) = Notification::new_with_options(title, &options) else { return false };
    let shown = notification.clone();
    let clicked = Closure::once_into_js(move || {
        // Fails only where browsers forbid it.
        let _ = leptos::prelude::window().focus();
        shown.close();
        clicked();
    });
    notification.set_onclick(clicked.dyn_ref());
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_for_blocked_notifications_is_shown() {
        for leave in [Leave::NotAsked, Leave::Denied, Leave::Insecure, Leave::Missing] {
            assert!(leave.in_words().starts_with("on the page only"), "{leave:?}");
        }
        assert!(Leave::Insecure.in_words().contains("HTTPS"));
    }
}
