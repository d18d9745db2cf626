//! Client of the server for the command line: each error is a sentence that says what to do.

use super::To;
use anyhow::{anyhow, bail};
use pool::{Pool, PoolConfig, PoolError, Repeat, SseStream};
use protocol::api::{KindList, OperationPage};
use protocol::event::Reset;
use protocol::{OperationId, Problem};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::time::Duration;

/// Timeout for connecting.
const CONNECT: Duration = Duration::from_secs(10);
/// Time without even a heartbeat, which comes every 2 s, after which a stream is blocked.
const STREAM_SILENCE: Duration = Duration::from_secs(5);
/// Timeout of a poll beyond its wait.
const POLL_MARGIN: Duration = Duration::from_secs(5);

/// Events of a poll, as the server wrote them.
#[derive(Deserialize)]
pub struct Page {
    pub events: Vec<Box<RawValue>>,
    /// Position after them.
    pub next: u64,
    pub reset: Option<Reset>,
}

/// A server.
pub struct Server {
    pool: Pool,
}

impl Server {
    pub fn new(to: &To) -> anyhow::Result<Self> {
        let token = to.token.clone().filter(|token| !token.is_empty());
        let config = PoolConfig { token, connect_timeout: CONNECT, retries: 1, ..PoolConfig::default() };
        let pool = Pool::new(&to.server, config).map_err(|error| match error {
            PoolError::BadUrl { url, cause } => {
                anyhow!("invalid server URL '{url}': {cause}. Example: http://127.0.0.1:7200")
            }
            other => other.into(),
        })?;
        Ok(Self { pool })
    }

    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        self.pool.get(path).await.map_err(|error| self.sentence(error))
    }

    /// Same; `None` if it does not exist.
    pub async fn find<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<Option<T>> {
        match self.pool.get(path).await {
            Ok(found) => Ok(Some(found)),
            Err(PoolError::Status { status: 404, .. }) => Ok(None),
            Err(error) => Err(self.sentence(error)),
        }
    }

    pub async fn post<B: Serialize, T: DeserializeOwned>(&self, path: &str, body: &B) -> anyhow::Result<T> {
        let answer = self.pool.post(path, body, Repeat::Never).await;
        answer.map(|(_, answer)| answer).map_err(|error| self.sentence(error))
    }

    /// Events of one operation after a number.
    pub async fn events(&self, id: OperationId, after: u64) -> Result<SseStream, PoolError> {
        let path = format!("/api/v1/events?operation={id}");
        self.pool.stream(&path, Some(&after.to_string()), STREAM_SILENCE, STREAM_SILENCE).await
    }

    /// The same events as a document; waits for one up to `wait`.
    pub async fn poll(&self, id: OperationId, after: u64, wait: Duration) -> Result<Page, PoolError> {
        let path = format!("/api/v1/events?operation={id}&after={after}&wait={}s", wait.as_secs());
        let limit = wait + POLL_MARGIN;
        match tokio::time::timeout(limit, self.pool.get(&path)).await {
            Ok(answer) => answer,
            Err(_) => {
                let url = format!("{}/api/v1/events", self.pool.base_url());
                Err(PoolError::Timeout { url, after: limit, what: "answer" })
            }
        }
    }

    pub async fn kinds(&self) -> anyhow::Result<KindList> {
        self.get("/api/v1/kinds").await
    }

    /// URL of an operation's page.
    pub fn page(&self, id: OperationId) -> String {
        format!("{}/operations/{id}", self.pool.base_url())
    }

    /// Complete ID for a given one: complete, or a unique prefix.
    pub async fn id_of(&self, given: &str) -> anyhow::Result<OperationId> {
        if let Ok(id) = given.parse() {
            return Ok(id);
        }
        let beginning = given.trim_end_matches('…').to_lowercase();
        if beginning.len() < 4 || !beginning.chars().all(|c| c.is_ascii_hexdigit() || c == '-') {
            bail!(
                "'{given}' is not an operation ID. `signalbox list` shows IDs; the first 4 characters are enough"
            );
        }
        let path = query("/api/v1/operations", [("q", Some(beginning.as_str())), ("limit", Some("100"))]);
        let page: OperationPage = self.get(&path).await?;
        let ids = page.operations.iter().map(|operation| operation.id);
        let mut fitting = ids.filter(|id| id.to_string().starts_with(&beginning));
        match (fitting.next(), fitting.next()) {
            (Some(id), None) => Ok(id),
            (None, _) => {
                bail!("no operation ID starts with {given}. `signalbox list` shows IDs")
            }
            (Some(_), Some(_)) => {
                bail!("several operation IDs start with {given}. Give more characters")
            }
        }
    }

    /// Error as a sentence for users.
    pub fn sentence(&self, error: PoolError) -> anyhow::Error {
        let server = self.pool.base_url();
        match error {
            PoolError::Status { problem: Some(problem), .. } => refused(*problem),
            PoolError::Unreachable { .. } => anyhow!(
                "no server at {server}. Start one with `signalbox serve`, or set its address with --server URL"
            ),
            PoolError::Timeout { after, .. } => {
                anyhow!(
                    "the server at {server} did not answer within {after:?}. It may be busy or hung; check its log"
                )
            }
            PoolError::Decode { cause, .. } => anyhow!(
                "{server} does not answer like this version of Signalbox: {cause}. Check the address (--server URL); \
                 a proxy or a login page on the way may have answered instead"
            ),
            other => other.into(),
        }
    }
}

/// The server's own message, with the errors of single parameters.
fn refused(problem: serde_json::Value) -> anyhow::Error {
    match serde_json::from_value::<Problem>(problem.clone()) {
        Ok(problem) => {
            let mut said = problem.detail;
            for field in problem.fields {
                said.push_str(&format!("\n  {}: {}", field.field, field.message));
            }
            anyhow!(said)
        }
        Err(_) => anyhow!("the server rejected the request: {problem}"),
    }
}

/// Path with a query; absent values are omitted.
pub fn query<'a>(path: &str, pairs: impl IntoIterator<Item = (&'a str, Option<&'a str>)>) -> String {
    let given = pairs.into_iter().filter_map(|(name, value)| Some((name, value?)));
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(given).finish();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::{FieldError, ProblemType};

    #[test]
    fn a_refusal_is_told_in_the_servers_words_with_each_param() {
        let problem = Problem::new(ProblemType::BadParams, "Invalid parameters for data.load.")
            .with_fields(vec![FieldError::new("symbol", "Symbol is required.")]);
        let said = refused(serde_json::to_value(problem).unwrap()).to_string();
        assert_eq!(said, "Invalid parameters for data.load.\n  symbol: Symbol is required.");
    }

    #[test]
    fn any_text_is_safe_in_a_query() {
        let pairs = [("q", Some("a b&c")), ("state", None)];
        assert_eq!(query("/api/v1/operations", pairs), "/api/v1/operations?q=a+b%26c");
        assert_eq!(query("/x", [("q", None)]), "/x");
    }
}
