//! Who is logged in. A session is a random name in a cookie; what it stands for is kept here, in memory, and ends with
//! the process. It carries no right of its own: the token it was opened with is looked at on every request.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chopmark_domain::access::{Grant, TokenHash};
use chrono::{DateTime, TimeDelta, Utc};
use rand::RngCore;

/// The longest a session lasts.
const LIFETIME: TimeDelta = TimeDelta::hours(12);
/// The longest a session lasts while nobody uses it.
const IDLE: TimeDelta = TimeDelta::hours(1);
/// Sessions that are kept; above that, the one not used for longest ends.
const SESSIONS_MAX: usize = 1_000;
/// Sessions of one token: whoever holds it cannot end those of others by opening more.
const SESSIONS_PER_TOKEN: usize = 20;

/// A secret of 256 random bits, as text.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Secret(String);

impl Secret {
    fn new() -> Self {
        let mut bytes = [0_u8; 32];
        rand::rng().fill_bytes(&mut bytes);
        Self(hex::encode(bytes))
    }

    /// The secret itself.
    pub(super) fn expose(&self) -> &str {
        &self.0
    }

    /// Whether a text is this secret. Digests are compared, whose first difference tells a guesser nothing.
    pub(super) fn is(&self, presented: &str) -> bool {
        TokenHash::of(&self.0) == TokenHash::of(presented)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(_)")
    }
}

/// What a cookie stands for.
#[derive(Debug, Clone)]
pub(super) struct Session {
    /// The name of the token that it was opened with.
    pub(super) token: String,
    /// The digest of that token.
    pub(super) hash: TokenHash,
    /// What every form of this session carries.
    pub(super) form_secret: Secret,
    began: DateTime<Utc>,
    used: DateTime<Utc>,
}

impl Session {
    fn is_over(&self, now: DateTime<Utc>) -> bool {
        now - self.began >= LIFETIME || now - self.used >= IDLE
    }
}

/// All sessions of this process.
#[derive(Debug, Default)]
pub(crate) struct Sessions(Mutex<HashMap<TokenHash, Session>>);

impl Sessions {
    /// Opens a session and gives the name for its cookie.
    pub(super) fn open(&self, grant: &Grant, now: DateTime<Utc>) -> Secret {
        let name = Secret::new();
        let session =
            Session { token: grant.id.clone(), hash: grant.hash, form_secret: Secret::new(), began: now, used: now };
        let mut all = self.all();
        all.retain(|_, session| !session.is_over(now));
        make_room(&mut all, SESSIONS_PER_TOKEN, |session| session.hash == grant.hash);
        make_room(&mut all, SESSIONS_MAX, |_| true);
        all.insert(TokenHash::of(name.expose()), session);
        name
    }

    /// The session that a cookie names, used now; `None` where there is none or it is over.
    pub(super) fn used(&self, name: &str, now: DateTime<Utc>) -> Option<Session> {
        let key = TokenHash::of(name);
        let mut all = self.all();
        if all.get(&key)?.is_over(now) {
            all.remove(&key);
            return None;
        }
        let session = all.get_mut(&key)?;
        session.used = now;
        Some(session.clone())
    }

    /// Ends a session.
    pub(super) fn end(&self, name: &str) {
        self.all().remove(&TokenHash::of(name));
    }

    fn all(&self) -> MutexGuard<'_, HashMap<TokenHash, Session>> {
        // A session is put in or taken out whole: nobody leaves the map half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends the sessions not used for longest until one more than these fits.
fn make_room(all: &mut HashMap<TokenHash, Session>, max: usize, is_meant: impl Fn(&Session) -> bool) {
    let mut meant: Vec<_> = all.iter().filter(|(_, session)| is_meant(session)).collect();
    meant.sort_by_key(|(_, session)| session.used);
    let too_many = (meant.len() + 1).saturating_sub(max);
    let ending: Vec<_> = meant.into_iter().take(too_many).map(|(key, _)| *key).collect();
    for key in ending {
        all.remove(&key);
    }
}

#[cfg(test)]
mod tests {
    use chopmark_domain::access::Role;

    use super::*;

    fn grant(id: &str) -> Grant {
        Grant { id: id.into(), hash: TokenHash::of(id), role: Role::Admin, sellers: vec![], expires_at: None }
    }

    fn noon() -> DateTime<Utc> {
        "2026-11-24T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_session_ends_an_hour_after_its_last_use_and_twelve_after_it_began() {
        let sessions = Sessions::default();
        let (idle, busy) = (sessions.open(&grant("a"), noon()), sessions.open(&grant("a"), noon()));
        for minutes in (30..12 * 60).step_by(30) {
            assert!(sessions.used(busy.expose(), noon() + TimeDelta::minutes(minutes)).is_some(), "{minutes}");
        }
        assert!(sessions.used(idle.expose(), noon() + IDLE).is_none());
        assert!(sessions.used(idle.expose(), noon()).is_none(), "over is over");
        assert!(sessions.used(busy.expose(), noon() + LIFETIME).is_none());
    }

    #[test]
    fn a_session_that_was_ended_is_nobody_s() {
        let sessions = Sessions::default();
        let (one, other) = (sessions.open(&grant("a"), noon()), sessions.open(&grant("a"), noon()));
        sessions.end(one.expose());
        assert!(sessions.used(one.expose(), noon()).is_none());
        assert!(sessions.used(other.expose(), noon()).is_some());
        assert!(sessions.used("", noon()).is_none());
    }

    #[test]
    fn one_token_s_sessions_end_no_other_token_s() {
        let sessions = Sessions::default();
        let other = sessions.open(&grant("other"), noon());
        let first = sessions.open(&grant("a"), noon() + TimeDelta::seconds(1));
        for second in 0..SESSIONS_PER_TOKEN {
            sessions.open(&grant("a"), noon() + TimeDelta::seconds(2 + i64::try_from(second).unwrap()));
        }
        assert!(sessions.used(first.expose(), noon()).is_none(), "the oldest of the same token made room");
        assert!(sessions.used(other.expose(), noon()).is_some());
        assert_eq!(sessions.all().len(), SESSIONS_PER_TOKEN + 1);
    }

    #[test]
    fn memory_is_bounded_whoever_logs_in() {
        let sessions = Sessions::default();
        for n in 0..SESSIONS_MAX + 10 {
            sessions.open(&grant(&n.to_string()), noon());
        }
        assert_eq!(sessions.all().len(), SESSIONS_MAX);
    }

    #[test]
    fn a_secret_is_itself_and_tells_nothing_when_printed() {
        let secret = Secret::new();
        assert!(secret.is(secret.expose()) && !secret.is("") && !secret.is(&secret.expose()[1..]));
        assert_ne!(secret, Secret::new());
        assert!(!format!("{secret:?}").contains(secret.expose()));
    }
}
