//! What Prometheus reads.

use super::live::{Live, Role};
use crate::aws::Depth;
use crate::config::Config;
use crate::incident::IncidentCounts;
use crate::ledger::{DeniesNow, Reader};
use crate::remediation::{AlertCode, Code as _, Rung, State};
use crate::trail::Meaning;
use jiff::{SignedDuration, Timestamp};
use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use std::sync::OnceLock;

/// Bounds of the histograms' buckets, in seconds: from a tenth of a second to a day.
const SECONDS: [f64; 14] =
    [0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 21_600.0, 86_400.0];

/// Begins to count, once in a process. None when somebody else counts already.
pub(super) fn start() -> Option<PrometheusHandle> {
    static HANDLE: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
    HANDLE
        .get_or_init(|| {
            let builder = PrometheusBuilder::new().set_buckets(&SECONDS).ok()?;
            let handle = builder.install_recorder().ok()?;
            describe();
            Some(handle)
        })
        .clone()
}

fn describe() {
    describe_counter!(
        "rescind_findings_seen_total",
        "Occurrences of findings that were new, by feed, and orders."
    );
    describe_counter!("rescind_findings_unconfirmed_total", "Claims that GuardDuty did not confirm.");
    describe_counter!("rescind_findings_undecodable_total", "What came and could not be read.");
    describe_counter!("rescind_decisions_total", "Decisions, by verdict and reason.");
    describe_counter!("rescind_aws_calls_total", "AWS calls, by service, operation and result.");
    describe_counter!("rescind_aws_attempts_total", "HTTP requests sent for AWS calls.");
    describe_counter!("rescind_log_puts_total", "Items put into the log's table, by what became of them.");
    describe_counter!("rescind_log_errors_total", "Times that the log did not answer.");
    describe_gauge!("rescind_leader", "1 on the host that acts, 0 on one that follows.");
    describe_gauge!("rescind_log_epoch", "Number of the leadership.");
    describe_gauge!(
        "rescind_log_lag_seconds",
        Unit::Seconds,
        "Since a host last had everything that stood in the log."
    );
    describe_counter!(
        "rescind_retries_total",
        "Remediations that failed and were put off, by whether a person must act first."
    );
    describe_counter!("rescind_alerts_total", "Alerts, by code.");
    describe_counter!("rescind_proofs_total", "Proofs that a deny is in force, by how far they go.");
    describe_counter!("rescind_notifications_total", "Messages, by channel and by what became of them.");
    let seconds = Unit::Seconds;
    describe_histogram!(
        "rescind_activity_to_seen_seconds",
        seconds,
        "From the last activity that GuardDuty saw to when rescind saw the finding."
    );
    describe_histogram!(
        "rescind_seen_to_deny_seconds",
        seconds,
        "From when rescind saw the finding to when AWS accepted the deny."
    );
    describe_gauge!("rescind_region_last_read_seconds", seconds, "Since a region was polled to the end.");
    describe_gauge!("rescind_feed_failures", "Failures in a row, by feed.");
    describe_gauge!("rescind_queue_messages", "Messages in all queues, by state.");
    describe_gauge!("rescind_in_flight", "Findings and remediations that wait or are worked on.");
    describe_gauge!("rescind_retrying", "Remediations that failed and are tried again.");
    describe_gauge!("rescind_remediations", "Remediations that are not finished, by state.");
    describe_gauge!(
        "rescind_deny_in_force_seconds",
        seconds,
        "In which the denies that are needed now were seen in place, all together."
    );
    describe_gauge!(
        "rescind_deny_since_first_put_seconds",
        seconds,
        "Since AWS accepted each of these denies for the first time, all together."
    );
    describe_gauge!("rescind_pursued_keys", "Access keys of thieves that CloudTrail is searched for.");
    describe_counter!("rescind_pursuit_found_total", "Calls of thieves that matter, by meaning.");
    describe_gauge!("rescind_deny_gaps", "Times in which one of these denies was not in place.");
    describe_gauge!("rescind_denies_contested", "Denies that somebody takes away again and again.");
    describe_gauge!("rescind_incidents", "Incidents that are not closed, by state.");
    describe_gauge!("rescind_open_doors", "Doors that a thief opened and nobody has closed.");
    describe_gauge!("rescind_quarantines_open", "Quarantines that are attached, or may be.");
    describe_gauge!("rescind_quarantine_oldest_seconds", seconds, "Since the oldest of these was begun.");
    describe_gauge!("rescind_budget_used", "Remediations that were begun within the hour.");
    describe_gauge!("rescind_budget_limit", "How many may be begun in an hour without asking.");
    describe_gauge!("rescind_ledger_entries", "Entries of the ledger.");
    describe_gauge!("rescind_ledger_bytes", Unit::Bytes, "Size of the ledger's file.");
    describe_gauge!("rescind_checkpoint_entries", "Entries under the last checkpoint.");
    describe_gauge!("rescind_checkpoint_age_seconds", seconds, "Since the last checkpoint was made.");
    describe_gauge!("rescind_witness_size", "Entries under the last checkpoint that stands at the witness.");
    describe_counter!(
        "rescind_witness_errors_total",
        "Times that a checkpoint could not be put where the witness keeps it."
    );
}

/// Everything is there from the start, at 0. Where nobody can know the labels beforehand, it is there without
/// them.
pub(super) fn zero(config: &Config) {
    for name in ["rescind_decisions_total", "rescind_aws_calls_total", "rescind_aws_attempts_total"] {
        counter!(name).absolute(0);
    }
    let events = config.events.as_ref().map(|_| "queue");
    for feed in ["poll", "file", "order", "pursuit"]
        .into_iter()
        .chain(events)
        .chain(config.folder.as_ref().map(|_| "folder"))
    {
        counter!("rescind_findings_seen_total", "feed" => feed).absolute(0);
    }
    for why in ["not_found", "refused_id", "region_not_watched", "differs"] {
        counter!("rescind_findings_unconfirmed_total", "why" => why).absolute(0);
    }
    counter!("rescind_findings_undecodable_total").absolute(0);
    for result in ["done", "taken", "error"] {
        counter!("rescind_log_puts_total", "result" => result).absolute(0);
    }
    for name in ["rescind_log_errors_total", "rescind_witness_errors_total"] {
        counter!(name).absolute(0);
    }
    for name in ["rescind_leader", "rescind_log_epoch", "rescind_log_lag_seconds"] {
        gauge!(name).set(0.0);
    }
    for why in ["transient", "blocked"] {
        counter!("rescind_retries_total", "why" => why).absolute(0);
    }
    // A counter that first appears at 1 has not risen for Prometheus.
    for code in AlertCode::ALL {
        counter!("rescind_alerts_total", "code" => code.name()).absolute(0);
    }
    for meaning in [Meaning::OpensSession, Meaning::Persists, Meaning::Blinds, Meaning::Takes] {
        counter!("rescind_pursuit_found_total", "meaning" => meaning.name()).absolute(0);
    }
    for rung in Rung::all() {
        counter!("rescind_proofs_total", "rung" => rung.to_string()).absolute(0);
    }
    for channel in &config.channels {
        for result in ["taken", "failed"] {
            let name = channel.name.clone();
            counter!("rescind_notifications_total", "channel" => name, "result" => result).absolute(0);
        }
    }
    if config.channels.is_empty() {
        counter!("rescind_notifications_total").absolute(0);
    }
    for name in ["rescind_activity_to_seen_seconds", "rescind_seen_to_deny_seconds"] {
        let _ = histogram!(name);
    }
    for state in ["waiting", "in_flight"] {
        gauge!("rescind_queue_messages", "state" => state).set(0.0);
    }
    for name in [
        "rescind_pursued_keys",
        "rescind_checkpoint_entries",
        "rescind_checkpoint_age_seconds",
        "rescind_witness_size",
        "rescind_deny_in_force_seconds",
        "rescind_deny_since_first_put_seconds",
        "rescind_deny_gaps",
        "rescind_denies_contested",
        "rescind_quarantines_open",
        "rescind_quarantine_oldest_seconds",
    ] {
        gauge!(name).set(0.0);
    }
}

/// Says how things are now.
#[allow(clippy::cast_precision_loss)] // no count here is near 2^52
pub(super) fn gauge(live: &Live, reader: &Reader, config: &Config) {
    let now = Timestamp::now();
    for (region, health) in &live.regions {
        let feed = format!("GuardDuty {region}");
        // One that was never read is as late as the service is old; one without GuardDuty is never late.
        let late = match (&health.skipped, health.last_read) {
            (Some(_), _) => 0.0,
            (None, last) => now.duration_since(last.unwrap_or(live.started)).as_secs_f64(),
        };
        gauge!("rescind_region_last_read_seconds", "region" => region.to_string()).set(late);
        gauge!("rescind_feed_failures", "feed" => feed).set(f64::from(health.failures));
    }
    for queue in &live.queues {
        gauge!("rescind_feed_failures", "feed" => queue.name.clone()).set(f64::from(queue.health.failures));
    }
    let depths: Vec<Depth> = live.queues.iter().filter_map(|queue| queue.depth).collect();
    if !depths.is_empty() {
        let sum = |count: fn(&Depth) -> u64| depths.iter().map(count).sum::<u64>() as f64;
        gauge!("rescind_queue_messages", "state" => "waiting").set(sum(|depth| depth.waiting));
        gauge!("rescind_queue_messages", "state" => "in_flight").set(sum(|depth| depth.in_flight));
    }
    if let Some(size) = live.witness.as_ref().and_then(|witness| witness.size) {
        gauge!("rescind_witness_size").set(size as f64);
    }
    if let Some(folder) = &live.folder {
        gauge!("rescind_feed_failures", "feed" => "folder").set(f64::from(folder.failures));
    }
    gauge!("rescind_in_flight").set(live.in_flight as f64);
    gauge!("rescind_retrying").set(live.retries.len() as f64);
    gauge!("rescind_budget_limit").set(f64::from(live.budget.1));
    if let Ok(meta) = std::fs::metadata(&config.ledger) {
        gauge!("rescind_ledger_bytes").set(meta.len() as f64);
    }
    if let Ok(last) = reader.last() {
        gauge!("rescind_ledger_entries").set(last as f64);
    }
    if let Ok(standings) = reader.standings() {
        for state in State::all().iter().filter(|state| state.is_open()) {
            let count: i64 = standings.iter().filter(|(one, _)| one.state == *state).map(|(_, n)| n).sum();
            gauge!("rescind_remediations", "state" => state.to_string()).set(count as f64);
        }
    }
    let since = now.saturating_sub(SignedDuration::from_hours(1)).unwrap_or(now);
    if let Ok(begun) = reader.begun_since(since) {
        gauge!("rescind_budget_used").set(begun.len() as f64);
    }
    if let Ok(Some((size, at))) = reader.checkpointed() {
        gauge!("rescind_checkpoint_entries").set(size as f64);
        gauge!("rescind_checkpoint_age_seconds").set(now.duration_since(at).as_secs_f64());
    }
}

/// Says who acts, and how far a host is behind the log.
#[allow(clippy::cast_precision_loss)] // no count here is near 2^52
pub(super) fn gauge_log(live: &Live) {
    let leads = live.log.as_ref().is_none_or(|log| log.role == Role::Leader);
    gauge!("rescind_leader").set(f64::from(u8::from(leads)));
    if let Some(log) = &live.log {
        gauge!("rescind_log_epoch").set(log.epoch as f64);
        let lag = Timestamp::now().duration_since(log.caught_up).as_secs_f64();
        gauge!("rescind_log_lag_seconds").set(lag.max(0.0));
    }
}

/// Says how many incidents are not closed.
#[allow(clippy::cast_precision_loss)] // no count here is near 2^52
pub(super) fn gauge_incidents(counts: IncidentCounts) {
    gauge!("rescind_incidents", "state" => "open").set(counts.open as f64);
    gauge!("rescind_incidents", "state" => "contained").set(counts.contained as f64);
    gauge!("rescind_open_doors").set(counts.open_doors as f64);
}

/// Says how the denies are doing. It goes through all of them.
#[allow(clippy::cast_precision_loss)] // no count here is near 2^52
pub(super) fn gauge_denies(reader: &Reader) {
    if let Ok(DeniesNow { in_force, contested }) = reader.denies_now() {
        gauge!("rescind_deny_in_force_seconds").set(in_force.seconds);
        gauge!("rescind_deny_since_first_put_seconds").set(in_force.of_seconds);
        gauge!("rescind_deny_gaps").set(in_force.gaps as f64);
        gauge!("rescind_denies_contested").set(contested as f64);
    }
    if let Ok((open, oldest)) = reader.quarantines() {
        let age = oldest.map_or(0.0, |since| Timestamp::now().duration_since(since).as_secs_f64());
        gauge!("rescind_quarantines_open").set(open as f64);
        gauge!("rescind_quarantine_oldest_seconds").set(age.max(0.0));
    }
}
