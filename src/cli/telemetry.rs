//! Logs: to standard error, as text for people, and as JSON with `-o json`. Traces: to a collector, with the
//! feature `otel`.

use super::output::Format;
use crate::safe;
use tracing::field::Field;
use tracing::level_filters::LevelFilter;
use tracing::{Level, Metadata};
use tracing_subscriber::field::MakeExt;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::format::{Writer, debug_fn};
use tracing_subscriber::prelude::*;

/// What is to be finished at the end of the process.
#[must_use]
pub struct Telemetry {
    #[cfg(feature = "otel")]
    traces: Option<opentelemetry_sdk::trace::SdkTracerProvider>,
}

/// Starts logging.
///
/// Of other crates only errors are shown: the AWS SDK writes requests with their session tokens
/// at `trace`, and the answers of credential sources at `warn`. Spans are for traces alone: each line of
/// the log names what it is about by itself.
pub fn init(level: LevelFilter, format: Format) -> Telemetry {
    // What comes by the crate `log` is of libraries that give the same as an error, which is in our own words.
    let is_shown =
        |meta: &Metadata<'_>| is_ours(meta) || *meta.level() <= Level::ERROR && meta.name() != "log record";
    let own = filter_fn(move |meta| meta.is_event() && is_shown(meta));
    let layer = tracing_subscriber::fmt::layer();
    let layer = match format {
        Format::Json | Format::Jsonl => {
            let writer = || safe::JsonLines(std::io::stderr());
            layer.with_writer(writer).json().flatten_event(true).boxed()
        }
        Format::Text => {
            let colour = std::io::IsTerminal::is_terminal(&std::io::stderr())
                && std::env::var_os("NO_COLOR").is_none();
            let fields = debug_fn(field).delimited(" ");
            layer.with_writer(std::io::stderr).fmt_fields(fields).with_ansi(colour).with_target(false).boxed()
        }
    };
    let registry = tracing_subscriber::registry().with(layer.with_filter(own).with_filter(level));
    #[cfg(feature = "otel")]
    {
        let (traces, error) = match traces() {
            Ok(traces) => (traces, None),
            Err(error) => (None, Some(error)),
        };
        let layer = traces.as_ref().map(|traces| {
            let tracer = opentelemetry::trace::TracerProvider::tracer(traces, "rescind");
            tracing_opentelemetry::layer().with_tracer(tracer).with_filter(filter_fn(|meta| is_ours(meta)))
        });
        registry.with(layer).init();
        if let Some(error) = error {
            tracing::warn!("no traces are sent: {error}");
        }
        Telemetry { traces }
    }
    #[cfg(not(feature = "otel"))]
    {
        registry.init();
        Telemetry {}
    }
}

/// A part of a line of text. What was in an event, a name or an error's words does not get out of its line.
fn field(writer: &mut Writer<'_>, field: &Field, value: &dyn std::fmt::Debug) -> std::fmt::Result {
    let value = safe::line(&format!("{value:?}"));
    match field.name() {
        "message" => write!(writer, "{value}"),
        name => write!(writer, "{name}={value}"),
    }
}

fn is_ours(meta: &Metadata<'_>) -> bool {
    meta.target().starts_with("rescind")
}

/// To where the standard variables say: OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_SERVICE_NAME and so on. Nowhere
/// when none of them is set.
#[cfg(feature = "otel")]
fn traces()
-> Result<Option<opentelemetry_sdk::trace::SdkTracerProvider>, opentelemetry_otlp::ExporterBuildError> {
    let named = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"];
    if named.iter().all(|name| std::env::var_os(name).is_none()) {
        return Ok(None);
    }
    let exporter = opentelemetry_otlp::SpanExporter::builder().with_http().build()?;
    let name = std::env::var("OTEL_SERVICE_NAME").unwrap_or_else(|_| "rescind".to_owned());
    let resource = opentelemetry_sdk::Resource::builder().with_service_name(name).build();
    let traces = opentelemetry_sdk::trace::SdkTracerProvider::builder();
    Ok(Some(traces.with_batch_exporter(exporter).with_resource(resource).build()))
}

impl Drop for Telemetry {
    /// Sends what is not sent yet. That a collector does not take it is no error of ours.
    fn drop(&mut self) {
        #[cfg(feature = "otel")]
        if let Some(traces) = &self.traces {
            let _ = traces.shutdown();
        }
    }
}
