//! The ledger's queue, with threads that are put in generated orders (shuttle).

use shuttle::rand::Rng;
use shuttle::sync::{Arc, Mutex, mpsc};
use shuttle::thread;
use std::time::Duration;

#[allow(dead_code)]
#[path = "../../src/ledger/queue.rs"]
mod real;

/// What the queue takes from the standard library otherwise.
mod sync {
    pub use shuttle::sync::{Arc, Mutex, MutexGuard};
    pub use shuttle::thread::{Builder, JoinHandle};
    pub use std::sync::PoisonError;

    use shuttle::rand::Rng;
    use std::sync::LockResult;
    use std::time::Duration;

    std::thread_local! {
        /// Whether anything times out. All of a run is on one thread of the system.
        pub static TIMES_OUT: std::cell::Cell<bool> = const { std::cell::Cell::new(true) };
    }

    /// Shuttle's never times out. This one does in some of the runs, whenever another thread gets to it.
    #[derive(Debug)]
    pub struct Condvar(Arc<shuttle::sync::Condvar>);

    pub struct Waited(bool);

    impl Waited {
        pub fn timed_out(&self) -> bool {
            self.0
        }
    }

    impl Condvar {
        pub fn new() -> Self {
            Self(Arc::new(shuttle::sync::Condvar::new()))
        }

        pub fn notify_one(&self) {
            self.0.notify_one();
        }

        pub fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> LockResult<MutexGuard<'a, T>> {
            self.0.wait(guard)
        }

        #[allow(clippy::unnecessary_wraps)] // as the standard library's
        pub fn wait_timeout<'a, T>(
            &self,
            guard: MutexGuard<'a, T>,
            _: Duration,
        ) -> LockResult<(MutexGuard<'a, T>, Waited)> {
            let times_out = TIMES_OUT.get() && shuttle::rand::thread_rng().gen_bool(0.5);
            if times_out {
                let this = Arc::clone(&self.0);
                shuttle::thread::spawn(move || this.notify_one());
            }
            Ok((self.0.wait(guard).expect("no thread panics"), Waited(times_out)))
        }
    }
}

use real::{GROUP, Queue, Waits, Work};

/// A job: who hands it in, which of theirs it is, and where the answer goes.
type Job = (usize, usize, mpsc::Sender<usize>);

/// Keeps what it did, as a ledger does, and answers when it is kept.
struct Keeper {
    kept: Arc<Mutex<Vec<(usize, usize)>>>,
    ended: Arc<Mutex<bool>>,
}

impl Work<Job> for Keeper {
    fn group(&mut self, jobs: Vec<Job>) {
        assert!(!jobs.is_empty() && jobs.len() <= GROUP);
        assert!(!*self.ended.lock().expect("a lock"), "work after the end");
        self.kept.lock().expect("a lock").extend(jobs.iter().map(|(who, which, _)| (*who, *which)));
        for (_, which, answer) in jobs {
            let _ = answer.send(which);
        }
    }

    fn rest(&mut self) {
        assert!(!*self.ended.lock().expect("a lock"), "a rest after the end");
        assert!(!self.kept.lock().expect("a lock").is_empty(), "a rest before any work");
    }

    fn end(&mut self) {
        *self.ended.lock().expect("a lock") = true;
    }
}

/// Callers append and wait for each answer, others do not wait, and somebody closes in the middle of
/// it, twice at once.
fn meet() {
    let (kept, ended) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(false)));
    let queue = Queue::start(
        "keeper",
        Waits { linger: Duration::from_millis(1), patience: Duration::from_millis(1) },
        Keeper { kept: Arc::clone(&kept), ended: Arc::clone(&ended) },
    );
    let queue = queue.expect("a thread");
    let callers: Vec<_> = (0..3)
        .map(|who| {
            let (queue, kept) = (queue.clone(), Arc::clone(&kept));
            thread::spawn(move || {
                let mut answered = 0;
                for which in 0..3 {
                    let (answer, answers) = mpsc::channel();
                    if who == 0 {
                        // Does not wait, as for call records.
                        if queue.send_along((who, which, answer)).is_err() {
                            break;
                        }
                        continue;
                    }
                    if queue.send((who, which, answer)).is_err() {
                        break;
                    }
                    // It is kept, or the caller hears that it is not: nobody waits for ever.
                    match answers.recv() {
                        Ok(done) => {
                            assert_eq!(done, which);
                            assert!(kept.lock().expect("a lock").contains(&(who, which)));
                            answered += 1;
                        }
                        Err(_) => break,
                    }
                }
                (who, answered)
            })
        })
        .collect();
    let mut callers = Some(callers);
    // A close wakes the thread. Whoever waits for an answer must have it without one, too.
    let done: Vec<(usize, usize)> = if shuttle::rand::thread_rng().gen_bool(0.5) {
        callers.take().into_iter().flatten().map(|caller| caller.join().expect("ended")).collect()
    } else {
        Vec::new()
    };
    // What was handed in before the close is done when it returns.
    let (answer, _) = mpsc::channel();
    queue.send((9, 0, answer)).expect("nobody closed yet");
    let closers: Vec<_> = (0..2)
        .map(|_| {
            let (queue, kept, ended) = (queue.clone(), Arc::clone(&kept), Arc::clone(&ended));
            thread::spawn(move || {
                queue.close();
                assert!(*ended.lock().expect("a lock"), "closed, and not at the end");
                assert!(kept.lock().expect("a lock").contains(&(9, 0)));
            })
        })
        .collect();
    for closer in closers {
        closer.join().expect("closed");
    }
    let late = callers.into_iter().flatten().map(|caller| caller.join().expect("ended"));
    for (who, answered) in done.into_iter().chain(late) {
        let kept = kept.lock().expect("a lock");
        let theirs: Vec<usize> = kept.iter().filter(|(w, _)| *w == who).map(|(_, which)| *which).collect();
        // In order, without gaps, each once; and who waited was answered for each that was kept.
        assert_eq!(theirs, (0..theirs.len()).collect::<Vec<_>>());
        assert!(who == 0 || answered == theirs.len(), "{who}: {answered} of {theirs:?}");
    }
}

#[test]
fn every_job_is_done_once_or_its_caller_hears_of_it() {
    let rounds = if std::env::var_os("RESCIND_SOAK").is_some() { 200_000 } else { 3_000 };
    shuttle::check_random(meet, rounds);
    shuttle::check_pct(meet, rounds / 3, 3);
}

/// As many jobs as are done together are done, although nobody waits for any of them and time stands still.
fn fill() {
    let (kept, ended) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(false)));
    let waits = Waits { linger: Duration::from_secs(1), patience: Duration::from_secs(1) };
    let keeper = Keeper { kept: Arc::clone(&kept), ended: Arc::clone(&ended) };
    let queue = Queue::start("keeper", waits, keeper).expect("a thread");
    let (answer, answers) = mpsc::channel();
    for which in 0..GROUP {
        queue.send_along((0, which, answer.clone())).expect("nobody closed");
    }
    for which in 0..GROUP {
        assert_eq!(answers.recv(), Ok(which));
    }
    queue.close();
}

#[test]
fn a_full_group_waits_for_nobody() {
    sync::TIMES_OUT.set(false);
    shuttle::check_random(fill, 20);
    sync::TIMES_OUT.set(true);
}
