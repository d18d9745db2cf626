//! Users: how administrators change them, how local users sign in, and choose passwords; sessions.

use super::{Access, AccessError, granted};
use access::{
    Denied, RANDOM_BYTES, SALT_BYTES, SESSION_MICROS, Secret, SecretHash, check_change, check_new_user,
    check_password, check_user_removal, hash_password, verify_password,
};
use parking_lot::Mutex;
use protocol::access::{ChangeUser, NewUser, Session, User};
use protocol::{Action, Actor, AuditEntry, Time};
use std::collections::HashMap;
use store::{StoredSession, StoredUser};
use thiserror::Error;
use tokio::sync::Semaphore;

/// Passwords hashed at once: each needs 19 MiB and a core for tens of milliseconds.
const PARALLEL_HASHES: usize = 2;
/// Sign-ins that wait for this; further ones are rejected, so that nobody waits for long.
const MAX_WAITING_SIGN_INS: usize = 100;
/// Seconds after which a rejected sign-in may be tried again.
const SIGN_IN_RETRY_SECONDS: u32 = 2;
/// Time to choose a password at the first sign-in, in microseconds: 10 minutes.
const TICKET_MICROS: i64 = 600 * 1_000_000;

/// What sign-ins need besides the credentials.
pub(super) struct SignIns {
    attempts: Mutex<access::Attempts>,
    hashing: Semaphore,
    /// Sign-ins that hash or wait.
    waiting: Semaphore,
    /// Users who have given their password and have to choose another one.
    tickets: Mutex<HashMap<SecretHash, (String, Time)>>,
    /// Hash that no password has: an unknown name takes as long as a wrong password.
    nobody: String,
}

impl SignIns {
    pub(super) fn new() -> Result<Self, AccessError> {
        let password = Secret::new(random::<RANDOM_BYTES>()?);
        let nobody =
            hash_password(password.as_str(), random::<SALT_BYTES>()?).map_err(|_| AccessError::Hash)?;
        Ok(Self {
            attempts: Mutex::default(),
            hashing: Semaphore::new(PARALLEL_HASHES),
            waiting: Semaphore::new(MAX_WAITING_SIGN_INS),
            tickets: Mutex::default(),
            nobody,
        })
    }
}

/// Result of a correct password.
pub enum SignedIn {
    /// Secret of the new session.
    Session(Secret),
    /// The user has to choose a password first, with this ticket.
    MustChange(Secret),
}

/// Why a user can't sign in.
#[derive(Debug, Error)]
pub enum SignInError {
    #[error("Wrong user name or password.")]
    Wrong,
    #[error("Too many failed attempts. Try again in {} s.", .0.ceil())]
    Pause(f64),
    #[error("Too many sign-ins at the moment. Try again in {0} s.")]
    TooMany(u32),
    #[error("The password was not changed in time. Sign in again.")]
    TicketExpired,
    #[error("{0}")]
    Password(String),
    #[error("Sign-in failed: {0}. Try again. If this continues, contact an administrator.")]
    Failed(#[from] AccessError),
}

impl SignInError {
    /// Seconds after which to try again, if that helps.
    pub fn retry_after(&self) -> Option<u32> {
        match self {
            Self::Pause(seconds) => Some(seconds.ceil().max(1.0) as u32),
            Self::TooMany(seconds) => Some(*seconds),
            Self::Wrong | Self::TicketExpired | Self::Password(_) | Self::Failed(_) => None,
        }
    }
}

impl Access {
    /// Users, by name.
    pub fn users(&self) -> Vec<User> {
        self.0.registry.read().sessions.users()
    }

    /// Adds a user, who has to choose another password at the first sign-in.
    ///
    /// # Errors
    /// [`AccessError`]; then there is no new user.
    pub async fn add_user(&self, new: NewUser, by: Actor) -> Result<User, AccessError> {
        let _changing = self.0.changing.lock().await;
        let now = Time::now();
        self.with_standing(now, |standing| check_new_user(standing, &new))?;
        let password = self.hashed(new.password).await?;
        let user = User {
            name: new.name,
            role: new.role,
            kinds: new.kinds,
            created_at: now,
            must_change_password: true,
            last_sign_in_at: None,
            provider: None,
        };
        let detail = format!("{}, {}", user.name, granted(user.role, user.kinds.as_ref()));
        let entry = AuditEntry { detail, ..AuditEntry::new(now, Action::AddUser, by) };
        self.put(StoredUser { password, user: user.clone() }, |_| false, entry).await?;
        Ok(user)
    }

    /// Changes role or password of a user. A new password ends all sessions of the user.
    ///
    /// # Errors
    /// [`AccessError`]; then nothing is changed.
    pub async fn change_user(&self, name: &str, change: ChangeUser, by: Actor) -> Result<User, AccessError> {
        let _changing = self.0.changing.lock().await;
        let now = Time::now();
        let StoredUser { mut password, mut user } = self.user(name).ok_or(AccessError::UserNotFound)?;
        let mut changes = vec![name.to_owned()];
        self.with_standing(now, |standing| check_change(standing, name, &change))?;
        if let Some(role) = change.role {
            changes.push(granted(role, change.kinds.as_ref()));
            (user.role, user.kinds) = (role, change.kinds);
        }
        let ends = change.password.is_some();
        if let Some(new) = change.password {
            check_password(name, &new).map_err(Denied::Password)?;
            password = self.hashed(new).await?;
            user.must_change_password = true;
            changes.push("new password".to_owned());
        }
        let entry = AuditEntry { detail: changes.join(", "), ..AuditEntry::new(now, Action::ChangeUser, by) };
        self.put(StoredUser { password, user: user.clone() }, |_| ends, entry).await?;
        Ok(user)
    }

    /// Removes a user; its sessions end.
    ///
    /// # Errors
    /// [`AccessError`]; then the user stays.
    pub async fn remove_user(&self, name: &str, by: Actor) -> Result<(), AccessError> {
        let _changing = self.0.changing.lock().await;
        let now = Time::now();
        self.user(name).ok_or(AccessError::UserNotFound)?;
        self.with_standing(now, |standing| check_user_removal(standing, name))?;
        let entry = AuditEntry { detail: name.to_owned(), ..AuditEntry::new(now, Action::RemoveUser, by) };
        let removed = name.to_owned();
        self.stored(move |store| store.remove_user(&removed, &entry)).await?;
        self.0.registry.write().remove_user(name);
        Ok(())
    }

    /// Signs a user in.
    ///
    /// # Errors
    /// [`SignInError`].
    pub async fn sign_in(&self, name: &str, password: String, by: Actor) -> Result<SignedIn, SignInError> {
        let found = self.check_of(name, password, &by).await?;
        let name = found.user.name.clone();
        if found.user.must_change_password {
            let ticket = Secret::new(random()?);
            let now = Time::now();
            let mut tickets = self.0.sign_ins.tickets.lock();
            tickets.retain(|_, (_, until)| *until > now);
            tickets.insert(ticket.hash(), (name, now.plus_micros(TICKET_MICROS)));
            return Ok(SignedIn::MustChange(ticket));
        }
        Ok(SignedIn::Session(self.begin_session(&name, by).await?))
    }

    /// Sets the password that a user chose at the first sign-in, and signs the user in.
    ///
    /// # Errors
    /// [`SignInError`]; after `Password`, the ticket is still valid.
    pub async fn choose_password(
        &self,
        ticket: &[u8],
        new: String,
        by: Actor,
    ) -> Result<Secret, SignInError> {
        let hash = Secret::parse(ticket).ok_or(SignInError::TicketExpired)?.hash();
        let name = {
            let tickets = self.0.sign_ins.tickets.lock();
            let ticket = tickets.get(&hash).filter(|(_, until)| *until > Time::now());
            ticket.map(|(name, _)| name.clone()).ok_or(SignInError::TicketExpired)?
        };
        self.set_password(&name, new, None, by.clone()).await?;
        self.0.sign_ins.tickets.lock().remove(&hash);
        self.begin_session(&name, by).await
    }

    /// Changes the password of a user who is signed in; all other sessions of the user end.
    ///
    /// # Errors
    /// [`SignInError`]; then the password stays.
    pub async fn change_password(
        &self,
        name: &str,
        current: String,
        new: String,
        session: &str,
        by: Actor,
    ) -> Result<(), SignInError> {
        self.check_of(name, current, &by).await?;
        self.set_password(name, new, Some(session), by).await
    }

    /// Sessions of a user, newest first.
    pub fn sessions_of(&self, user: &str) -> Vec<Session> {
        self.0.registry.read().sessions.of(user)
    }

    /// Ends a session of a user; its streams end, too. Nothing happens if it has ended.
    ///
    /// # Errors
    /// If it can't be removed from the store; in memory, it has ended all the same.
    pub async fn end_session(&self, user: &str, id: &str) -> Result<(), AccessError> {
        let of_user = self.sessions_of(user).iter().any(|session| session.id == id);
        if !of_user {
            return Ok(());
        }
        self.0.registry.write().sessions.end(|session| session.id == id);
        let ids = [id.to_owned()];
        Ok(self.stored(move |store| store.remove_sessions(&ids)).await?)
    }

    /// Ends sessions that were idle for too long, or exist for too long.
    pub(super) async fn end_old_sessions(&self) {
        let ended = self.0.registry.read().sessions.ended(Time::now());
        if ended.is_empty() {
            return;
        }
        self.0.registry.write().sessions.end(|session| ended.contains(&session.id));
        if let Err(error) = self.stored(move |store| store.remove_sessions(&ended)).await {
            tracing::warn!(%error, "could not remove ended sessions from the database; they are removed when the server restarts");
        }
    }

    fn user(&self, name: &str) -> Option<StoredUser> {
        self.0.registry.read().sessions.user(name)
    }

    /// User with this name and password; pauses after failed attempts.
    async fn check_of(&self, name: &str, password: String, by: &Actor) -> Result<StoredUser, SignInError> {
        let waiting = self.0.sign_ins.waiting.try_acquire();
        let _waiting = waiting.map_err(|_| SignInError::TooMany(SIGN_IN_RETRY_SECONDS))?;
        let address = by.address.as_deref().unwrap_or_default();
        // People of the provider have no password: they are treated as an unknown name.
        let found = self.user(name).filter(|found| found.user.provider.is_none());
        // An unknown name may be a password that was typed into the wrong field.
        let refused = |why| {
            let name = found.as_ref().map(|found| found.user.name.clone());
            self.note_refused(Action::SignIn, Actor { name, ..by.clone() }, why);
        };
        {
            let mut attempts = self.0.sign_ins.attempts.lock();
            let now = Time::now();
            if let Some(seconds) = attempts.pause(name, address, now) {
                refused("too many failed attempts");
                return Err(SignInError::Pause(seconds));
            }
            attempts.begin(name, address, now);
        }
        let hash = found.as_ref().map_or(&self.0.sign_ins.nobody, |found| &found.password).clone();
        let matches = self.hashing(move || verify_password(&password, &hash)).await?;
        let (Some(found), true) = (&found, matches) else {
            refused(if found.is_some() { "wrong password" } else { "unknown user name" });
            tracing::warn!(address, "a sign-in failed");
            return Err(SignInError::Wrong);
        };
        let found = found.clone();
        self.0.sign_ins.attempts.lock().succeeded(name, address);
        Ok(found)
    }

    /// Sets the password that a user chose; only the given session stays.
    async fn set_password(
        &self,
        name: &str,
        new: String,
        session: Option<&str>,
        by: Actor,
    ) -> Result<(), SignInError> {
        check_password(name, &new).map_err(SignInError::Password)?;
        let _changing = self.0.changing.lock().await;
        let StoredUser { password, mut user } = self.user(name).ok_or(AccessError::UserNotFound)?;
        let (tried, old) = (new.clone(), password);
        if self.hashing(move || verify_password(&tried, &old)).await? {
            return Err(SignInError::Password(
                "The new password must differ from the current one.".to_owned(),
            ));
        }
        let password = self.hashed(new).await?;
        user.must_change_password = false;
        let by = Actor { name: Some(name.to_owned()), ..by };
        let detail = format!("{name}, chose a password");
        let entry = AuditEntry { detail, ..AuditEntry::new(Time::now(), Action::ChangeUser, by) };
        self.put(StoredUser { password, user }, |id| Some(id) != session, entry).await?;
        Ok(())
    }

    async fn begin_session(&self, name: &str, by: Actor) -> Result<Secret, SignInError> {
        let _changing = self.0.changing.lock().await;
        let user = self.user(name).ok_or(AccessError::UserNotFound)?;
        Ok(self.add_session(user, String::new(), Time::now(), by).await?)
    }

    /// Begins a session of a user, who is stored with it. `detail` is for the audit log. The caller holds the lock for
    /// changes.
    pub(super) async fn add_session(
        &self,
        mut user: StoredUser,
        detail: String,
        now: Time,
        by: Actor,
    ) -> Result<Secret, AccessError> {
        let secret = Secret::new(random()?);
        let name = user.user.name.clone();
        user.user.last_sign_in_at = Some(now);
        let session = Session {
            id: uuid::Uuid::now_v7().to_string(),
            user: name.clone(),
            created_at: now,
            last_used_at: now,
            expires_at: now.plus_micros(SESSION_MICROS),
            address: by.address.clone(),
            agent: by.agent.clone(),
        };
        let session = StoredSession { hash: secret.hash().0, session };
        let by = Actor { name: Some(name), ..by };
        let entry = AuditEntry { detail, ..AuditEntry::new(now, Action::SignIn, by) };
        let (adding, changed) = (session.clone(), user.clone());
        self.stored(move |store| store.add_session(&adding, &changed, &entry)).await?;
        let mut registry = self.0.registry.write();
        registry.put_user(user);
        registry.sessions.add(session);
        Ok(secret)
    }

    /// Stores a user and ends some of its sessions. The caller holds the lock for changes.
    async fn put(
        &self,
        user: StoredUser,
        ends: impl Fn(&str) -> bool,
        entry: AuditEntry,
    ) -> Result<(), AccessError> {
        let sessions = self.sessions_of(&user.user.name).into_iter().map(|session| session.id);
        let ended: Vec<String> = sessions.filter(|id| ends(id)).collect();
        let (changed, removed) = (user.clone(), ended.clone());
        self.stored(move |store| store.put_user(&changed, &removed, &entry)).await?;
        let mut registry = self.0.registry.write();
        registry.put_user(user);
        registry.sessions.end(|session| ended.contains(&session.id));
        Ok(())
    }

    async fn hashed(&self, password: String) -> Result<String, AccessError> {
        let salt = random()?;
        self.hashing(move || hash_password(&password, salt)).await?.map_err(|_| AccessError::Hash)
    }

    /// Runs a hash on a blocking thread; few at once.
    async fn hashing<T: Send + 'static>(
        &self,
        hash: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, AccessError> {
        let _permit = self.0.sign_ins.hashing.acquire().await.map_err(|_| AccessError::Hash)?;
        tokio::task::spawn_blocking(hash).await.map_err(|_| AccessError::Hash)
    }
}

/// Random bytes of the system.
pub(super) fn random<const N: usize>() -> Result<[u8; N], AccessError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(AccessError::Random)?;
    Ok(bytes)
}
