//! Where findings come from: polls, a queue, a folder, files. A feed verifies and records what it read, and
//! hands on what is new as an [`Intake`]; it does not know what is done about it.

mod error;
mod file;
mod flood;
mod folder;
mod guardduty;
mod health;
mod hints;
mod intake;
mod kinds;
mod listing;
mod pace;
mod poller;
mod queue;
mod receive_batch;
mod record;
mod sweep;
mod taker;
mod unreadable;
mod watch;

pub use error::FeedError;
pub use file::Input;
pub use folder::Folder;
pub use guardduty::Poll;
pub use health::{Health, Pulse};
pub use hints::{Hint, Hints, Verification};
pub use intake::{Ack, Intake, IntakeReceiver, IntakeSender, Stopped, intake_channel};
pub use pace::Pace;
pub use poller::Poller;
pub use queue::QueueFeed;
pub use record::{Recorded, Source, record};
pub use sweep::Sweep;
pub use taker::Taker;
pub use unreadable::Unreadable;
pub use watch::Watch;
