//! Artifact `model`: download of a model file.

use crate::store::ModelStore;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use host_kit::ApiError;
use protocol::ProblemType;

/// Route, to be mounted below `/host/v1/artifacts`.
pub(crate) fn router(store: ModelStore) -> Router {
    Router::new().route("/models/{name}", get(model)).with_state(store)
}

async fn model(State(store): State<ModelStore>, Path(name): Path<String>) -> Result<Response, ApiError> {
    let requested = name.clone();
    let read = tokio::task::spawn_blocking(move || store.bytes(&requested)).await;
    let read =
        read.map_err(|e| ApiError::new(ProblemType::Internal, format!("Cannot read the model: {e}.")))?;
    match read {
        Ok(Some(bytes)) => Ok((
            [
                (header::CONTENT_TYPE, "application/json".to_owned()),
                (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}.json\"")),
            ],
            bytes,
        )
            .into_response()),
        Ok(None) => Err(ApiError::new(ProblemType::NotFound, "Model not found. It may have been deleted.")),
        Err(failure) => {
            Err(ApiError::new(ProblemType::Internal, format!("{} {}", failure.message, failure.hint)))
        }
    }
}
