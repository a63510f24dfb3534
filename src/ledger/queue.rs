//! Where many threads meet one that works for them: jobs that wait are done together.

use super::sync::{Arc, Builder, Condvar, JoinHandle, Mutex, PoisonError};
use std::collections::VecDeque;
use std::time::Duration;

/// How many jobs are done together at most.
pub const GROUP: usize = 256;

/// Does jobs, on a thread of its own.
pub trait Work<J>: Send + 'static {
    /// Does some jobs, at least one, in the order in which they came.
    fn group(&mut self, jobs: Vec<J>);

    /// There was none for as long as [`Queue::start`] was told.
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
    jobs: Mutex<(VecDeque<J>, bool)>,
    changed: Condvar,
}

impl<J> Waiting<J> {
    /// Takes no more jobs.
    fn close(&self) {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner).1 = true;
        self.changed.notify_one();
    }

    /// The next jobs; none of them when there are none for so long, or there will be none.
    fn next(&self, patience: Option<Duration>) -> Next<J> {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        while jobs.0.is_empty() {
            if jobs.1 {
                return Next::End;
            }
            jobs = match patience {
                None => self.changed.wait(jobs).unwrap_or_else(PoisonError::into_inner),
                Some(patience) => {
                    let (jobs, waited) =
                        self.changed.wait_timeout(jobs, patience).unwrap_or_else(PoisonError::into_inner);
                    if waited.timed_out() && jobs.0.is_empty() && !jobs.1 {
                        return Next::Rest;
                    }
                    jobs
                }
            };
        }
        let count = jobs.0.len().min(GROUP);
        Next::Jobs(jobs.0.drain(..count).collect())
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

impl<J> Drop for Owned<J> {
    fn drop(&mut self) {
        self.waiting.close();
    }
}

/// No job is taken any more: this one is not done.
#[derive(Debug)]
pub struct Ended;

impl<J: Send + 'static> Queue<J> {
    /// Starts the thread. When there is no job for as long as `patience`, it rests, once until the next one.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(name: &str, patience: Duration, mut work: impl Work<J>) -> std::io::Result<Self> {
        let waiting =
            Arc::new(Waiting { jobs: Mutex::new((VecDeque::new(), false)), changed: Condvar::new() });
        let theirs = Arc::clone(&waiting);
        let thread = Builder::new().name(name.to_owned()).spawn(move || {
            // Whatever ends it, also a panic: nobody must wait for what is never done.
            let _last = Last(&theirs);
            let mut rested = true;
            loop {
                let next = theirs.next((!rested).then_some(patience));
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

    /// Hands in a job; does not wait until it is done. What was taken is done.
    ///
    /// # Errors
    /// When no job is taken any more.
    pub fn send(&self, job: J) -> Result<(), Ended> {
        let mut jobs = self.waiting.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        if jobs.1 {
            return Err(Ended);
        }
        jobs.0.push_back(job);
        drop(jobs);
        self.waiting.changed.notify_one();
        Ok(())
    }

    /// Takes no more jobs, and waits until those that were taken are done and the thread has ended.
    /// Whoever calls it, and however often.
    pub fn close(&self) {
        self.waiting.close();
        let mut thread = self.thread.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(thread) = thread.take() {
            let _ = thread.join();
        }
    }
}

/// When the thread ends, no job is left behind that somebody waits for.
struct Last<'a, J>(&'a Waiting<J>);

impl<J> Drop for Last<'_, J> {
    fn drop(&mut self) {
        self.0.close();
        let left: VecDeque<J> =
            std::mem::take(&mut self.0.jobs.lock().unwrap_or_else(PoisonError::into_inner).0);
        drop(left);
    }
}
