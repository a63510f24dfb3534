//! A standard queue: messages that are hidden while somebody works on them.

use super::civil;
use super::listener::locked;
use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

#[derive(Default)]
pub struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    messages: BTreeMap<u64, Stored>,
    last: u64,
    stopped: bool,
}

struct Stored {
    body: String,
    sent: i64,
    first_receipt: i64,
    receives: u32,
    visible: Instant,
}

/// A message as it is received.
pub struct Received {
    pub number: u64,
    pub receives: u32,
    pub body: String,
    pub sent: i64,
    pub first_receipt: i64,
}

impl Queue {
    /// Puts a message, and returns when.
    pub fn put(&self, body: String) -> Instant {
        let mut state = locked(&self.state);
        let now = Instant::now();
        state.last += 1;
        let number = state.last;
        let stored = Stored { body, sent: civil::now(), first_receipt: 0, receives: 0, visible: now };
        state.messages.insert(number, stored);
        self.changed.notify_all();
        now
    }

    /// Receives up to `most` messages, and hides them. Waits for the first one.
    pub fn receive(&self, most: usize, wait: Duration, hide: Duration) -> Vec<Received> {
        let end = Instant::now() + wait;
        let mut state = locked(&self.state);
        loop {
            let now = Instant::now();
            let received = state.take(most, now, hide);
            if !received.is_empty() || now >= end || state.stopped {
                return received;
            }
            let next = state.messages.values().map(|message| message.visible).min();
            let until = next.map_or(end, |next| next.min(end));
            let waited = self.changed.wait_timeout(state, until.saturating_duration_since(now));
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Deletes a message. One that is not there is deleted already.
    pub fn delete(&self, number: u64) {
        locked(&self.state).messages.remove(&number);
    }

    /// Hides a message for so long from now. False when there is none.
    pub fn hide(&self, number: u64, hide: Duration) -> bool {
        let mut state = locked(&self.state);
        let Some(message) = state.messages.get_mut(&number) else { return false };
        message.visible = Instant::now() + hide;
        self.changed.notify_all();
        true
    }

    /// How many messages are visible, and how many in flight.
    pub fn count(&self) -> (usize, usize) {
        let (state, now) = (locked(&self.state), Instant::now());
        let visible = state.messages.values().filter(|message| message.visible <= now).count();
        (visible, state.messages.len() - visible)
    }

    /// From now on nobody waits for messages.
    pub fn stop(&self) {
        locked(&self.state).stopped = true;
        self.changed.notify_all();
    }
}

impl State {
    fn take(&mut self, most: usize, now: Instant, hide: Duration) -> Vec<Received> {
        let visible = self.messages.iter_mut().filter(|(_, message)| message.visible <= now).take(most);
        visible.map(|(number, message)| message.receive(*number, now + hide)).collect()
    }
}

impl Stored {
    fn receive(&mut self, number: u64, visible: Instant) -> Received {
        self.visible = visible;
        self.receives += 1;
        if self.receives == 1 {
            self.first_receipt = civil::now();
        }
        let Self { body, sent, first_receipt, receives, .. } = &*self;
        Received {
            number,
            receives: *receives,
            body: body.clone(),
            sent: *sent,
            first_receipt: *first_receipt,
        }
    }
}
