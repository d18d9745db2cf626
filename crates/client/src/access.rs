//! Requests about access: tokens for programs, and users.

use crate::{Client, ClientError};
use protocol::access::{
    AccessTokenList, ChangeUser, CreatedAccessToken, NewAccessToken, NewUser, User, UserList,
};
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

    /// Users, by name.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn users(&self) -> Result<UserList, ClientError> {
        self.get(paths::USERS).await
    }

    /// Adds a user.
    ///
    /// # Errors
    /// [`ClientError`]; after [`ClientError::outcome_unknown`], it may have been added.
    pub async fn add_user(&self, new: &NewUser) -> Result<User, ClientError> {
        self.post(paths::USERS, new, false).await
    }

    /// Changes the role or the password of a user.
    ///
    /// # Errors
    /// [`ClientError`]; after [`ClientError::outcome_unknown`], it may have been changed.
    pub async fn change_user(&self, name: &str, change: &ChangeUser) -> Result<User, ClientError> {
        self.post(&paths::user(&encoded(name)), change, false).await
    }

    /// Removes a user.
    ///
    /// # Errors
    /// [`ClientError`], also if it does not exist.
    pub async fn remove_user(&self, name: &str) -> Result<(), ClientError> {
        self.delete(&paths::user(&encoded(name))).await
    }
}

/// Segment of a path; it has no plus sign for a space.
fn encoded(segment: &str) -> String {
    form_urlencoded::byte_serialize(segment.as_bytes()).collect::<String>().replace('+', "%20")
}
