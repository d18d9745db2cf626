//! The pages that come by themselves when they are first opened: whoever looks at the list need not load what draws
//! curves. Overview and list are in what every visit loads: apart from each other they were larger together, as what
//! they share is most of them.

use super::compare::ComparePage;
use super::hosts::HostsPage;
use super::new::NewPage;
use super::operation::OperationPage;
use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};

/// `/operations/{id}`
pub struct Operation;

#[lazy_route]
impl LazyRoute for Operation {
    fn data() -> Self {
        Self
    }

    fn view(_page: Self) -> AnyView {
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
        view! { <HostsPage/> }.into_any()
    }
}
