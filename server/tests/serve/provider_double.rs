//! OpenID Connect provider for tests, which can misbehave. It shares no code with the server: it signs with ring and
//! writes its tokens by hand.

use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use parking_lot::Mutex;
use protocol::Time;
use ring::hmac;
use ring::rand::SystemRandom;
use ring::rsa::KeyPair as RsaKeyPair;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::Arc;
use tokio::net::TcpListener;

pub const CLIENT: &str = "signalbox";
/// It has characters that must be encoded in a header.
pub const CLIENT_SECRET: &str = "s3cret: 100 %";
/// Made for these tests; it protects nothing.
const RSA: &[u8] = include_bytes!("rsa_of_provider.pk8");

/// Running provider.
pub struct ProviderDouble {
    pub url: String,
    pub behaviour: Arc<Mutex<Behaviour>>,
}

/// What the provider does; changed between requests.
pub struct Behaviour {
    /// Claims that replace the correct ones in the next ID tokens.
    pub claims: Map<String, Value>,
    pub signature: Signature,
    /// Difference of its clock, in seconds.
    pub clock: i64,
    /// Validity of ID tokens in seconds.
    pub valid: i64,
    /// Error instead of a code.
    pub error: Option<&'static str>,
    /// Responds with 503.
    pub away: bool,
    /// Key that signs, and its ID.
    pub key: Key,
    pub key_id: &'static str,
    /// Keys that are published: their ID and the key.
    published: Vec<Value>,
    pub key_requests: u32,
    pub token_requests: u32,
    codes: HashMap<String, HashMap<String, String>>,
    issuer: String,
}

pub enum Key {
    Ec(EcdsaKeyPair),
    Rsa(RsaKeyPair),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Signature {
    Right,
    /// Of another message.
    Wrong,
    /// `alg` is `none`.
    Missing,
    /// `alg` is `HS256`, with the client's secret, which many programs know.
    Shared,
}

impl Key {
    pub fn ec() -> Self {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        Self::Ec(EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random).unwrap())
    }

    pub fn rsa() -> Self {
        Self::Rsa(RsaKeyPair::from_pkcs8(RSA).unwrap())
    }

    fn algorithm(&self) -> &'static str {
        match self {
            Self::Ec(_) => "ES256",
            Self::Rsa(_) => "RS256",
        }
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Ec(key) => key.sign(&random, message).unwrap().as_ref().to_vec(),
            Self::Rsa(key) => {
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).unwrap();
                signature
            }
        }
    }

    fn published(&self, id: &str) -> Value {
        match self {
            Self::Ec(key) => {
                let point = key.public_key().as_ref();
                let (x, y) = point[1..].split_at(32);
                json!({"kty": "EC", "crv": "P-256", "use": "sig", "kid": id, "x": encoded(x), "y": encoded(y)})
            }
            Self::Rsa(key) => {
                let public = ring::rsa::PublicKeyComponents::<Vec<u8>>::from(key.public());
                // Some providers publish a zero in front.
                let n = [&[0][..], &public.n].concat();
                json!({"kty": "RSA", "use": "sig", "alg": "RS256", "kid": id, "n": encoded(&n),
                    "e": encoded(&public.e)})
            }
        }
    }
}

fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

impl ProviderDouble {
    /// Starts a provider, at which `ada` of the group `ops` is signed in.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/realm", listener.local_addr().unwrap());
        let key = Key::ec();
        let claims = json!({"sub": "0001", "preferred_username": "ada", "groups": ["ops", "other"]});
        let behaviour = Behaviour {
            claims: claims.as_object().unwrap().clone(),
            signature: Signature::Right,
            clock: 0,
            valid: 300,
            error: None,
            away: false,
            published: vec![key.published("first"), json!({"kty": "unknown"})],
            key,
            key_id: "first",
            key_requests: 0,
            token_requests: 0,
            codes: HashMap::new(),
            issuer: url.clone(),
        };
        let behaviour = Arc::new(Mutex::new(behaviour));
        let router = Router::new()
            .route("/realm/.well-known/openid-configuration", get(discovery))
            .route("/realm/authorize", get(authorize))
            .route("/realm/token", post(token))
            .route("/realm/keys", get(keys))
            .with_state(behaviour.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, behaviour }
    }

    /// Configuration of a server with this provider.
    pub fn configuration(&self, folder: &std::path::Path) -> String {
        let secret = folder.join("client-secret");
        std::fs::write(&secret, format!("{CLIENT_SECRET}\n")).unwrap();
        format!(
            "[oidc]\nissuer = '{}'\nname = 'Example ID'\nclient_id = '{CLIENT}'\nclient_secret_file = '{}'\n\
             [[oidc.role]]\ngroup = 'ops'\nrole = 'operator'\nkinds = ['data.*', 'exec.fit']\n\
             [[oidc.role]]\ngroup = 'readers'\nrole = 'viewer'\n\
             [[oidc.role]]\ngroup = 'heads'\nrole = 'admin'\n",
            self.url,
            secret.display()
        )
    }

    /// Changes what it does.
    pub fn with<T>(&self, change: impl FnOnce(&mut Behaviour) -> T) -> T {
        change(&mut self.behaviour.lock())
    }
}

impl Behaviour {
    /// Signs with another key from now on, which is published or not.
    pub fn rotate(&mut self, key: Key, id: &'static str, published: bool) {
        if published {
            self.published = vec![key.published(id)];
        }
        (self.key, self.key_id) = (key, id);
    }

    fn id_token(&self, nonce: &str) -> String {
        let now = Time::now().micros() / 1_000_000 + self.clock;
        let mut claims = json!({"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + self.valid,
            "nonce": nonce});
        for (name, value) in &self.claims {
            claims[name] = value.clone();
        }
        let algorithm = match self.signature {
            Signature::Missing => "none",
            Signature::Shared => "HS256",
            Signature::Right | Signature::Wrong => self.key.algorithm(),
        };
        let header = json!({"alg": algorithm, "typ": "JWT", "kid": self.key_id});
        let message =
            format!("{}.{}", encoded(header.to_string().as_bytes()), encoded(claims.to_string().as_bytes()));
        let signature = match self.signature {
            Signature::Right => self.key.sign(message.as_bytes()),
            Signature::Wrong => self.key.sign(b"another message"),
            Signature::Missing => Vec::new(),
            Signature::Shared => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, CLIENT_SECRET.as_bytes());
                hmac::sign(&key, message.as_bytes()).as_ref().to_vec()
            }
        };
        format!("{message}.{}", encoded(&signature))
    }
}

type Shared = State<Arc<Mutex<Behaviour>>>;

async fn discovery(State(behaviour): Shared) -> Response {
    let behaviour = behaviour.lock();
    if behaviour.away {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let at = &behaviour.issuer;
    let document = json!({
        "issuer": at,
        "authorization_endpoint": format!("{at}/authorize"),
        "token_endpoint": format!("{at}/token"),
        "jwks_uri": format!("{at}/keys"),
        "end_session_endpoint": format!("{at}/sign-out"),
        "authorization_response_iss_parameter_supported": true,
    });
    Json(document).into_response()
}

/// The person is signed in at the provider, and allows everything.
async fn authorize(State(behaviour): Shared, Query(query): Query<HashMap<String, String>>) -> Response {
    let mut behaviour = behaviour.lock();
    assert_eq!((query["response_type"].as_str(), query["client_id"].as_str()), ("code", CLIENT));
    assert_eq!(query["code_challenge_method"], "S256");
    assert!(query["scope"].split(' ').any(|scope| scope == "openid"));
    let mut back = url::Url::parse(&query["redirect_uri"]).unwrap();
    back.query_pairs_mut().append_pair("state", &query["state"]).append_pair("iss", &behaviour.issuer);
    if let Some(error) = behaviour.error {
        back.query_pairs_mut().append_pair("error", error).append_pair("error_description", "<b>no</b>");
    } else {
        let code = format!("code {}", behaviour.codes.len());
        back.query_pairs_mut().append_pair("code", &code);
        behaviour.codes.insert(code, query);
    }
    Redirect::to(back.as_str()).into_response()
}

async fn token(
    State(behaviour): Shared,
    headers: HeaderMap,
    Form(form): Form<HashMap<String, String>>,
) -> Response {
    let mut behaviour = behaviour.lock();
    behaviour.token_requests += 1;
    let failed = |error: &str| (StatusCode::BAD_REQUEST, Json(json!({ "error": error }))).into_response();
    // The secret is encoded as in a form.
    let basic = STANDARD.encode(format!("{CLIENT}:s3cret%3A+100+%25"));
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if given != Some(&*format!("Basic {basic}")) {
        return failed("invalid_client");
    }
    assert_eq!(form["grant_type"], "authorization_code");
    // A code can be used once: the entry stays, so that codes have different names.
    let Some(query) = behaviour.codes.get_mut(&form["code"]).map(std::mem::take) else {
        return failed("invalid_grant");
    };
    let challenge = encoded(&Sha256::digest(form["code_verifier"].as_bytes()));
    let is_right = query.get("code_challenge") == Some(&challenge)
        && query.get("redirect_uri") == form.get("redirect_uri");
    if !is_right {
        return failed("invalid_grant");
    }
    let id_token = behaviour.id_token(&query["nonce"]);
    Json(json!({"token_type": "Bearer", "access_token": "unused", "id_token": id_token})).into_response()
}

async fn keys(State(behaviour): Shared) -> Response {
    let mut behaviour = behaviour.lock();
    behaviour.key_requests += 1;
    Json(json!({ "keys": behaviour.published })).into_response()
}
