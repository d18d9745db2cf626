//! Code that is loaded once the page is live, so that the first visit does not wait for it.

use app_state::toasts::Toasts;
use futures::FutureExt;
use leptos::prelude::*;
use leptos::reactive::computed::ScopedFuture;
use leptos::task::spawn_local;
use leptos::wasm_split::SplitLoaderError;
use live::ConnectionStatus;
use live::connection::state::Connectivity;
use std::future::Future;
use std::pin::Pin;

/// A request for the code.
pub type Loading = Pin<Box<dyn Future<Output = Result<(), SplitLoaderError>>>>;

/// The content of one dialog, in a part of the program of its own.
#[derive(Clone, Copy)]
pub struct Deferred {
    loaded: RwSignal<bool>,
    under_way: StoredValue<bool>,
    /// A user waits for it.
    wanted: StoredValue<bool>,
    load: fn() -> Loading,
    /// Closes the dialog, if its code can't be loaded.
    close: Callback<()>,
    toasts: Toasts,
}

impl Deferred {
    /// `load` is called when the dialog is opened: for what few visits need.
    pub fn on_demand(load: fn() -> Loading, close: impl Fn() + Send + Sync + 'static) -> Self {
        Self {
            loaded: RwSignal::new(false),
            under_way: StoredValue::new(false),
            wanted: StoredValue::new(false),
            load,
            close: Callback::new(move |()| close()),
            toasts: expect_context::<Toasts>(),
        }
    }

    /// `load` is called once the page is live, or when the dialog is opened before that.
    pub fn new(load: fn() -> Loading, close: impl Fn() + Send + Sync + 'static) -> Self {
        let deferred = Self::on_demand(load, close);
        let connectivity = ConnectionStatus::here().connectivity();
        Effect::new(move |_| {
            if !matches!(connectivity.get(), Connectivity::Idle | Connectivity::Connecting) {
                deferred.request();
            }
        });
        deferred
    }

    /// Whether the code is loaded. Tracked.
    pub fn loaded(self) -> bool {
        self.loaded.get()
    }

    /// The view of `build`; none while its code is loading.
    pub fn view<F>(self, build: impl FnOnce() -> F) -> Option<AnyView>
    where
        F: Future<Output = Result<AnyView, SplitLoaderError>>,
    {
        if self.loaded.get() {
            // Ready at once, as the code is loaded: a dialog is complete in the turn of the click that opened it.
            return build().now_or_never()?.ok();
        }
        self.wanted.set_value(true);
        self.request();
        None
    }

    /// Runs an action, after its code is loaded.
    pub fn run<F>(self, act: impl FnOnce() -> F)
    where
        F: Future<Output = Result<(), SplitLoaderError>> + 'static,
    {
        let act = act();
        if self.loaded.get_untracked() {
            // In the turn of the key press.
            let _ = act.now_or_never();
            return;
        }
        spawn_local(ScopedFuture::new_untracked(async move {
            if act.await.is_err() {
                self.toasts.warn(FAILED);
            }
        }));
    }

    /// Loads the code, unless that is done or under way.
    fn request(self) {
        if self.loaded.get_untracked() || self.under_way.get_value() {
            return;
        }
        self.under_way.set_value(true);
        spawn_local(async move {
            let outcome = (self.load)().await;
            self.under_way.set_value(false);
            let wanted = self.wanted.get_value();
            self.wanted.set_value(false);
            if outcome.is_ok() {
                self.loaded.set(true);
            } else if wanted {
                self.close.run(());
                self.toasts.warn(FAILED);
            }
        });
    }
}

const FAILED: &str =
    "A part of the page could not be loaded from the server. Check the connection, then try again.";
