//! Alerts in a real Alertmanager: they appear with their labels, and go when they are resolved.

use crate::process::{Home, HostProcess, PATIENCE};
use crate::programs::{Program, is_installed};
use serde_json::{Value, json};

impl Program {
    /// Active alerts, once their number is right.
    async fn alerts(&self, count: usize) -> Vec<Value> {
        let found = async {
            loop {
                let alerts = self.get("/api/v2/alerts", &[]).await;
                let alerts = alerts.as_array().unwrap();
                if alerts.len() == count {
                    return alerts.clone();
                }
            }
        };
        tokio::time::timeout(PATIENCE, found).await.expect("the number of alerts never was right")
    }
}

#[tokio::test]
async fn an_alert_appears_in_a_real_alertmanager_and_goes_when_the_host_is_back() {
    if !is_installed("prometheus-alertmanager") {
        return;
    }
    let home = Home::new();
    let alertmanager = Program::alertmanager(&home).await;
    let folder = home.path().join("gpu-1");
    let host = HostProcess::start(&folder);
    let address = host.url.clone();
    let configuration = format!(
        "[[host]]\nname = 'gpu-1'\nurl = '{address}'\n[rules]\nsilence = 0.5\n\
         [alerts]\ninterval = 0.1\ngroup_wait = 0.1\n\
         [[alerts.rule]]\nname = 'host-unreachable'\nfor = 0.3\nrecover_for = 0\n\
         [[alerts.webhook]]\nname = 'alertmanager'\nurl = '{}/api/v2/alerts'\nformat = 'alertmanager'\n",
        alertmanager.url
    );
    let server = home.serve_by(home.configured(&configuration));
    server.host_up().await;
    host.kill();
    let firing = alertmanager.alerts(1).await;
    let labels = json!({
        "alertname": "host-unreachable", "severity": "critical", "service": "signalbox", "host": "gpu-1"
    });
    assert_eq!(firing[0]["labels"], labels);
    assert_eq!(firing[0]["annotations"]["summary"], "gpu-1 is unreachable.");
    assert_eq!(firing[0]["status"]["state"], "active");
    let _host = HostProcess::start_at(&folder, address.strip_prefix("http://").unwrap());
    alertmanager.alerts(0).await;
}
