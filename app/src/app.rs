//! Root component: shared contexts and routes.

use crate::pages::lazy;
use crate::pages::not_found::NotFound;
use app_state::Data;
use app_state::Selection;
use app_state::actions::Actions;
use app_state::kinds;
use app_state::toasts::Toasts;
use components::confirm::Confirm;
use components::frame::{self, Frame};
use components::keys::Keys;
use components::toasts::ToastList;
use leptos::prelude::*;
use leptos_meta::provide_meta_context;
use leptos_router::components::{FlatRoutes, Route, Router};
use leptos_router::{Lazy, SsrMode, path};
use live::base;
use live::{ConnectionStatus, Identity, OperationStore};

/// The dashboard.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    let store = OperationStore::default();
    provide_context(store.clone());
    let status = ConnectionStatus::default();
    provide_context(status.clone());
    let identity = Identity::new();
    provide_context(identity);
    let data = Data::load();
    provide_context(data);
    kinds::keep_current(&store, data.kinds);
    let toasts = Toasts::new();
    provide_context(toasts);
    provide_context(Actions::new(toasts));
    let selection = Selection::new();
    provide_context(selection);
    frame::provide(toasts);

    // Deleted operations leave the selection.
    Effect::new({
        let store = store.clone();
        move |_| {
            store.track_list();
            selection.keep(|id| !store.is_deleted(id));
        }
    });
    // Effects run only in the browser, after hydration.
    Effect::new(move |started: Option<()>| {
        if started.is_none() {
            live::driver::start(store.clone(), status.clone(), identity);
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
                    <Route path=path!("/alerts") view={Lazy::<lazy::Alerts>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/audit") view={Lazy::<lazy::Audit>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/hosts/:name") view={Lazy::<lazy::Host>::new()} ssr=SsrMode::Async/>
                </FlatRoutes>
            </Frame>
            <Keys/>
        </Router>
        <ToastList/>
        <Confirm/>
    }
}
