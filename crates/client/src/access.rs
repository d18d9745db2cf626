//! Requests about access: tokens for programs.

use crate::{Client, ClientError};
use protocol::access::{AccessTokenList, CreatedAccessToken, NewAccessToken};
use protocol::paths;

impl Client {
    /// Tokens for programs, oldest first.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn access_tokens(&self) -> Result<AccessTokenList, ClientError> {
        self.get(paths::ACCESS_TOKENS).await
    }

    /// Creates a token for a program.
    ///
    /// # Errors
    /// [`ClientError`]; after [`ClientError::outcome_unknown`], it may have been created.
    pub async fn create_access_token(&self, new: &NewAccessToken) -> Result<CreatedAccessToken, ClientError> {
        self.post(paths::ACCESS_TOKENS, new, false).await
    }

    /// Revokes a token.
    ///
    /// # Errors
    /// [`ClientError`], also if it does not exist.
    pub async fn revoke_access_token(&self, id: &str) -> Result<(), ClientError> {
        self.delete(&paths::access_token(id)).await
    }
}
