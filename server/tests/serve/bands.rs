//! Baseline and auto-cancel rule, as programs use them.

use crate::process::{Home, http_client};
use protocol::{BandRule, Baseline, Operation, Problem, ProblemType, State};
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn a_rule_is_set_read_and_deleted_and_its_missing_band_reported() {
    let home = Home::new();
    let server = home.serve(&[]);
    let mut feed = server.follow(0).await;
    let operation = server.load("SLOW", Some(200)).await;
    feed.until(|o| o.id == operation.id && o.state == State::Running).await;
    let client = http_client();
    let at = |what: &str| format!("{}/api/v1/operations/{}/{what}", server.url, operation.id);
    let ask = |method: Method, what: &str, body: Value| {
        let request = client.request(method, at(what)).json(&body);
        async move {
            let answer = request.send().await.unwrap();
            (answer.status().as_u16(), answer.text().await.unwrap())
        }
    };
    let read = |text: &str| serde_json::from_str::<Problem>(text).unwrap();

    let baseline: Baseline = server
        .pool
        .get(&format!("/api/v1/operations/{}/baseline?name=rows_per_second", operation.id))
        .await
        .unwrap();
    assert_eq!(baseline.why, "A baseline needs 5 past successful runs; there are none.");
    assert_eq!(ask(Method::GET, "baseline", Value::Null).await.0, 400, "the curve has to be named");

    assert_eq!(ask(Method::GET, "rule", Value::Null).await.0, 404);
    let (status, text) =
        ask(Method::PUT, "rule", json!({"series": "rows_per_second", "side": "below", "points": 2})).await;
    assert_eq!((status, read(&text).fields[0].field.as_str()), (422, "points"));
    let (status, text) =
        ask(Method::PUT, "rule", json!({"series": "rows_per_second", "side": "below"})).await;
    assert_eq!(status, 200, "{text}");
    let rule = serde_json::from_str::<Operation>(&text).unwrap().rule.unwrap();
    assert_eq!((rule.points, rule.is_armed()), (10, false));
    let (_, text) = ask(Method::GET, "rule", Value::Null).await;
    assert_eq!(serde_json::from_str::<BandRule>(&text).unwrap(), rule);
    assert_eq!(ask(Method::DELETE, "rule", Value::Null).await.0, 200);
    assert_eq!(ask(Method::GET, "rule", Value::Null).await.0, 404);

    server.ask(operation.id, "cancel").await;
    feed.until(|o| o.id == operation.id && o.state.ended()).await;
    let (status, text) =
        ask(Method::PUT, "rule", json!({"series": "rows_per_second", "side": "above"})).await;
    assert_eq!((status, read(&text).kind), (409, ProblemType::Conflict));

    let body = json!({
        "kind": "data.load",
        "params": {"symbol": "NEXT", "timeframe": "1h", "source": "synthetic"},
        "rule": {"series": "rows_per_second", "side": "outside", "points": 5},
    });
    let (_, started): (u16, Operation) =
        server.pool.post("/api/v1/operations", &body, pool::Repeat::Never).await.unwrap();
    assert_eq!(started.rule.map(|rule| rule.points), Some(5));
}
