//! Files of checkpoints: uploaded, read, listed and deleted, and verified.

use crate::rig::Rig;
use protocol::OperationId;
use protocol::host::CheckpointFiles;
use serde_json::json;

const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

async fn put(rig: &Rig, path: &str, sha256: &str, body: &'static str) -> reqwest::Response {
    let url = format!("{}/operations/{path}?sha256={sha256}", rig.base);
    rig.client.put(url).body(body).send().await.unwrap()
}

async fn list(rig: &Rig, id: OperationId) -> CheckpointFiles {
    rig.get(&format!("/operations/{id}/checkpoints/1")).send().await.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn a_file_is_uploaded_read_and_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let rig = Rig::with(|host| host.checkpoints(folder.path())).await;
    let id = OperationId::new();
    let path = format!("{id}/checkpoints/1/000002-state");
    assert_eq!(put(&rig, &path, ABC, "abd").await.status(), 409);
    assert_eq!(list(&rig, id).await.files, []);
    assert_eq!(put(&rig, &path, ABC, "abc").await.status(), 204);
    // A second time, and then something else: the first stays.
    assert_eq!(put(&rig, &path, ABC, "abc").await.status(), 204);
    assert_eq!(put(&rig, &path, ABC, "abd").await.status(), 409);
    let files = list(&rig, id).await.files;
    assert_eq!((files.len(), files[0].bytes, files[0].sha256.as_str()), (1, 3, ABC));
    let read = rig.get(&format!("/operations/{path}")).send().await.unwrap();
    assert_eq!(read.headers()["content-length"], "3");
    assert_eq!(read.text().await.unwrap(), "abc");
    assert_eq!(
        rig.get(&format!("/operations/{id}/checkpoints/2/000002-state")).send().await.unwrap().status(),
        404
    );

    let url = format!("{}/operations/{id}/checkpoints", rig.base);
    assert_eq!(rig.client.delete(url).send().await.unwrap().status(), 204);
    assert_eq!(list(&rig, id).await.files, []);
}

#[tokio::test]
async fn a_file_may_exceed_the_size_limit_of_other_requests() {
    let folder = tempfile::tempdir().unwrap();
    let rig = Rig::with(|host| host.checkpoints(folder.path())).await;
    let id = OperationId::new();
    let body = vec![7_u8; 3 << 20];
    let url = format!("{}/operations/{id}/checkpoints/1/000001-a?sha256=", rig.base);
    let wrong = rig.client.put(format!("{url}{ABC}")).body(body.clone()).send().await.unwrap();
    let reply: serde_json::Value = wrong.json().await.unwrap();
    let is =
        reply["detail"].as_str().unwrap().split("its SHA-256 is ").nth(1).unwrap().split(',').next().unwrap();
    assert_eq!(rig.client.put(format!("{url}{is}")).body(body.clone()).send().await.unwrap().status(), 204);
    let read = rig.get(&format!("/operations/{id}/checkpoints/1/000001-a")).send().await.unwrap();
    assert_eq!(read.bytes().await.unwrap(), body);
}

#[tokio::test]
async fn invalid_names_hashes_and_attempts_are_rejected() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("secret"), "x").unwrap();
    let rig = Rig::with(|host| host.checkpoints(folder.path().join("files"))).await;
    let id = OperationId::new();
    for (path, sha256) in [
        (format!("{id}/checkpoints/1/..%2F..%2Fsecret"), ABC),
        (format!("{id}/checkpoints/1/.hidden"), ABC),
        (format!("{id}/checkpoints/one/000001-a"), ABC),
        (format!("{id}/checkpoints/1/000001-a"), "abc"),
        ("7/checkpoints/1/000001-a".to_owned(), ABC),
    ] {
        assert_eq!(put(&rig, &path, sha256, "abc").await.status(), 400, "{path}");
    }
    let read =
        rig.get(&format!("/operations/{id}/checkpoints/1/..%2F..%2F..%2Fsecret")).send().await.unwrap();
    assert_eq!(read.status(), 404);
}

#[tokio::test]
async fn a_host_without_a_folder_reports_it_and_files_of_running_work_are_kept() {
    let rig = Rig::new().await;
    let id = rig.start(json!({"manner": "obey"})).await;
    let listed = rig.get(&format!("/operations/{id}/checkpoints/1")).send().await.unwrap();
    let refused = put(&rig, &format!("{id}/checkpoints/1/000001-a"), ABC, "abc").await;
    for refused in [listed, refused] {
        assert_eq!(refused.status(), 409);
        assert!(refused.text().await.unwrap().contains("no folder"));
    }

    let folder = tempfile::tempdir().unwrap();
    let rig = Rig::with(|host| host.checkpoints(folder.path())).await;
    let id = rig.start(json!({"manner": "obey"})).await;
    let url = format!("{}/operations/{id}/checkpoints", rig.base);
    assert_eq!(rig.client.delete(url).send().await.unwrap().status(), 409);
    rig.cancel(id, 1, 1_000).await;
    rig.until_ended(id).await;
}
