//! Log of an operation over the API: searched, however long it is.

use crate::process::Home;
use protocol::State;
use protocol::api::LogSearch;
use serde_json::json;

#[tokio::test]
async fn a_search_covers_all_lines_of_a_log_and_reports_its_position() {
    let home = Home::new();
    std::fs::create_dir_all(home.path().join("data")).unwrap();
    let commands = "[exec.count]\ncommand = [\"seq\", \"1\", \"{to}\"]\nprogress = \"none\"\nlog_at_once = 200000\n\
        params.to = { type = \"integer\", default = 3 }\n";
    std::fs::write(home.path().join("data/exec.toml"), commands).unwrap();
    let server = home.serve(&[]);
    let mut feed = server.follow(0).await;
    let operation = server.start("exec.count", json!({"to": 120_000})).await;
    let ended = feed.until(|o| o.id == operation.id && o.state.ended()).await;
    assert_eq!(ended.state, State::Succeeded, "{:?}", ended.failure);

    let search = |query: &str| {
        let (pool, path) =
            (server.pool.clone(), format!("/api/v1/operations/{}/logs/search?{query}", operation.id));
        async move { pool.get::<LogSearch>(&path).await }
    };
    let numbers = |found: &LogSearch| found.lines.iter().map(|line| line.n).collect::<Vec<_>>();
    // The first line is further back than one request searches.
    let newest = search("q=7777").await.unwrap();
    assert_eq!(numbers(&newest)[..2], [27_777, 37_777]);
    assert!((2..=27_777).contains(&newest.searched_from), "{}", newest.searched_from);
    let older = search(&format!("q=7777&before={}", newest.searched_from)).await.unwrap();
    assert_eq!((numbers(&older), older.searched_from), (vec![7_777, 17_777], 1));
    // A search only says that there is no match after all lines were searched.
    let none = search("q=nowhere").await.unwrap();
    assert!(none.lines.is_empty() && none.searched_from > 1);
    let none = search(&format!("q=nowhere&before={}", none.searched_from)).await.unwrap();
    assert_eq!((none.lines.len(), none.searched_from), (0, 1));
    // A full response says where it stopped.
    let few = search("limit=3").await.unwrap();
    assert_eq!((numbers(&few), few.searched_from), (vec![119_998, 119_999, 120_000], 119_998));
    assert!(search("level=error").await.unwrap().lines.is_empty());
    assert!(search("colour=red").await.is_err(), "a word that is no part of the query");
}
