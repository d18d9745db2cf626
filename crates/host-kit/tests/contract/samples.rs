//! Samples of resources: one a second, numbered, from the host's own machine.

use crate::rig::{Rig, patiently, problem};
use protocol::ProblemType;
use protocol::samples::{HostSamples, SAMPLES_VERSION};

async fn samples(rig: &Rig, query: &str) -> HostSamples {
    rig.get(&format!("/samples?{query}")).send().await.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn a_host_samples_its_machine_and_itself_once_a_second() {
    let folder = tempfile::tempdir().unwrap();
    let rig = Rig::with(|host| host.capacity(3).watch_folder("data", folder.path())).await;
    let first = patiently(async {
        loop {
            let read = samples(&rig, "").await;
            if read.ticks.len() >= 2 {
                break read;
            }
        }
    })
    .await;
    assert_eq!(first.version, SAMPLES_VERSION);
    assert!(first.ticks.is_sorted() && first.now_tick >= first.newest_tick as f64, "{first:?}");
    let newest = |metric: &str| first.metrics[metric].last().copied().flatten();
    assert_eq!((newest("host.free_slots"), newest("host.running")), (Some(3.0), Some(0.0)));
    assert!(newest("host.event_loop_delay_seconds").is_some());
    if cfg!(target_os = "linux") {
        assert!(newest("process.resident_bytes") > Some(0.0) && newest("folder.data.free_bytes") > Some(0.0));
        assert!(first.machine.is_some());
    }
    for (metric, values) in &first.metrics {
        assert_eq!(values.len(), first.ticks.len(), "{metric}");
    }
    let rest = samples(&rig, &format!("after={}&limit=1", first.ticks[0])).await;
    assert_eq!((rest.ticks.as_slice(), rest.instance), (&first.ticks[1..2], first.instance));
}

#[tokio::test]
async fn a_host_whose_work_runs_elsewhere_does_not_show_its_own_machine() {
    let rig = Rig::with(|host| host.sampling(false)).await;
    let refused = problem(rig.get("/samples").send().await.unwrap()).await;
    assert_eq!(refused.kind, ProblemType::NotFound);
}
