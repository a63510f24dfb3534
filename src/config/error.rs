//! Why a configuration cannot be used.

/// Why a configuration cannot be used. The text is for the person who wrote the file.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{path}")]
    Unreadable {
        /// Path of that file.
        path: String,
        /// What the system said.
        #[source]
        error: std::io::Error,
        /// What to do, where that is known.
        hint: Option<String>,
    },
    /// What the file would become is not valid.
    #[error("{path}: not changed: {message}")]
    Refused {
        /// Path of that file.
        path: String,
        /// What is wrong and what is expected.
        message: String,
    },
    /// Something in the file is wrong.
    #[error("{path}:{line}:{column}: {key}{message}")]
    Invalid {
        /// Path of that file.
        path: String,
        /// Line of the mistake, counted from 1.
        line: usize,
        /// Column of the mistake, counted from 1.
        column: usize,
        /// The key and a colon, where one is concerned.
        key: String,
        /// What is wrong and what is expected.
        message: String,
    },
}
