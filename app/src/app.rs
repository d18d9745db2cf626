//! Root component: shared contexts and routes.

use crate::actions::Actions;
use crate::api;
use crate::base;
use crate::components::confirm::Confirm;
use crate::components::frame::{self, Frame};
use crate::components::keys::Keys;
use crate::components::toasts::{ToastList, Toasts};
use crate::kinds::{self, Kinds};
use crate::live::Live;
use crate::pages::lazy;
use crate::pages::not_found::NotFound;
use crate::select::Selection;
use leptos::prelude::*;
use leptos_meta::provide_meta_context;
use leptos_router::components::{FlatRoutes, Route, Router};
use leptos_router::{Lazy, SsrMode, path};
use protocol::Problem;
use protocol::api::Snapshot;

/// Resources shared by all pages.
#[derive(Clone, Copy)]
pub struct Data {
    pub snapshot: Resource<Result<Snapshot, Problem>>,
    pub kinds: Kinds,
}

impl Data {
    /// The page's own, provided by the app.
    pub fn here() -> Self {
        expect_context::<Data>()
    }
}

/// The dashboard.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    let live = Live::default();
    provide_context(live.clone());
    let data = Data {
        snapshot: Resource::new(|| (), |()| api::snapshot()),
        kinds: Resource::new(|| (), |()| api::kinds()),
    };
    provide_context(data);
    kinds::keep_true(&live, data.kinds);
    let toasts = Toasts::new();
    provide_context(toasts);
    provide_context(Actions::new(toasts));
    let selection = Selection::new();
    provide_context(selection);
    frame::provide(toasts);

    // Deleted operations leave the selection.
    Effect::new({
        let live = live.clone();
        move |_| {
            live.track_roster();
            selection.keep(|id| !live.forgotten(id));
        }
    });
    // Effects run only in the browser, after hydration.
    Effect::new(move |started: Option<()>| {
        if started.is_none() {
            crate::live::driver::start(live.clone());
        }
    });

    // Pages are rendered with their data: the first paint shows it, with or without JavaScript.
    view! {
        <Router base=base::path()>
            <Frame>
                <FlatRoutes fallback=|| view! { <NotFound what="page"/> }>
                    <Route path=path!("/") view={Lazy::<lazy::Overview>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/operations") view={Lazy::<lazy::Operations>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/operations/:id") view={Lazy::<lazy::Operation>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/compare") view={Lazy::<lazy::Compare>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/new") view={Lazy::<lazy::New>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/hosts") view={Lazy::<lazy::Hosts>::new()} ssr=SsrMode::Async/>
                </FlatRoutes>
            </Frame>
            <Keys/>
        </Router>
        <ToastList/>
        <Confirm/>
    }
}
