//! A queue from many threads to one worker thread, which takes all waiting jobs together.

use super::sync::{Arc, Builder, Condvar, JoinHandle, Mutex, MutexGuard, PoisonError};
use std::collections::VecDeque;
use std::time::Duration;

/// Maximum number of jobs that are done together.
pub const GROUP: usize = 256;

/// How long the thread waits.
#[derive(Debug, Clone, Copy)]
pub struct Waits {
    /// Maximum time that a job without a waiter is delayed for one with a waiter.
    pub linger: Duration,
    /// Time without a job after which the thread rests, once until the next one.
    pub patience: Duration,
}

/// Does jobs, on a thread of its own.
pub trait Work<J>: Send + 'static {
    /// Does some jobs, at least one, in the order in which they came.
    fn group(&mut self, jobs: Vec<J>);

    /// No job came for as long as [`Waits::patience`].
    fn rest(&mut self);

    /// There will be no more.
    fn end(&mut self);
}

/// Hands jobs to a thread. Clones share it.
#[derive(Debug)]
pub struct Queue<J> {
    waiting: Arc<Waiting<J>>,
    thread: Arc<Owned<J>>,
}

// Derived, it would ask for jobs that can be cloned.
impl<J> Clone for Queue<J> {
    fn clone(&self) -> Self {
        Self { waiting: Arc::clone(&self.waiting), thread: Arc::clone(&self.thread) }
    }
}

/// The jobs that wait, and whether more are taken.
#[derive(Debug)]
struct Waiting<J> {
    state: Mutex<Shared<J>>,
    changed: Condvar,
}

#[derive(Debug)]
struct Shared<J> {
    /// Each with whether somebody waits for it.
    jobs: VecDeque<(bool, J)>,
    /// For how many of them somebody waits.
    awaited: usize,
    closed: bool,
    sleep: Sleep,
}

impl<J> Shared<J> {
    /// What there is need not wait for more.
    fn is_worth(&self) -> bool {
        self.awaited > 0 || self.jobs.len() >= GROUP
    }
}

impl<J> Default for Shared<J> {
    fn default() -> Self {
        Self { jobs: VecDeque::new(), awaited: 0, closed: false, sleep: Sleep::Not }
    }
}

/// What wakes the thread. To wake one that is awake takes a system call for nothing.
#[derive(Debug, PartialEq, Eq)]
enum Sleep {
    /// It is awake, or wakes by itself.
    Not,
    UntilAny,
    /// A job that somebody waits for, or as many as are done together.
    UntilWorth,
}

impl<J> Waiting<J> {
    fn lock(&self) -> MutexGuard<'_, Shared<J>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn send(&self, job: J, awaited: bool) -> Result<(), Ended> {
        let mut state = self.lock();
        if state.closed {
            return Err(Ended);
        }
        state.jobs.push_back((awaited, job));
        state.awaited += usize::from(awaited);
        let wakes = match state.sleep {
            Sleep::Not => false,
            Sleep::UntilAny => true,
            Sleep::UntilWorth => state.is_worth(),
        };
        if wakes {
            state.sleep = Sleep::Not;
        }
        drop(state);
        if wakes {
            self.changed.notify_one();
        }
        Ok(())
    }

    /// Takes no more jobs.
    fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_one();
    }

    /// Sleeps for so long at most; returns whether the whole time passed.
    fn sleep<'a>(
        &self,
        mut state: MutexGuard<'a, Shared<J>>,
        until: Sleep,
        most: Duration,
    ) -> (MutexGuard<'a, Shared<J>>, bool) {
        state.sleep = until;
        let (mut state, waited) =
            self.changed.wait_timeout(state, most).unwrap_or_else(PoisonError::into_inner);
        state.sleep = Sleep::Not;
        (state, waited.timed_out())
    }

    /// What is to be done next.
    fn next(&self, rested: bool, waits: Waits) -> Next<J> {
        let mut state = self.lock();
        while !state.is_worth() && !state.closed {
            let slept = if !state.jobs.is_empty() {
                self.sleep(state, Sleep::UntilWorth, waits.linger)
            } else if rested {
                state.sleep = Sleep::UntilAny;
                (self.changed.wait(state).unwrap_or_else(PoisonError::into_inner), false)
            } else {
                self.sleep(state, Sleep::UntilAny, waits.patience)
            };
            state = slept.0;
            if slept.1 {
                if state.jobs.is_empty() {
                    return Next::Rest;
                }
                break;
            }
        }
        if state.jobs.is_empty() {
            return Next::End;
        }
        let count = state.jobs.len().min(GROUP);
        let jobs: Vec<_> = state.jobs.drain(..count).collect();
        state.awaited -= jobs.iter().filter(|(awaited, _)| *awaited).count();
        Next::Jobs(jobs.into_iter().map(|(_, job)| job).collect())
    }
}

enum Next<J> {
    Jobs(Vec<J>),
    Rest,
    End,
}

/// The thread. It ends when nobody is left who could hand it a job.
#[derive(Debug)]
struct Owned<J> {
    waiting: Arc<Waiting<J>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl<J> Owned<J> {
    /// Takes no more jobs, and waits for the thread's end.
    fn close(&self) {
        self.waiting.close();
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(thread) = thread.take() {
            let _ = thread.join();
        }
    }
}

impl<J> Drop for Owned<J> {
    /// Whoever forgets to close loses nothing: the process may end right behind it.
    fn drop(&mut self) {
        self.close();
    }
}

/// No job is taken any more: this one is not done.
#[derive(Debug)]
pub struct Ended;

impl<J: Send + 'static> Queue<J> {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(name: &str, waits: Waits, mut work: impl Work<J>) -> std::io::Result<Self> {
        let waiting = Arc::new(Waiting { state: Mutex::new(Shared::default()), changed: Condvar::new() });
        let theirs = Arc::clone(&waiting);
        let thread = Builder::new().name(name.to_owned()).spawn(move || {
            // Whatever ends it, also a panic: nobody must wait for what is never done.
            let _last = Last(&theirs);
            let mut rested = true;
            loop {
                let next = theirs.next(rested, waits);
                rested = matches!(next, Next::Rest);
                match next {
                    Next::Jobs(jobs) => work.group(jobs),
                    Next::Rest => work.rest(),
                    Next::End => break work.end(),
                }
            }
        })?;
        let thread = Arc::new(Owned { waiting: Arc::clone(&waiting), thread: Mutex::new(Some(thread)) });
        Ok(Self { waiting, thread })
    }

    /// Hands in a job that somebody waits for; does not wait itself until it is done. What was taken is done.
    ///
    /// # Errors
    /// When no job is taken any more.
    pub fn send(&self, job: J) -> Result<(), Ended> {
        self.waiting.send(job, true)
    }

    /// Hands in a job that nobody waits for: it is done with the next one that somebody waits for, or without one
    /// after [`Waits::linger`]. What was taken is done.
    ///
    /// # Errors
    /// When no job is taken any more.
    pub fn send_along(&self, job: J) -> Result<(), Ended> {
        self.waiting.send(job, false)
    }

    /// Takes no more jobs, and waits until those that were taken are done and the thread has ended.
    /// Whoever calls it, and however often.
    pub fn close(&self) {
        self.thread.close();
    }
}

/// When the thread ends, no job is left behind that somebody waits for.
struct Last<'a, J>(&'a Waiting<J>);

impl<J> Drop for Last<'_, J> {
    fn drop(&mut self) {
        self.0.close();
        let left = std::mem::take(&mut self.0.lock().jobs);
        drop(left);
    }
}
