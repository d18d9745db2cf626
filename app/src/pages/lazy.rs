//! Lazily loaded pages: each is a separate part of the module. Every visit loads only the frame, the live layer and
//! their dependencies.

use super::alerts::AlertsPage;
use super::audit::AuditPage;
use super::compare::ComparePage;
use super::host::HostPage;
use super::hosts::HostsPage;
use super::left;
use super::new::{self, NewPage};
use super::operation::{self, OperationPage};
use super::operations::{self, OperationsPage};
use super::overview::{self, OverviewPage};
use components::lazy_section;
use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};
use live::base;

/// Loads the part of the page at `path`, and those of its shown sections, before hydration: hydration must find them
/// loaded, or the rendered page would change.
pub async fn preload(path: &str) {
    let mut steps = base::local(path).split('/').filter(|step| !step.is_empty());
    match (steps.next(), steps.next()) {
        (None, _) => Overview::preload().await,
        (Some("operations"), None) => Operations::preload().await,
        (Some("operations"), Some(_)) => Operation::preload().await,
        (Some("compare"), _) => Compare::preload().await,
        (Some("new"), _) => New::preload().await,
        (Some("alerts"), _) => Alerts::preload().await,
        (Some("audit"), _) => Audit::preload().await,
        (Some("hosts"), None) => Hosts::preload().await,
        (Some("hosts"), Some(_)) => Host::preload().await,
        _ => return,
    }
    let others = [&overview::SECTIONS[..], &operations::SECTIONS, &new::SECTIONS].concat();
    lazy_section::preload(&[others, operation::lazy_sections()].concat()).await;
}

/// `/`
pub struct Overview;

#[lazy_route]
impl LazyRoute for Overview {
    fn data() -> Self {
        Self
    }

    fn view(_page: Self) -> AnyView {
        left::forget_readers();
        view! { <OverviewPage/> }.into_any()
    }
}

/// `/operations`
pub struct Operations;

#[lazy_route]
impl LazyRoute for Operations {
    fn data() -> Self {
        Self
    }

    fn view(_page: Self) -> AnyView {
        left::forget_readers();
        view! { <OperationsPage/> }.into_any()
    }
}

/// `/operations/{id}`
pub struct Operation;

#[lazy_route]
impl LazyRoute for Operation {
    fn data() -> Self {
        Self
    }

    fn view(_page: Self) -> AnyView {
        left::forget_readers();
        view! { <OperationPage/> }.into_any()
    }
}

/// `/compare`
pub struct Compare;

#[lazy_route]
impl LazyRoute for Compare {
    fn data() -> Self {
        Self
    }

    fn view(_page: Self) -> AnyView {
        left::forget_readers();
        view! { <ComparePage/> }.into_any()
    }
}

/// `/new`
pub struct New;

#[lazy_route]
impl LazyRoute for New {
    fn data() -> Self {
        Self
    }

    fn view(_page: Self) -> AnyView {
        left::forget_readers();
        view! { <NewPage/> }.into_any()
    }
}

/// `/hosts`
pub struct Hosts;

#[lazy_route]
impl LazyRoute for Hosts {
    fn data() -> Self {
        Self
    }

    fn view(_page: Self) -> AnyView {
        left::forget_readers();
        view! { <HostsPage/> }.into_any()
    }
}

/// `/hosts/{name}`
pub struct Host;

#[lazy_route]
impl LazyRoute for Host {
    fn data() -> Self {
        Self
    }

    fn view(_page: Self) -> AnyView {
        left::forget_readers();
        view! { <HostPage/> }.into_any()
    }
}

/// `/alerts`
pub struct Alerts;

#[lazy_route]
impl LazyRoute for Alerts {
    fn data() -> Self {
        Self
    }

    fn view(_page: Self) -> AnyView {
        left::forget_readers();
        view! { <AlertsPage/> }.into_any()
    }
}

/// `/audit`
pub struct Audit;

#[lazy_route]
impl LazyRoute for Audit {
    fn data() -> Self {
        Self
    }

    fn view(_page: Self) -> AnyView {
        view! { <AuditPage/> }.into_any()
    }
}
