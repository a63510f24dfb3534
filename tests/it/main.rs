//! The integration tests: the real binary against the emulated organization.
