//! Cookies of a request.
#![no_main]

use axum::http::{HeaderMap, HeaderValue, header};

// The server is a program, so its modules are included here.
#[path = "../../server/src/config/base_path.rs"]
#[expect(dead_code, reason = "only the empty path is used")]
mod base_path;
#[path = "../../server/src/cookies.rs"]
#[expect(dead_code, reason = "only what reads cookies is fuzzed")]
mod cookies;

mod config {
    pub use crate::base_path::BasePath;
}

// Any header is read, and the cookie of a token reads back.
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    for secure in [false, true] {
        let cookies = cookies::Cookies::new(&config::BasePath::default(), secure);
        if let Ok(value) = HeaderValue::from_bytes(bytes) {
            let headers = HeaderMap::from_iter([(header::COOKIE, value)]);
            let _ = (cookies.session_of(&headers), cookies.token_of(&headers), cookies.sign_in_of(&headers));
        }
        let Ok(token) = std::str::from_utf8(bytes) else { continue };
        let set = cookies.token(token, 60);
        let pair = set.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default();
        let sent = [b"other=1; ", pair].concat();
        let sent = HeaderValue::from_bytes(&sent).expect("the value is encoded");
        let headers = HeaderMap::from_iter([(header::COOKIE, sent)]);
        assert_eq!(cookies.token_of(&headers).as_deref(), Some(bytes));
    }
});
