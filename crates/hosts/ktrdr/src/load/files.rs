//! Bar files: one CSV per operation, written atomically and served as the artifact `bars`.

use super::table::Bar;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use host_kit::{ApiError, WorkError};
use protocol::host::{Artifact, Check};
use protocol::{OperationId, ProblemType};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

/// Folder of bar files.
#[derive(Debug)]
pub(super) struct Files {
    folder: PathBuf,
}

impl Files {
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Saves the bars of an operation. Replaces those of an earlier attempt.
    pub async fn keep(
        &self,
        id: OperationId,
        columns: &[String],
        bars: Vec<Bar>,
    ) -> Result<Artifact, WorkError> {
        let (folder, file) = (self.folder.clone(), self.file(id));
        let columns = columns.to_vec();
        let written = tokio::task::spawn_blocking(move || {
            let part = file.with_extension("part");
            std::fs::create_dir_all(&folder)?;
            std::fs::write(&part, csv(&columns, &bars))?;
            std::fs::rename(part, file)
        });
        let failed = |why: String| {
            WorkError::failed(
                format!("The bars were loaded but could not be stored in {}: {why}.", self.folder.display()),
                "Check that the folder is writable and has free space, then retry.",
            )
        };
        match written.await {
            Ok(Ok(())) => Ok(Artifact {
                name: "bars".to_owned(),
                media_type: "text/csv".to_owned(),
                path: format!("/host/v1/artifacts/ktrdr/bars/{id}"),
                description: "Bars as CSV, times in UTC".to_owned(),
            }),
            Ok(Err(e)) => Err(failed(e.to_string())),
            Err(e) => Err(failed(e.to_string())),
        }
    }

    fn file(&self, id: OperationId) -> PathBuf {
        self.folder.join(format!("{id}.csv"))
    }

    /// Checks write access.
    pub async fn check(&self) -> Check {
        let folder = self.folder.clone();
        let tried = tokio::task::spawn_blocking(move || {
            let probe = folder.join(format!(".probe-{}", std::process::id()));
            std::fs::create_dir_all(&folder)?;
            std::fs::write(&probe, b"x")?;
            std::fs::remove_file(probe)
        });
        let why = match tried.await {
            Ok(Ok(())) => None,
            Ok(Err(e)) => Some(e.to_string()),
            Err(e) => Some(e.to_string()),
        };
        Check {
            name: "bars folder".to_owned(),
            ok: why.is_none(),
            message: why.map_or_else(String::new, |why| {
                format!(
                    "Cannot write to {}: {why}. Give the server write access, or configure another folder.",
                    self.folder.display()
                )
            }),
        }
    }
}

fn csv(columns: &[String], bars: &[Bar]) -> String {
    let mut out = String::from("time");
    for name in columns {
        out.push(',');
        // Column names come from the service: characters that would break the CSV are replaced.
        out.extend(name.chars().map(|c| if c.is_control() || c == ',' || c == '"' { '_' } else { c }));
    }
    for bar in bars {
        // Writing to a string can't fail.
        let _ = write!(out, "\n{}", bar.at.timestamp());
        for figure in &bar.figures {
            out.push(',');
            if let Some(figure) = figure {
                let _ = write!(out, "{figure}");
            }
        }
    }
    out.push('\n');
    out
}

/// Route `GET /host/v1/artifacts/ktrdr/bars/{operation}`.
pub(super) fn router(files: &Arc<Files>) -> Router {
    Router::new().route("/ktrdr/bars/{id}", get(bars)).with_state(Arc::clone(files))
}

async fn bars(State(files): State<Arc<Files>>, Path(id): Path<String>) -> Result<Response, ApiError> {
    let none =
        || ApiError::new(ProblemType::NotFound, "No bars are stored for this operation. Load them again.");
    let id: OperationId = id.parse().map_err(|_| none())?;
    let text = tokio::fs::read(files.file(id)).await.map_err(|_| none())?;
    Ok(([(header::CONTENT_TYPE, "text/csv")], text).into_response())
}
