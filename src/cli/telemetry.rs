//! Logs: to standard error, text for people and JSON beside JSON.

use super::Format;
use tracing::Level;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::prelude::*;

/// Starts logging.
///
/// Of other crates only errors are shown: the AWS SDK writes requests with their session tokens
/// at `trace`, and the answers of credential sources at `warn`.
pub fn init(level: LevelFilter, format: Format) {
    let own = filter_fn(|meta| meta.target().starts_with("rescind") || *meta.level() <= Level::ERROR);
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let layer = match format {
        Format::Json => layer.json().flatten_event(true).boxed(),
        Format::Text => {
            let colour = std::io::IsTerminal::is_terminal(&std::io::stderr())
                && std::env::var_os("NO_COLOR").is_none();
            layer.with_ansi(colour).with_target(false).boxed()
        }
    };
    tracing_subscriber::registry().with(layer.with_filter(own).with_filter(level)).init();
}
