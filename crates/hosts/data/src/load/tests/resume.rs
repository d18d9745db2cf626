//! Loads that are cancelled or fail, and those that resume them.

use super::*;

#[tokio::test]
async fn a_cancelled_load_keeps_finished_segments_and_names_them_in_its_checkpoint() {
    let bench = Bench::new();
    bench.csv("A_1h.csv", &text(0..3000));
    let mut n = 0;
    let notebook = loop {
        let notebook = Notebook::cancelling_after(n);
        let ended = bench.run(&notebook, params(json!({})), None).await;
        assert_eq!(ended, Err(WorkError::Cancelled));
        if notebook.0.checkpoints.lock().unwrap().len() == 2 {
            break notebook;
        }
        n += 1;
    };
    assert_eq!(bench.bars("files/A/1h").len(), 1100);
    let (note, state) = notebook.last_checkpoint().unwrap();
    assert_eq!(note, "2 of 5 segments, 1,100 rows");
    let resumed = Notebook::new();
    let before = fs::metadata(bench.set("files/A/1h/2020.parquet")).unwrap().modified().unwrap();
    let result = bench.run(&resumed, params(json!({})), Some(state)).await.unwrap();
    assert_eq!((result.rows, result.rows_written), (3000, 3000));
    assert_eq!(
        resumed.0.done.lock().unwrap().first(),
        Some(&1100),
        "progress begins where the checkpoint was"
    );
    assert_eq!(fs::metadata(bench.set("files/A/1h/2020.parquet")).unwrap().modified().unwrap(), before);
    assert!(resumed.log().contains("Resuming after 2 segments"), "{}", resumed.log());
}

#[tokio::test]
async fn segments_changed_since_the_checkpoint_are_loaded_again() {
    let bench = Bench::new();
    bench.csv("A_1h.csv", &text(0..1500));
    let notebook = Notebook::new();
    bench.run(&notebook, params(json!({})), None).await.unwrap();
    let (_, state) = notebook.last_checkpoint().unwrap();

    // One segment is lost, another replaced by a file of the same length.
    let folder = bench.set("files/A/1h");
    fs::remove_file(folder.join("2019.parquet")).unwrap();
    let resumed = Notebook::new();
    let result = bench.run(&resumed, params(json!({})), Some(state.clone())).await.unwrap();
    assert_eq!((result.rows, result.rows_written), (1500, 1500));
    assert!(
        resumed.log().contains("Segments changed since the previous attempt: 2019.parquet"),
        "{}",
        resumed.log()
    );

    // The source itself changed.
    bench.csv("A_1h.csv", &text(0..1500).replace(",10,", ",10.5,"));
    let resumed = Notebook::new();
    bench.run(&resumed, params(json!({})), Some(state)).await.unwrap();
    assert!(resumed.log().contains("The source changed"), "{}", resumed.log());
    assert!(bench.bars("files/A/1h").iter().all(|b| b.open == 10.5));

    // Checkpoint of another version.
    let resumed = Notebook::new();
    bench.run(&resumed, params(json!({})), Some(json!({"version": 99}))).await.unwrap();
    assert!(resumed.log().contains("This version can't read the checkpoint"));
}

#[tokio::test]
async fn a_full_disk_keeps_finished_segments_and_a_resume_continues() {
    let bench = Bench::new();
    bench.csv("A_1h.csv", &text(0..3000));
    let notebook = Notebook::new();
    let ended =
        bench.run_on(Arc::new(SmallDisk(AtomicU64::new(2))), &notebook, params(json!({})), None).await;
    let Err(WorkError::Failed(failure)) = ended else { panic!("{ended:?}") };
    assert!(failure.message.starts_with("The disk of "), "{}", failure.message);
    assert!(
        failure.message.ends_with("is full. Completed and kept: 2 of 5 segments, 1,100 rows."),
        "{}",
        failure.message
    );
    assert!(failure.hint.contains("resume"));
    assert_eq!(bench.bars("files/A/1h").len(), 1100);
    let (_, state) = notebook.last_checkpoint().unwrap();
    let result = bench.run(&Notebook::new(), params(json!({})), Some(state)).await.unwrap();
    assert_eq!(result.rows, 3000);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20))]
    /// A load that is cancelled and resumed at any points ends like an uninterrupted one.
    #[test]
    fn a_load_cancelled_and_resumed_anywhere_ends_as_an_uninterrupted_one(
        cancels in proptest::collection::vec(0u64..40, 1..6), synthetic: bool, mode in 0usize..3, stored: bool
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mode = ["full", "tail", "backfill"][mode];
            let (params, below) = if synthetic {
                (json!({"symbol": "A", "source": "synthetic", "timeframe": "30m", "mode": mode, "years": 0.6}), "synthetic/A/30m")
            } else {
                (params(json!({"mode": mode})), "files/A/1h")
            };
            let mut ends = Vec::new();
            for cancels in [&[][..], &cancels[..]] {
                let bench = Bench::new();
                if stored {
                    // Bars are already stored.
                    bench.csv("A_1h.csv", &text(900..1300));
                    let mut first = params.clone();
                    first["mode"] = json!("full");
                    first["start"] = json!("2025-08-20");
                    first["end"] = json!("2025-09-12");
                    if !synthetic {
                        first.as_object_mut().unwrap().retain(|key, _| key != "start" && key != "end");
                    }
                    bench.load(first).await;
                }
                // Rejected rows lie on both sides of segment boundaries.
                let source = text(0..3000).replace("2021-01-02T00:00:00.000000Z", "2020-12-30T00:00:00Z").replace("2020-01-01T00", "2019-12-31T00").replace("2021-12-31T12:00:00.000000Z", "2021-12-31T12:00:00.000000").replace("2021-01-01T12:00:00.000000Z,10", "2021-01-01T12:00:00.000000Z,x");
                bench.csv("A_1h.csv", &source);
                let mut resume = None;
                let mut cancels = cancels.iter().map(|checks| Notebook::cancelling_after(*checks));
                let mut result = loop {
                    let notebook = cancels.next().unwrap_or_else(Notebook::new);
                    match bench.run(&notebook, params.clone(), resume.clone()).await {
                        Err(WorkError::Cancelled) => {}
                        Ok(result) => break result,
                        Err(e) => panic!("{e}"),
                    }
                    resume = notebook.last_checkpoint().map(|(_, state)| state).or(resume);
                };
                result.folder = String::new();
                ends.push((bench.bars(below), result));
            }
            prop_assert_eq!(&ends[0].0, &ends[1].0);
            prop_assert_eq!(&ends[0].1, &ends[1].1);
            Ok(())
        })?;
    }
}
