//! Page of one host: its state, charts of its resources on one time axis, and the operations that ran.

pub mod alerts;
mod head;
mod heat;
mod history;
mod pane;
mod panels;
mod span;
mod timeline;

use super::hosts::Trends;
use super::not_found::NotFound;
use components::placeholders::WithSnapshot;
use components::reactive::whole;
use head::{Figures, Head, Machine, SpanChoice};
use history::Charted;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::{use_location, use_params_map};
use live::OperationStore;
use pane::Pane;
use protocol::HostName;
use span::Span;

/// Page of the host in the URL.
#[component]
pub fn HostPage() -> impl IntoView {
    let params = use_params_map();
    let name =
        Memo::new(move |_| params.with(|p| p.get_str("name").and_then(|n| n.parse::<HostName>().ok())));
    view! {
        <WithSnapshot lines=6>
            {whole(move || {
                let hosts = OperationStore::here().hosts();
                let known = Memo::new(move |_| {
                    name.get().filter(|name| hosts.with(|hosts| hosts.iter().any(|host| host.name == *name)))
                });
                match known.get() {
                    Some(name) => view! { <Known name/> }.into_any(),
                    None => view! { <NotFound what="host"/> }.into_any(),
                }
            })}
        </WithSnapshot>
    }
    .into_any()
}

#[component]
fn Known(name: HostName) -> impl IntoView {
    let (hosts, location) = (OperationStore::here().hosts(), use_location());
    let of = name.clone();
    let host = Memo::new(move |_| hosts.with(|hosts| hosts.iter().find(|host| host.name == of).cloned()));
    let span = Memo::new(move |_| {
        location.query.with(|q| Span::parse(q.get_str("range"), q.get_str("from"), q.get_str("to")))
    });
    let (charted, trends) = (Charted::new(name.clone(), span), Trends::new());
    view! {
        <Title text=format!("{name} · Signalbox")/>
        <Head name=name.clone() host/>
        <Figures name=name.clone() charted trends/>
        <div class="span-bar">
            <SpanChoice name=name.clone() span charted/>
        </div>
        {charted.trouble()}
        <Machine name=name.clone() charted/>
        <Pane name charted span/>
    }
    .into_any()
}
