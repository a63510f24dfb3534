//! The selection that a report covers, and its progress bar.

use crate::cli::exit::BadInput;
use crate::cli::filter::Filter;
use crate::cli::ledger;
use crate::cli::output::Screen;
use crate::ident::AccountId;
use crate::ledger::Reader;
use crate::remediation::Selection;
use crate::report::{Prepared, ReportError};
use indicatif::{ProgressBar, ProgressStyle};
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};

/// What a report is about.
#[derive(Debug, clap::Args)]
pub(super) struct Wanted {
    /// Only what was decided from this day (2026-01-31, UTC) or time on.
    #[arg(long, value_name = "TIME", value_parser = ledger::day_or_time)]
    from: Option<Timestamp>,

    /// Only what was decided up to the end of this day, or before this time.
    #[arg(long, value_name = "TIME", value_parser = until)]
    to: Option<Until>,

    /// Only this account; several times for several.
    #[arg(long = "account", value_name = "ID")]
    accounts: Vec<AccountId>,

    /// Only accounts in this organizational unit or below, as far as the ledger knows; several times for several.
    #[arg(long = "ou", value_name = "ID")]
    ous: Vec<String>,

    #[command(flatten)]
    standing: Filter,

    /// Only this remediation, by its id or its beginning; several times for several.
    #[arg(long = "remediation", value_name = "ID")]
    remediations: Vec<String>,
}

impl Wanted {
    /// As a hub takes it.
    ///
    /// # Errors
    /// When it has no such filter.
    pub fn over_a_hub(&self) -> Result<Vec<(&'static str, String)>, BadInput> {
        self.is_a_period()?;
        let is_more = self.accounts.len() > 1
            || !self.ous.is_empty()
            || !self.standing.is_empty()
            || !self.remediations.is_empty();
        if is_more {
            let text = "with --hub a report can be limited by --from, --to and one --account: the other filters need the hub's host";
            return Err(BadInput(text.to_owned()));
        }
        let of = |name, time: Option<Timestamp>| time.map(|time| (name, time.to_string()));
        let account = self.accounts.first().map(|account| ("account", account.to_string()));
        Ok([of("from", self.from), of("to", self.before()), account].into_iter().flatten().collect())
    }

    /// The time before which everything is.
    fn before(&self) -> Option<Timestamp> {
        self.to.as_ref().map(|to| to.before)
    }

    /// # Errors
    /// When it ends before it begins.
    fn is_a_period(&self) -> Result<(), BadInput> {
        match (self.from, &self.to) {
            (Some(from), Some(to)) if from >= to.before => {
                let is_day = from.strftime("%H:%M:%S%.f").to_string() == "00:00:00";
                let from = from.strftime(if is_day { "%Y-%m-%d" } else { "%Y-%m-%dT%H:%M:%S%.fZ" });
                let text = format!("--to {} is before --from {from}: nothing lies between", to.typed);
                Err(BadInput(text))
            }
            _ => Ok(()),
        }
    }

    /// As the ledger takes it.
    pub fn selection(&self, reader: &Reader) -> anyhow::Result<Selection> {
        self.is_a_period()?;
        let mut ids = Vec::new();
        for id in &self.remediations {
            ids.push(crate::desk::find(reader, id)?);
        }
        Ok(Selection {
            from: self.from,
            to: self.before(),
            accounts: self.accounts.clone(),
            ous: self.ous.clone(),
            remediations: ids,
            ..self.standing.selection()
        })
    }
}

/// The end of a period: a day, which is in it, or a time, which is not.
#[derive(Debug, Clone)]
struct Until {
    typed: String,
    before: Timestamp,
}

fn until(text: &str) -> Result<Until, String> {
    let mut before = ledger::day_or_time(text)?;
    if text.parse::<Date>().is_ok() && !text.contains(['T', 't', ' ']) {
        before = before.checked_add(24.hours()).map_err(|error| error.to_string())?;
    }
    Ok(Until { typed: text.to_owned(), before })
}

pub(super) fn prepare(reader: &Reader, selection: Selection) -> anyhow::Result<Prepared<'_>> {
    Prepared::new(reader, selection, Timestamp::now()).map_err(asked)
}

/// Everything but the ledger is for whoever asked to put right.
pub(super) fn asked(error: ReportError) -> anyhow::Error {
    match error {
        ReportError::Ledger(error) => error.into(),
        ReportError::Asked(why) => BadInput(why).into(),
        error @ ReportError::Io(_) => error.into(),
    }
}

/// On a terminal only, and only when it takes long enough to be seen.
pub(super) fn progress_bar(screen: &Screen) -> ProgressBar {
    if !screen.is_text() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(0);
    let template = "reading {bar:40} {human_pos} of {human_len} entries, {eta} left";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}
