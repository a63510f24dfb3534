//! The sessions of people who are logged in. They are in memory only: after a restart people log in again.

use super::oidc::Vouched;
use super::person::Person;
use super::random::random;
use crate::digest::sha256;
use crate::identity::Identity;
use jiff::{SignedDuration, Timestamp};
use openidconnect::RefreshToken;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Time after which a session that nobody used ends.
const IDLE: SignedDuration = SignedDuration::from_hours(1);

/// Interval between two questions to the provider whether it still knows somebody.
const ASK: SignedDuration = SignedDuration::from_mins(5);

/// Maximum number of sessions. The one that was not used for longest ends first.
const MOST: usize = 10_000;

/// Maximum number of sessions of one person.
const OF_ONE: usize = 20;

/// The sessions of people who are logged in, by the digest of their id.
pub(in crate::web) struct Sessions {
    all: Mutex<HashMap<String, Session>>,
    life: SignedDuration,
}

/// The session of somebody who is logged in.
struct Session {
    identity: Identity,
    groups: Vec<String>,
    form_token: String,
    id_token: String,
    refresh: Option<RefreshToken>,
    begun: Timestamp,
    used: Timestamp,
    asked: Timestamp,
}

/// Whose session it is.
pub(in crate::web) struct Member {
    pub identity: Identity,
    pub groups: Vec<String>,
    pub form_token: String,
    /// The provider is to be asked with this whether it still knows them.
    pub ask: Option<RefreshToken>,
}

impl Sessions {
    /// Sessions that end after this time, however much they are used.
    pub fn new(life: SignedDuration) -> Self {
        Self { all: Mutex::default(), life }
    }

    /// How long a session lives.
    pub fn life(&self) -> SignedDuration {
        self.life
    }

    /// Begins a session, and gives its id.
    ///
    /// # Errors
    /// When the system gives no random numbers.
    pub fn begin(&self, vouched: Vouched, now: Timestamp) -> Result<String, getrandom::Error> {
        let (id, form_token) = (random()?, random()?);
        let Vouched { person, refresh } = vouched;
        let mut all = self.locked();
        let is_theirs = |session: &Session| session.identity.is_same_as(&person.identity);
        if all.len() >= MOST {
            all.retain(|_, session| !self.is_over(session, now));
        }
        if all.values().filter(|session| is_theirs(session)).count() >= OF_ONE {
            end_oldest(&mut all, is_theirs);
        }
        if all.len() >= MOST {
            end_oldest(&mut all, |_| true);
        }
        let session = Session {
            identity: person.identity,
            groups: person.groups,
            form_token,
            id_token: person.id_token,
            refresh,
            begun: now,
            used: now,
            asked: now,
        };
        all.insert(sha256(id.as_bytes()), session);
        Ok(id)
    }

    /// Whose session it is; none when there is none with this id, or it is over.
    pub fn find(&self, id: &str, now: Timestamp) -> Option<Member> {
        let (key, mut all) = (sha256(id.as_bytes()), self.locked());
        if self.is_over(all.get(&key)?, now) {
            all.remove(&key);
            return None;
        }
        let session = all.get_mut(&key)?;
        session.used = now;
        let is_due = session.refresh.is_some() && now.duration_since(session.asked).abs() >= ASK;
        // Whoever comes meanwhile does not ask as well.
        if is_due {
            session.asked = now;
        }
        Some(Member {
            identity: session.identity.clone(),
            groups: session.groups.clone(),
            form_token: session.form_token.clone(),
            ask: session.refresh.clone().filter(|_| is_due),
        })
    }

    /// Notes what the provider says of somebody now.
    pub fn renew(&self, id: &str, person: Option<Person>, refresh: Option<RefreshToken>) {
        let mut all = self.locked();
        let Some(session) = all.get_mut(&sha256(id.as_bytes())) else { return };
        if let Some(person) = person {
            (session.identity, session.groups) = (person.identity, person.groups);
            session.id_token = person.id_token;
        }
        // A provider that gives no new one wants to see the same again.
        session.refresh = refresh.or(session.refresh.take());
    }

    /// Ends a session, and gives the ID token that it began with.
    pub fn end(&self, id: &str) -> Option<String> {
        self.locked().remove(&sha256(id.as_bytes())).map(|session| session.id_token)
    }

    /// A clock that was set back makes no session longer.
    fn is_over(&self, session: &Session, now: Timestamp) -> bool {
        let since = |then: Timestamp| now.duration_since(then).abs();
        since(session.begun) >= self.life || since(session.used) >= IDLE
    }

    fn locked(&self) -> MutexGuard<'_, HashMap<String, Session>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn end_oldest(all: &mut HashMap<String, Session>, is_one: impl Fn(&Session) -> bool) {
    let of_these = all.iter().filter(|(_, session)| is_one(session));
    if let Some(key) = of_these.min_by_key(|(_, session)| session.used).map(|(key, _)| key.clone()) {
        all.remove(&key);
    }
}

#[cfg(test)]
mod tests {

    use super::*;

    const LIFE: SignedDuration = SignedDuration::from_hours(8);

    fn person(subject: &str, groups: &[&str]) -> Person {
        let identity = Identity::Oidc {
            issuer: "https://id.example".to_owned(),
            subject: subject.to_owned(),
            name: None,
        };
        let groups = groups.iter().map(|group| (*group).to_owned()).collect();
        Person { identity, groups, id_token: "token".to_owned() }
    }

    fn vouched(subject: &str, refresh: Option<&str>) -> Vouched {
        let refresh = refresh.map(|text| RefreshToken::new(text.to_owned()));
        Vouched { person: person(subject, &[]), refresh }
    }

    fn minutes(count: i64) -> SignedDuration {
        SignedDuration::from_mins(count)
    }

    #[test]
    fn a_session_ends_when_nobody_uses_it_and_after_its_time_in_any_case() {
        let (sessions, begin) = (Sessions::new(LIFE), Timestamp::now());
        let id = sessions.begin(vouched("alice", None), begin).expect("an id");
        assert!(sessions.find("another", begin).is_none());
        let mut now = begin;
        while now.duration_since(begin) < LIFE - minutes(59) {
            now += minutes(59);
            assert!(sessions.find(&id, now).is_some(), "{now}");
        }
        assert!(sessions.find(&id, begin + LIFE).is_none());
        assert!(sessions.find(&id, now).is_none());
        let idle = sessions.begin(vouched("alice", None), begin).expect("an id");
        assert!(sessions.find(&idle, begin + minutes(60)).is_none());
        let back = sessions.begin(vouched("alice", None), begin).expect("an id");
        assert!(sessions.find(&back, begin - LIFE).is_none());
    }

    #[test]
    fn the_provider_is_asked_every_five_minutes_by_one_at_a_time() {
        let (sessions, begin) = (Sessions::new(LIFE), Timestamp::now());
        let id = sessions.begin(vouched("alice", Some("first")), begin).expect("an id");
        let ask = |minute| {
            let member = sessions.find(&id, begin + minutes(minute)).expect("a session");
            member.ask.map(RefreshToken::into_secret)
        };
        assert_eq!((ask(4), ask(5), ask(5), ask(9)), (None, Some("first".to_owned()), None, None));
        sessions.renew(
            &id,
            Some(person("alice", &["security"])),
            Some(RefreshToken::new("second".to_owned())),
        );
        assert_eq!(ask(10).as_deref(), Some("second"));
        sessions.renew(&id, None, None);
        assert_eq!(ask(15).as_deref(), Some("second"));
        let member = sessions.find(&id, begin + minutes(15)).expect("a session");
        assert_eq!(member.groups, ["security"]);
        let without = sessions.begin(vouched("alice", None), begin).expect("an id");
        assert!(sessions.find(&without, begin + minutes(30)).is_some_and(|member| member.ask.is_none()));
    }

    #[test]
    fn nobody_has_sessions_without_end() {
        let (sessions, now) = (Sessions::new(LIFE), Timestamp::now());
        let first = sessions.begin(vouched("alice", None), now).expect("an id");
        let bobs = sessions.begin(vouched("bob", None), now).expect("an id");
        let later = now + minutes(1);
        let others: Vec<String> =
            (0..OF_ONE).map(|_| sessions.begin(vouched("alice", None), later).expect("an id")).collect();
        assert!(sessions.find(&first, later).is_none() && sessions.find(&bobs, later).is_some());
        assert!(others.iter().all(|id| sessions.find(id, later).is_some()));
        let token = |id: &str| sessions.find(id, later).expect("a session").form_token;
        assert_ne!(token(&others[0]), token(&others[1]));
        assert_eq!(sessions.end(&others[0]).as_deref(), Some("token"));
        assert!(sessions.find(&others[0], later).is_none() && sessions.end(&others[0]).is_none());
    }
}
