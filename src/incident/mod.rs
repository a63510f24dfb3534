//! Incidents: all that hangs together with one theft, put together from the ledger.
//!
//! [`Incident::read`] gives one: what the thief opened, made and took, what became of each, and what a person must do.
//! [`IncidentCounter`] counts those that are not closed without reading all of them again.

mod counter;
mod door;
mod draw;
mod graph;
mod moment;
mod names;
mod outcome;
mod reading;
mod record;
mod session;
mod view;

pub use counter::{IncidentCounter, IncidentCounts};
pub use door::{DoorStatus, IncidentDoor};
pub use graph::{Graph, GraphEdge, NodeKind};
pub use names::in_words;
pub use outcome::SessionStatus;
pub use session::Session;
pub use view::{Incident, IncidentState, Member};
