//! Time zone of displayed times: UTC, as rendered by the server, or the browser's.

use crate::settings;
use display::zone::LocalOffset;
pub use display::zone::Zone;
use leptos::prelude::*;
use protocol::Time;

/// Name of the setting.
const NAME: &str = "zone";

/// The browser's zone.
const LOCAL: Zone = Zone::Local(LocalOffset(browser_offset));

/// Offset of the browser's zone at a time, minutes.
#[cfg(target_arch = "wasm32")]
fn browser_offset(at: Time) -> i32 {
    -js_sys::Date::new(&at.millis().into()).get_timezone_offset() as i32
}

/// The server has no browser zone.
#[cfg(not(target_arch = "wasm32"))]
fn browser_offset(_at: Time) -> i32 {
    0
}

/// The setting; from the context.
#[derive(Clone, Copy)]
pub struct Zones(RwSignal<Zone>);

impl Zones {
    /// Called once, by the frame. The stored setting applies after hydration: the server's times are UTC.
    pub fn new() -> Self {
        let zone = RwSignal::new(Zone::Utc);
        Effect::new(move |_| {
            if settings::stored(NAME) == "local" {
                zone.set(LOCAL);
            }
        });
        Self(zone)
    }

    /// The page's own, provided by the frame.
    pub fn here() -> Self {
        expect_context::<Zones>()
    }

    /// Tracked.
    pub fn get(&self) -> Zone {
        self.0.get()
    }

    /// Removes disposed readers from the signal. Existing readers read again.
    pub fn forget_disposed_readers(&self) {
        self.0.notify();
    }

    /// Switches the zone and stores it.
    pub fn turn(&self) {
        let local = self.0.get_untracked() == Zone::Utc;
        settings::store(NAME, if local { "local" } else { "" });
        self.0.set(if local { LOCAL } else { Zone::Utc });
    }
}
