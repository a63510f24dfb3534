//! The answers that were given to requests with an `Idempotency-Key`.

use axum::body::Bytes;
use axum::http::{HeaderValue, StatusCode};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long an answer is kept.
const KEPT: Duration = Duration::from_hours(24);

/// Maximum number of answers that are kept.
const MOST: usize = 1000;

/// The answers that were given, by who asked and the key that they gave.
#[derive(Default)]
pub(super) struct Answers(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    all: BTreeMap<Key, Kept>,
    /// The oldest first.
    order: VecDeque<(Instant, Key)>,
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
    New,
    Answered(Kept),
    Other,
}

impl Answers {
    /// A request with this key begins.
    pub fn begin(&self, key: &Key, request: &str) -> Known {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while inner.order.front().is_some_and(|(at, _)| at.elapsed() > KEPT) || inner.order.len() >= MOST {
            if let Some((_, key)) = inner.order.pop_front() {
                inner.all.remove(&key);
            }
        }
        match inner.all.get(key) {
            Some(kept) if kept.request == request => Known::Answered(kept.clone()),
            Some(_) => Known::Other,
            None => {
                inner.all.insert(key.clone(), Kept { request: request.to_owned(), answer: None });
                inner.order.push_back((Instant::now(), key.clone()));
                Known::New
            }
        }
    }

    /// It ends: with this answer, or with none, and then it may be sent again.
    pub fn end(&self, key: &Key, answer: Option<(StatusCode, Option<HeaderValue>, Bytes)>) {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if answer.is_none() {
            inner.all.remove(key);
            inner.order.retain(|(_, other)| other != key);
        } else if let Some(kept) = inner.all.get_mut(key) {
            kept.answer = answer;
        }
    }
}
