//! Files of checkpoints over HTTP, for the server, which transfers them between hosts.

use crate::ApiError;
use crate::checkpoint_store::{CheckpointStore, PendingFile, is_name};
use crate::parse::{HandlerResult, parse_attempt, parse_id, wrong_query};
use crate::shared::Shared;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{DefaultBodyLimit, Path, Query, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get};
use axum::{Json, Router};
use bytes::Bytes;
use futures::StreamExt;
use hex::FromHex;
use protocol::host::CheckpointFiles;
use protocol::{OperationId, ProblemType};
use serde::Deserialize;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncReadExt;

/// Longest silence within an uploaded file.
const SILENCE: Duration = Duration::from_secs(30);
/// Size of a chunk when reading a file.
const PIECE: usize = 64 * 1024;

/// Routes below `/host/v1/operations/{id}/checkpoints`.
pub(crate) fn router() -> Router<Arc<Shared>> {
    Router::new()
        .route("/host/v1/operations/{id}/checkpoints", delete(forget))
        .route("/host/v1/operations/{id}/checkpoints/{attempt}", get(list))
        // A file may be larger than any other request.
        .route(
            "/host/v1/operations/{id}/checkpoints/{attempt}/{name}",
            get(give).put(take).layer(DefaultBodyLimit::disable()),
        )
}

async fn list(
    State(shared): State<Arc<Shared>>,
    Path((id, attempt)): Path<(String, String)>,
) -> HandlerResult<Json<CheckpointFiles>> {
    let (id, attempt) = (parse_id(&id)?, parse_attempt(&attempt)?);
    // Checked before a large file is sent without success.
    let checkpoint_store = shared.checkpoint_store.clone().ok_or_else(no_checkpoint_store)?;
    let files = blocking(move || Ok(checkpoint_store.list(id, attempt))).await?;
    Ok(Json(CheckpointFiles { files }))
}

async fn give(
    State(shared): State<Arc<Shared>>,
    Path((id, attempt, name)): Path<(String, String, String)>,
) -> HandlerResult<Response> {
    let (id, attempt) = (parse_id(&id)?, parse_attempt(&attempt)?);
    let found = shared
        .checkpoint_store
        .as_ref()
        .and_then(|checkpoint_store| checkpoint_store.find(id, attempt, &name));
    let Some(path) = found else {
        let name: String = name.chars().take(120).collect();
        let why = format!(
            "This host has no file '{name}' of attempt {attempt} of operation {id}. It keeps the files of the latest \
             two checkpoints of an operation."
        );
        return Err(ApiError::new(ProblemType::NotFound, why));
    };
    let (file, length) = open(path).await.map_err(|e| disk(&e))?;
    let pieces = futures::stream::unfold(Some(file), |file| async move {
        let mut file = file?;
        let mut piece = Vec::with_capacity(PIECE);
        match (&mut file).take(PIECE as u64).read_to_end(&mut piece).await {
            Ok(0) => None,
            Ok(_) => Some((Ok(Bytes::from(piece)), Some(file))),
            // The response breaks off, so that nobody takes it for complete.
            Err(error) => Some((Err(error), None)),
        }
    });
    let headers =
        [(header::CONTENT_TYPE, "application/octet-stream".to_owned()), (header::CONTENT_LENGTH, length)];
    Ok((headers, Body::from_stream(pieces)).into_response())
}

async fn open(path: PathBuf) -> io::Result<(tokio::fs::File, String)> {
    let file = tokio::fs::File::open(path).await?;
    let length = file.metadata().await?.len();
    Ok((file, length.to_string()))
}

#[derive(Deserialize)]
struct UploadQuery {
    /// Hash that the file must have.
    sha256: String,
}

async fn take(
    State(shared): State<Arc<Shared>>,
    Path((id, attempt, name)): Path<(String, String, String)>,
    query: Result<Query<UploadQuery>, QueryRejection>,
    request: Request,
) -> HandlerResult<StatusCode> {
    let (id, attempt) = (parse_id(&id)?, parse_attempt(&attempt)?);
    let bad = |why: &str| ApiError::new(ProblemType::BadRequest, why);
    let Query(UploadQuery { sha256 }) = query.map_err(wrong_query)?;
    let wanted = <[u8; 32]>::from_hex(sha256).map(hex::encode).map_err(|_| {
        bad("The query must have the SHA-256 of the file in hexadecimal, such as ?sha256=ba78…")
    })?;
    if !is_name(&name) {
        return Err(bad(
            "A file name may have letters, digits, dots, dashes and underscores, and must not start with a dot.",
        ));
    }
    let checkpoint_store = shared.checkpoint_store.clone().ok_or_else(no_checkpoint_store)?;
    let mut part = begin(Arc::clone(&checkpoint_store), id, attempt, name).await?;
    let mut body = request.into_body().into_data_stream();
    loop {
        let piece = tokio::time::timeout(SILENCE, body.next())
            .await
            .map_err(|_| bad("No more data of the file arrived for 30 s."))?;
        let Some(piece) = piece else { break };
        let piece = piece.map_err(|e| {
            ApiError::new(ProblemType::BadRequest, format!("The upload was interrupted: {e}."))
        })?;
        part = blocking(move || {
            part.write(&piece)?;
            Ok(part)
        })
        .await?;
    }
    let finished = tokio::task::spawn_blocking(move || {
        let finished = part.finish(Some(&wanted));
        checkpoint_store.arrived();
        finished.map_err(|e| (e, wanted))
    });
    match finished.await.map_err(|_| broken())? {
        Ok(_) => Ok(StatusCode::NO_CONTENT),
        Err((e, wanted)) if e.kind() == io::ErrorKind::InvalidData => {
            let why = format!(
                "The received data is not the checkpoint file: its SHA-256 is {e}, but the request states {wanted}."
            );
            Err(ApiError::new(ProblemType::Conflict, why))
        }
        Err((e, _)) => Err(disk(&e)),
    }
}

async fn begin(
    checkpoint_store: Arc<CheckpointStore>,
    id: OperationId,
    attempt: u32,
    name: String,
) -> HandlerResult<PendingFile> {
    blocking(move || checkpoint_store.begin(id, attempt, &name)).await
}

async fn forget(State(shared): State<Arc<Shared>>, Path(id): Path<String>) -> HandlerResult<StatusCode> {
    let id = parse_id(&id)?;
    if let Some(checkpoint_store) = shared.checkpoint_store.clone() {
        // Files of a running attempt must not be replaced.
        let runs = shared.registry.find(id).is_ok_and(|attempt| !attempt.ended());
        if runs {
            let why = format!(
                "The files of operation {id} can't be deleted, because it is running here. Delete them when it has ended."
            );
            return Err(ApiError::new(ProblemType::Conflict, why));
        }
        blocking(move || {
            checkpoint_store.forget(id);
            Ok(())
        })
        .await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

fn no_checkpoint_store() -> ApiError {
    let why = "This host can't store checkpoint files, because it has no folder for them.";
    ApiError::new(ProblemType::Conflict, why)
}

/// Runs disk access on a blocking thread.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> HandlerResult<T> {
    tokio::task::spawn_blocking(work).await.map_err(|_| broken())?.map_err(|e| disk(&e))
}

fn disk(error: &io::Error) -> ApiError {
    let why =
        format!("The checkpoint folder can't be used: {error}. Check that the host's disk has free space.");
    ApiError::new(ProblemType::Unavailable, why)
}

fn broken() -> ApiError {
    ApiError::new(ProblemType::Internal, "This is a bug in the host; see its log.")
}
