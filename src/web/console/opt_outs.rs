//! *Opt-outs and rules*: what is done about which findings, where less is done, and when that was changed.

use super::page::Frame;
use super::words::{Tone, When, Words};
use crate::config::{Config, Matches, OptOut, OuId, Rule, SOON_DAYS, Selector, WebRole, built_in};
use crate::ledger::Reader;
use crate::remediation::{Entry, Event};
use crate::web::access::Places;
use crate::web::act;
use crate::web::app::App;
use crate::web::caller::Caller;
use crate::web::problem::Problem;
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use std::fmt::Display;
use std::sync::Arc;

/// Maximum number of changes that are listed.
const CHANGES: usize = 50;

#[derive(Template)]
#[template(path = "console/opt_outs.html")]
struct OptOutsPage {
    frame: Frame,
    mode: String,
    opt_outs: Vec<OptOutRow>,
    rules: Vec<RuleRow>,
    changes: Vec<(When, Tone, String, i64)>,
    changes_more: usize,
    opt_outs_file: String,
    config_file: String,
}

struct OptOutRow {
    name: String,
    mode: String,
    selects: String,
    owner: String,
    reason: String,
    tone: Tone,
    until: String,
}

struct RuleRow {
    name: String,
    matches: String,
    remedies: String,
    mode: String,
    approval: String,
}

pub(super) async fn page(State(app): State<Arc<App>>, caller: Caller) -> Result<Response, Problem> {
    act::require(&app, &caller, WebRole::Viewer, None).await?;
    let frame = Frame::of(&app, &caller, "/opt-outs", "Opt-outs and rules");
    let current = app.current();
    let read = move |frame, reader: &Reader, _: &Places| {
        let mut opt_outs: Vec<OptOut> = reader.opt_outs()?.into_values().collect();
        let now = Timestamp::now();
        opt_outs.sort_by_key(|one| one.days_left(now).unwrap_or(i64::MAX));
        let mut entries = Vec::new();
        for kind in ["opt_outs", "opt_outs_refused", "reloaded", "reload_refused"] {
            entries.extend(reader.of_kind(kind)?);
        }
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.seq));
        let changes: Vec<_> = entries.iter().filter_map(change).collect();
        let changes_more = changes.len().saturating_sub(CHANGES);
        let name = |path: &std::path::Path| {
            path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
        };
        Ok(OptOutsPage {
            frame,
            mode: current.mode.to_string(),
            opt_outs: opt_outs.iter().map(|one| opt_out(one, now)).collect(),
            rules: rules(&current),
            changes: changes.into_iter().take(CHANGES).collect(),
            changes_more,
            opt_outs_file: name(&current.opt_outs_file),
            config_file: name(&current.file),
        })
    };
    frame.filled(&app, read).await
}

fn list(what: &str, all: &[impl Display]) -> Option<String> {
    let all: Vec<String> = all.iter().map(ToString::to_string).collect();
    (!all.is_empty()).then(|| format!("{what} {}", all.join(", ")))
}

fn selects(selector: &Selector) -> String {
    let ous: Vec<&str> = selector.ous.iter().map(OuId::as_str).collect();
    let tags: Vec<String> = selector.tags.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let parts = [
        list("accounts", &selector.accounts),
        list("OUs", &ous),
        list("tags", &tags),
        list("roles", &selector.roles),
        list("types", &selector.types),
        list("regions", &selector.regions),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

fn opt_out(one: &OptOut, now: Timestamp) -> OptOutRow {
    let (tone, until) = match (one.expires, one.days_left(now)) {
        (Some(last), Some(days)) if days < 0 => (Tone::Plain, format!("expired after {last}")),
        (Some(last), Some(days)) if days <= i64::from(SOON_DAYS) => {
            (Tone::Warn, format!("{last}: {days} days left"))
        }
        (Some(last), Some(days)) => (Tone::Good, format!("{last}: {days} days left")),
        _ => (Tone::Warn, "permanent".to_owned()),
    };
    OptOutRow {
        name: one.name.clone(),
        mode: one.mode.to_string(),
        selects: selects(&one.selects),
        owner: one.owner.clone(),
        reason: one.reason.clone(),
        tone,
        until,
    }
}

/// The rules in the order in which they are looked at.
fn rules(config: &Config) -> Vec<RuleRow> {
    let row = |rule: &Rule| {
        let remedies: Vec<String> = rule.remedies.iter().map(|one| serde_name(&format!("{one:?}"))).collect();
        RuleRow {
            name: rule.name.clone(),
            matches: matches(&rule.matches),
            remedies: remedies.join(", "),
            mode: rule.mode.map_or_else(|| "as the installation".to_owned(), |mode| mode.to_string()),
            approval: if rule.is_for_orders() && !rule.approval.asks_for_others() {
                "whoever orders it".to_owned()
            } else {
                rule.approval.to_string()
            },
        }
    };
    let own = config.rules.iter().map(row);
    let built_in = built_in(&[]);
    let names: Vec<&String> = config.rules.iter().map(|rule| &rule.name).collect();
    let others = built_in.iter().filter(|rule| !names.contains(&&rule.name)).map(row);
    own.chain(others).collect()
}

/// `RoleSessions` as the configuration has it: `role_sessions`.
fn serde_name(name: &str) -> String {
    let mut text = String::new();
    for (at, letter) in name.char_indices() {
        if letter.is_ascii_uppercase() && at > 0 {
            text.push('_');
        }
        text.push(letter.to_ascii_lowercase());
    }
    text
}

fn matches(matches: &Matches) -> String {
    let Matches::Fields(fields) = matches else { return "an event pattern".to_owned() };
    let parts = [
        list("types", &fields.types),
        fields.min_severity.map(|least| format!("severity from {least}")),
        list("regions", &fields.regions),
        fields
            .affiliated
            .map(|is| format!("from {} the organization", if is { "within" } else { "outside" })),
        list("products", &fields.products),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() { "all".to_owned() } else { parts.join("; ") }
}

/// What an entry says that changed; none where nothing did.
fn change(entry: &Entry) -> Option<(When, Tone, String, i64)> {
    let names = |all: &[OptOut]| all.iter().map(|one| one.name.clone()).collect::<Vec<_>>().join(", ");
    let (tone, text) = match &entry.event {
        Event::OptOuts { added, changed, removed, .. } => {
            let parts = [
                (!added.is_empty()).then(|| format!("opt-outs added: {}", names(added))),
                (!changed.is_empty()).then(|| format!("changed: {}", names(changed))),
                (!removed.is_empty()).then(|| format!("removed: {}", removed.join(", "))),
            ];
            let parts: Vec<String> = parts.into_iter().flatten().collect();
            if parts.is_empty() {
                return None;
            }
            (if removed.is_empty() { Tone::Plain } else { Tone::Warn }, parts.join("; "))
        }
        Event::OptOutsRefused { error, .. } => (
            Tone::Bad,
            format!("the opt-outs' file was rejected, the previous version stays in effect: {error}"),
        ),
        Event::Reloaded { mode, .. } => {
            (Tone::Plain, format!("the configuration was read again; mode {mode}"))
        }
        Event::ReloadRefused { error, .. } => (
            Tone::Bad,
            format!("the configuration was rejected, the previous version stays in effect: {error}"),
        ),
        _ => return None,
    };
    Some((When::of(entry.time), tone, text, entry.seq))
}
