//! The parts of the standard library in which threads meet. Tests put others in their place.

pub use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
pub use std::thread::{Builder, JoinHandle};
