//! Matrix: each route of the API, with each role and with invalid credentials, on the real server.

use crate::access::{Caller, SHARED, stored};
use crate::process::Home;
use crate::scopes::{HIDDEN, Place, VISIBLE, answer, run};
use ::access::Reach::{self, AllKinds, Scope};
use protocol::Time;
use protocol::access::Role::{self, Admin, Operator, Viewer};
use protocol::api::OperationPage;
use protocol::{OperationId, paths};
use reqwest::{Method, StatusCode};
use serde_json::Value;
use std::collections::BTreeSet;

/// Least powerful role of each route, `None` for routes that need no credential; and whether a role with a scope may
/// use it. Written apart from the routes, so that a permission can't change by mistake.
const ROWS: &[(&str, &str, Option<Role>, Reach)] = &[
    ("get", "/api/v1/access/me", Some(Viewer), Scope),
    ("get", "/api/v1/access/tokens", Some(Admin), AllKinds),
    ("post", "/api/v1/access/tokens", Some(Admin), AllKinds),
    ("delete", "/api/v1/access/tokens/{id}", Some(Admin), AllKinds),
    ("get", "/api/v1/access/users", Some(Admin), AllKinds),
    ("post", "/api/v1/access/users", Some(Admin), AllKinds),
    ("delete", "/api/v1/access/users/{name}", Some(Admin), AllKinds),
    ("post", "/api/v1/access/users/{name}", Some(Admin), AllKinds),
    ("get", "/api/v1/activity", Some(Viewer), Scope),
    ("get", "/api/v1/alerts", Some(Viewer), AllKinds),
    ("post", "/api/v1/alerts/dry-run", Some(Viewer), AllKinds),
    ("get", "/api/v1/alerts/rules", Some(Viewer), AllKinds),
    ("post", "/api/v1/alerts/rules", Some(Operator), AllKinds),
    ("put", "/api/v1/alerts/rules/{name}", Some(Operator), AllKinds),
    ("delete", "/api/v1/alerts/rules/{name}", Some(Operator), AllKinds),
    ("post", "/api/v1/alerts/silences", Some(Operator), AllKinds),
    ("delete", "/api/v1/alerts/silences/{id}", Some(Operator), AllKinds),
    ("get", "/api/v1/audit", Some(Admin), AllKinds),
    ("get", "/api/v1/audit/export", Some(Admin), AllKinds),
    ("get", "/api/v1/events", Some(Viewer), Scope),
    ("get", "/api/v1/hosts", Some(Viewer), Scope),
    ("get", "/api/v1/hosts/trends", Some(Viewer), AllKinds),
    ("post", "/api/v1/hosts/{name}/drain", Some(Admin), AllKinds),
    ("get", "/api/v1/hosts/{name}/history", Some(Viewer), AllKinds),
    ("get", "/api/v1/hosts/{name}/latency", Some(Viewer), AllKinds),
    ("get", "/api/v1/hosts/{name}/requests", Some(Viewer), AllKinds),
    ("post", "/api/v1/hosts/{name}/undrain", Some(Admin), AllKinds),
    ("get", "/api/v1/kinds", Some(Viewer), Scope),
    ("post", "/api/v1/kinds/{kind}/preview", Some(Operator), Scope),
    ("get", "/api/v1/operations", Some(Viewer), Scope),
    ("post", "/api/v1/operations", Some(Operator), Scope),
    ("post", "/api/v1/operations/cancel", Some(Operator), Scope),
    ("get", "/api/v1/operations/counts", Some(Viewer), Scope),
    ("post", "/api/v1/operations/delete", Some(Operator), Scope),
    ("get", "/api/v1/operations/{id}", Some(Viewer), Scope),
    ("delete", "/api/v1/operations/{id}", Some(Operator), Scope),
    ("post", "/api/v1/operations/{id}/abandon", Some(Operator), Scope),
    ("get", "/api/v1/operations/{id}/artifacts/{name}", Some(Viewer), Scope),
    ("get", "/api/v1/operations/{id}/baseline", Some(Viewer), Scope),
    ("post", "/api/v1/operations/{id}/cancel", Some(Operator), Scope),
    ("get", "/api/v1/operations/{id}/logs", Some(Viewer), Scope),
    ("get", "/api/v1/operations/{id}/logs/search", Some(Viewer), Scope),
    ("post", "/api/v1/operations/{id}/resume", Some(Operator), Scope),
    ("post", "/api/v1/operations/{id}/retry", Some(Operator), Scope),
    ("get", "/api/v1/operations/{id}/rule", Some(Viewer), Scope),
    ("put", "/api/v1/operations/{id}/rule", Some(Operator), Scope),
    ("delete", "/api/v1/operations/{id}/rule", Some(Operator), Scope),
    ("get", "/api/v1/operations/{id}/series", Some(Viewer), Scope),
    ("get", "/api/v1/operations/{id}/time", Some(Viewer), Scope),
    ("get", "/api/v1/snapshot", Some(Viewer), Scope),
    ("get", "/healthz", None, Scope),
    ("get", "/metrics", Some(Viewer), AllKinds),
    ("get", "/openapi.json", Some(Viewer), Scope),
    ("get", "/readyz", None, Scope),
];

/// Path of a request: nothing with these names exists, so that requests change nothing.
fn filled(path: &str) -> String {
    let names =
        [("{id}", "0199c2d4-7f3a-7c11-9e1b-2d5f8a4b6c7d"), ("{name}", "nothing"), ("{kind}", "no.kind")];
    names.into_iter().fold(path.to_owned(), |path, (name, value)| path.replace(name, value))
}

#[tokio::test]
async fn each_route_admits_exactly_the_roles_of_its_row() {
    let home = Home::new();
    let expired = stored(&home, Admin, Time::now());
    let server = home.serve(&["--token", SHARED]);
    let shared = Caller::new(&server, Some(SHARED));
    let document: Value =
        shared.request(Method::GET, "/openapi.json").send().await.unwrap().json().await.unwrap();
    let routes: BTreeSet<(&str, &str)> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, methods)| methods.as_object().unwrap().keys().map(|method| (&**path, &**method)))
        .collect();
    let rows: BTreeSet<(&str, &str)> = ROWS.iter().map(|(method, path, ..)| (*path, *method)).collect();
    assert_eq!(rows, routes, "each route has a row");

    let mut roles = Vec::new();
    for role in Role::ALL {
        let created = shared.create(role.as_str(), role).await;
        roles.push((role, Caller::new(&server, Some(&created.secret))));
    }
    roles.push((Admin, Caller::new(&server, Some(SHARED))));
    let revoked = shared.create("revoked", Admin).await;
    assert_eq!(shared.revoke(&revoked.token).await, 204);
    let (typed, last) = revoked.secret.split_at(revoked.secret.len() - 1);
    let mistyped = format!("{typed}{}", if last == "0" { "1" } else { "0" });
    let invalid = [
        None,
        Some(""),
        Some("s3cre"),
        Some("sbx_"),
        Some(&*mistyped),
        Some(&*expired),
        Some(&*revoked.secret),
    ]
    .map(|secret| (secret, Caller::new(&server, secret)));

    for (method, path, needed, _) in ROWS {
        let method: Method = method.to_uppercase().parse().unwrap();
        let path = filled(path);
        for (secret, caller) in &invalid {
            let status = caller.status(method.clone(), &path).await;
            assert_eq!(
                status == StatusCode::UNAUTHORIZED,
                needed.is_some(),
                "{method} {path} {secret:?}: {status}"
            );
        }
        for (role, caller) in &roles {
            let status = caller.status(method.clone(), &path).await;
            let allowed = needed.is_none_or(|needed| *role >= needed);
            assert_ne!(status, StatusCode::UNAUTHORIZED, "{method} {path} {role}");
            assert_eq!(status != StatusCode::FORBIDDEN, allowed, "{method} {path} {role}: {status}");
        }
    }
    let list =
        shared.request(Method::GET, "/api/v1/access/tokens").send().await.unwrap().text().await.unwrap();
    assert_eq!(list.matches("\"id\"").count(), 4, "no request of the matrix changed a token: {list}");
}

/// Each route with each role that is limited to a kind, inside and outside of the scope.
#[tokio::test]
async fn each_route_hides_what_is_outside_of_the_scope() {
    let place = Place::new().await;
    let (hidden, visible) = (run(&place.admin, HIDDEN).await, run(&place.admin, VISIBLE).await);
    let unknown = OperationId::new();
    let before: OperationPage = place.admin.get(paths::OPERATIONS).await;
    for role in [Viewer, Operator] {
        let caller = place.limited(role, VISIBLE).await;
        for (method, path, needed, reach) in ROWS {
            let Some(needed) = needed else { continue };
            let row = format!("{method} {path} {role}");
            let method: Method = method.to_uppercase().parse().unwrap();
            let path = path.replace("{name}", "nothing").replace("{kind}", VISIBLE);
            let allowed = role >= *needed && *reach == Scope;
            if !path.contains("{id}") || !allowed {
                let status = caller.status(method, &path).await;
                assert_eq!(status != StatusCode::FORBIDDEN, allowed, "{row}: {status}");
                continue;
            }
            let outside = answer(&caller, &method, &path, hidden).await;
            assert_eq!(outside, answer(&caller, &method, &path, unknown).await, "{row}");
            assert!(
                matches!(outside.0, StatusCode::NOT_FOUND | StatusCode::BAD_REQUEST),
                "{row}: {}",
                outside.0
            );
            // Other requests would change the visible operation.
            if method == Method::GET {
                let inside = answer(&caller, &method, &path, visible).await;
                assert_ne!(inside.0, StatusCode::FORBIDDEN, "{row}");
            }
        }
    }
    let after: OperationPage = place.admin.get(paths::OPERATIONS).await;
    assert_eq!(before, after, "no request of the matrix changed an operation");
}
