//! What every handler has: the configuration, the ledger, the service.

use super::answers::Answers;
use super::identity::Identities;
use super::limits::Limits;
use super::refusals::Refusals;
use super::report_turns::ReportTurns;
use crate::config::Config;
use crate::desk::DeskError;
use crate::ledger::{Ledger, LedgerError, Reader};
use crate::reconcile::Reconciler;
use crate::replication::open_ledger;
use crate::service::{Purpose, Service, Shared};
use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;

/// Interval between two looks for new entries.
const NEWS: Duration = Duration::from_millis(500);

/// Maximum number of readings of the ledger at the same time. They take processors that denies need, so some are left to
/// these: whoever asks for more waits.
const READERS: usize = 4;

/// Maximum number of looks ahead at the same time.
const LOOKS: usize = 2;

/// Half of the processors, but at least one.
fn turns() -> usize {
    std::thread::available_parallelism().map_or(1, |count| count.get() / 2).clamp(1, READERS)
}

/// What every handler has.
pub(super) struct App {
    pub config: Arc<Config>,
    pub shared: Arc<Shared>,
    pub identities: Identities,
    pub limits: Limits,
    pub answers: Answers,
    pub reports: ReportTurns,
    pub refusals: Refusals,
    /// Where the service answers, once it does.
    bound: OnceLock<SocketAddr>,
    readers: Mutex<Vec<Reader>>,
    /// Turns for reading.
    turns: Arc<Semaphore>,
    /// Turns for looking ahead: each look makes calls of AWS that denies may wait behind.
    looks: Semaphore,
    /// The number of the last entry.
    news: watch::Sender<i64>,
    /// The runtime of what acts.
    acting: Handle,
}

impl App {
    /// `acting` is the runtime of what acts.
    pub fn new(config: Config, shared: Arc<Shared>, acting: Handle) -> Self {
        let config = Arc::new(config);
        Self {
            identities: Identities::new(&config),
            limits: Limits::default(),
            answers: Answers::default(),
            reports: ReportTurns::default(),
            news: watch::Sender::new(0),
            refusals: Refusals::default(),
            bound: OnceLock::new(),
            readers: Mutex::default(),
            turns: Arc::new(Semaphore::new(turns())),
            looks: Semaphore::new(LOOKS),
            acting,
            config,
            shared,
        }
    }

    /// The number of the ledger's last entry, each time that there are new ones that are no AWS calls.
    pub fn news(&self) -> watch::Receiver<i64> {
        self.news.subscribe()
    }

    /// Looks for new entries while somebody watches, until the task is aborted.
    pub async fn look_for_news(&self) {
        let mut ticks = tokio::time::interval(NEWS);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        // The last entry that was looked at; none before the first time.
        let mut looked = None;
        loop {
            ticks.tick().await;
            if self.news.receiver_count() == 0 {
                continue;
            }
            let read = move |reader: &Reader| {
                let last = reader.last()?;
                let is_news = match looked {
                    Some(looked) => last > looked && reader.is_more_than_calls_after(looked)?,
                    None => true,
                };
                Ok::<_, LedgerError>((last, is_news))
            };
            if let Ok((last, is_news)) = self.read(read).await {
                looked = Some(last);
                // What calls led to has entries of its own.
                if is_news {
                    self.news.send_if_modified(|known| std::mem::replace(known, last) != last);
                }
            }
        }
    }

    /// The service answers there.
    pub fn bound(&self, address: SocketAddr) {
        let _ = self.bound.set(address);
    }

    /// Where the service answers, once it does.
    pub fn address(&self) -> Option<SocketAddr> {
        self.bound.get().copied()
    }

    /// The configuration that was accepted last: who may do what, and the rules, are as it says.
    pub fn current(&self) -> Arc<Config> {
        self.shared.config()
    }

    /// People can log in, or programs can prove who they are.
    pub fn knows_identities(&self) -> bool {
        self.identities.logins.is_some() || !self.current().web.grants.is_empty()
    }

    /// Reads the ledger, away from what answers others.
    pub async fn read<T, E>(
        &self,
        read: impl FnOnce(&Reader) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<LedgerError> + Send + 'static,
    {
        // Whoever does not wait any more loses their place, but what is being read is read to its end, in its turn.
        let turn = Arc::clone(&self.turns).acquire_owned().await;
        let kept = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let path = self.config.ledger.clone();
        let task = tokio::task::spawn_blocking(move || {
            let reader = match kept {
                Some(reader) => reader,
                None => match Reader::open(&path) {
                    Ok(reader) => reader,
                    Err(error) => return (None, Err(error.into())),
                },
            };
            let done = read(&reader);
            drop(turn);
            (Some(reader), done)
        });
        match task.await {
            Ok((reader, done)) => {
                let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
                if readers.len() < READERS {
                    readers.extend(reader);
                }
                done
            }
            Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
        }
    }

    /// The same for what takes long: pages and answers do not wait for it. Whoever asks has a turn for that.
    pub async fn read_at_length<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Reader) -> T + Send + 'static,
    ) -> Result<T, LedgerError> {
        let path = self.config.ledger.clone();
        let task = tokio::task::spawn_blocking(move || Ok(read(&Reader::open(&path)?)));
        task.await.unwrap_or_else(|panicked| std::panic::resume_unwind(panicked.into_panic()))
    }

    /// The ledger, for writing: that of the service that acts in this process, or the file's, as a command has it.
    pub async fn write<T>(
        &self,
        write: impl AsyncFnOnce(&Ledger, &Reader) -> Result<T, DeskError>,
    ) -> Result<T, DeskError> {
        if let Some(actor) = self.shared.actor() {
            let reader = actor.ledger.reader()?;
            return write(&actor.ledger, &reader).await;
        }
        let config = Arc::clone(&self.config);
        let opened = tokio::task::spawn_blocking(move || open_ledger(&config)).await;
        let ledger = opened.unwrap_or_else(|panicked| std::panic::resume_unwind(panicked.into_panic()))?;
        let reader = ledger.reader()?;
        let done = write(&ledger, &reader).await;
        ledger.close();
        done
    }

    /// What looks ahead: the reconciler that acts in this process, or one made for this, as a command has it.
    pub async fn look<T>(
        &self,
        look: impl AsyncFnOnce(&Reconciler, &Ledger, &Reader) -> Result<T, DeskError>,
    ) -> Result<T, DeskError> {
        let _turn = self.looks.acquire().await;
        let work = async {
            if let Some(actor) = self.shared.actor() {
                let reader = actor.ledger.reader()?;
                return look(&actor.reconciler, &actor.ledger, &reader).await;
            }
            let (config, stop) = ((*self.config).clone().for_one_run(), CancellationToken::new());
            let service = Box::pin(Service::start(config, "api", Purpose::Plan, stop)).await?;
            let done = look(service.reconciler(), service.ledger(), service.reader()).await;
            Box::pin(service.stop("looked")).await?;
            done
        };
        // Connections to AWS are used again by others: they belong to the runtime of what acts, and not to this one.
        let mut work = std::pin::pin!(work);
        poll_fn(|context| {
            let _entered = self.acting.enter();
            work.as_mut().poll(context)
        })
        .await
    }
}
