//! The synchronization primitives of the standard library, which tests replace.

pub use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
pub use std::thread::{Builder, JoinHandle};
