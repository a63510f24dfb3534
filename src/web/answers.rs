//! The answers that were given to requests with an `Idempotency-Key`.

use axum::body::Bytes;
use axum::http::{HeaderValue, StatusCode};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long an answer is kept.
const KEPT: Duration = Duration::from_hours(24);

/// Maximum number of answers that are kept for somebody, and of people for whom some are: with what an answer may have,
/// that bounds the memory. Whoever gives more keys loses their own oldest ones.
const MOST: usize = 200;
const PEOPLE: usize = 100;

/// The answers that were given, by who asked and the key that they gave.
#[derive(Default)]
pub(super) struct Answers(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    all: BTreeMap<Key, Kept>,
    /// The keys of each person, the oldest first.
    order: BTreeMap<String, VecDeque<(Instant, String)>>,
}

impl Inner {
    /// Forgets what is too old or too much of somebody, and the people of whom nothing is left.
    fn make_room(&mut self, who: &str) {
        for (one, keys) in &mut self.order {
            let is_too_much = |keys: &VecDeque<(Instant, String)>| one == who && keys.len() >= MOST;
            while keys.front().is_some_and(|(at, _)| at.elapsed() > KEPT) || is_too_much(keys) {
                if let Some((_, key)) = keys.pop_front() {
                    self.all.remove(&(one.clone(), key));
                }
            }
        }
        self.order.retain(|_, keys| !keys.is_empty());
    }
}

/// Who asked, and the key that they gave.
pub(super) type Key = (String, String);

/// An answer that is kept.
#[derive(Clone)]
pub(super) struct Kept {
    /// Which request it is: method, path and body.
    request: String,
    /// None while the first one is being answered.
    pub answer: Option<(StatusCode, Option<HeaderValue>, Bytes)>,
}

/// What is known of a key.
pub(super) enum Known {
    /// It was not given before.
    New,
    /// So many people gave keys that no more can be kept.
    Full,
    /// It was given with this request.
    Answered(Kept),
    /// It was given with another request.
    Other,
}

impl Answers {
    /// A request with this key begins.
    pub fn begin(&self, key: &Key, request: &str) -> Known {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inner.make_room(&key.0);
        if inner.order.len() >= PEOPLE && !inner.order.contains_key(&key.0) {
            return Known::Full;
        }
        match inner.all.get(key) {
            Some(kept) if kept.request == request => Known::Answered(kept.clone()),
            Some(_) => Known::Other,
            None => {
                inner.all.insert(key.clone(), Kept { request: request.to_owned(), answer: None });
                let keys = inner.order.entry(key.0.clone()).or_default();
                keys.push_back((Instant::now(), key.1.clone()));
                Known::New
            }
        }
    }

    /// It ends: with this answer, or with none, and then it may be sent again.
    pub fn end(&self, key: &Key, answer: Option<(StatusCode, Option<HeaderValue>, Bytes)>) {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if answer.is_none() {
            inner.all.remove(key);
            if let Some(keys) = inner.order.get_mut(&key.0) {
                keys.retain(|(_, other)| *other != key.1);
            }
        } else if let Some(kept) = inner.all.get_mut(key) {
            kept.answer = answer;
        }
    }
}
