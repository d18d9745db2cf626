//! A reader that resumes late gets old events from the store, but none that the feed has not published.

use protocol::Time;
use signalbox_engine::{Engine, EngineConfig, Read};
use std::sync::Arc;
use store::{Change, EventRecord, Sqlite, Store};

fn event(seq: u64) -> Change {
    let json = format!(r#"{{"seq":{seq},"at":"{}","type":"unwritable"}}"#, Time::now());
    Change::Event(EventRecord { seq, operation: None, progress: false, json: json.into() })
}

#[tokio::test]
async fn unpublished_durable_data_are_not_returned_from_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(Sqlite::open(&folder.path().join("signalbox.db")).unwrap());
    store.apply(&[event(1), event(2), event(3)]).unwrap();
    let engine = Engine::open(store.clone(), EngineConfig::default()).unwrap();
    // As between the writer's commit and its publication.
    store.apply(&[event(4)]).unwrap();

    let mut cursor = engine.follow(1, None);
    assert!(matches!(cursor.read(), Read::Older));
    let frames = engine.older_events(1).await.unwrap().unwrap();
    assert_eq!(frames.iter().map(|f| f.seq).collect::<Vec<_>>(), [2, 3]);
    cursor.moved_to(3);
    assert!(matches!(cursor.read(), Read::Nothing), "the place is one that the feed knows");
    engine.close().await;
}
