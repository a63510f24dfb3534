//! Where findings come from: polls, a queue, a folder, files. A feed verifies and records what it read, and
//! hands on what is new as an [`Intake`]; it does not know what is done about it.

mod alerts;
mod claim;
mod error;
mod export;
mod file;
mod flood;
mod folder;
mod folder_feed;
mod guardduty;
mod handed_in;
mod health;
mod inbox;
mod intake;
mod kinds;
mod listing;
mod pace;
mod poller;
mod polls;
mod products;
mod queue;
mod receive_batch;
mod record;
mod regions;
mod seen;
mod sweep;
mod tasks;
mod unreadable;
mod verifier;

pub use file::Input;
pub use folder_feed::FolderFeed;
pub use handed_in::{Destination, HandedIn};
pub use health::Health;
pub use inbox::Inbox;
pub use intake::{Ack, Incoming, Intake, IntakeReceiver, IntakeSender, intake_channel};
pub use pace::Pace;
pub use polls::Polls;
pub use products::Products;
pub use queue::QueueFeed;
pub use regions::WatchedRegions;
pub use seen::Seen;
pub use sweep::UndecidedSweep;
pub use tasks::joined;
pub use unreadable::Unreadable;
pub use verifier::Verifier;
