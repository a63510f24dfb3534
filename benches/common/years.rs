//! What a large organization has after years: remediations in many accounts, among them held ones and some whose thief
//! left doors open, with findings that nothing is done about, alerts and calls around them.

use rescind::remediation::{AlertCode, Draft, Entry, Event, Trace};
use rusqlite::Connection;
use serde_json::json;
use std::path::Path;

/// A ledger that rescind wrote: entries of every kind, as they come.
const TEMPLATE: &str = "tests/it/ledgers/fixed.db";

/// One remediation of so many is held; is pursued, with doors left open; comes with an alert. Nobody has seen to one alert
/// of so many.
const HELD: usize = 500;
const PURSUED: usize = 50;
const ALERT: usize = 25;
const UNSEEN: usize = 8;

/// Calls of a thief that matter, in an incident that was pursued; and how many of them are doors.
const ACTIVITIES: usize = 50;
const DOORS: usize = 2;

/// Findings, for each remediation, about which nothing is done.
const SKIPPED: usize = 15;

/// Accounts and roles in each.
const ACCOUNTS: usize = 2000;
const ROLES: usize = 20;

const POLICY: &str = "arn:aws:iam::300000000000:policy/rescind/Quarantine";

/// What there is after years.
pub struct Years {
    /// Of one remediation, the finding first.
    story: Vec<String>,
    /// A finding and the decision to do nothing.
    skipped: Vec<String>,
    /// A call of the hub's.
    call: String,
}

impl Years {
    /// From a ledger that is part of the tests.
    pub fn read() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(TEMPLATE);
        let connection =
            Connection::open(format!("file:{}?immutable=1", path.display())).expect("the template");
        let bodies = |condition: &str| -> Vec<String> {
            let sql = format!("SELECT CAST(body AS TEXT) FROM entries WHERE {condition} ORDER BY seq");
            let mut statement = connection.prepare(&sql).expect("entries");
            let rows = statement.query_map([], |row| row.get(0)).expect("rows");
            rows.collect::<Result<_, _>>().expect("bodies")
        };
        let skipped = "(SELECT finding FROM entries WHERE kind = 'decision' AND account = '333333333333')";
        Self {
            story: bodies(
                "remediation IS NOT NULL OR seq = (SELECT min(seq) FROM entries WHERE kind = 'finding')",
            ),
            skipped: bodies(&format!("finding = {skipped} AND kind IN ('finding', 'decision')")),
            call: bodies("kind = 'call' AND remediation IS NULL").swap_remove(0),
        }
    }

    /// All about remediation `number`, in so many entries.
    pub fn one(&self, number: usize, entries: usize) -> Vec<Draft> {
        let mut all = self.remediation(number);
        for skipped in 0..SKIPPED {
            let id = format!("5{skipped:02x}{number:029x}");
            let of_account = |body: &String| body.replace("333333333333", &account(number));
            let renamed = |body: String| draft(&body.replace("e98ecedad24512710c6e7159e9f30030", &id));
            all.extend(self.skipped.iter().map(of_account).map(renamed));
        }
        let call = draft(&self.call);
        while all.len() < entries {
            all.push(call.clone());
        }
        all
    }

    fn remediation(&self, number: usize) -> Vec<Draft> {
        let (id, key) = (format!("{number:032x}"), format!("ASIA{number:016}"));
        let role = format!("role-{:02}", number / ACCOUNTS % ROLES);
        let renamed = |body: &String| {
            let text = body.replace("e0452e04bb43588bbf8e4660d0b368a7", &id);
            let text = text.replace("r-2fb355288a05", &remediation(number));
            let text = text.replace("222222222222", &account(number)).replace("shop-web", &role);
            text.replace("ASIATEA6FTRLNAI2HAUS", &key)
        };
        let mut texts: Vec<String> = self.story.iter().map(renamed).collect();
        if number.is_multiple_of(HELD) {
            // The finding and its decision.
            texts.truncate(2);
            texts[1] = texts[1].replace("\"verdict\":\"remediate\"", "\"verdict\":\"hold\"");
            return texts.iter().map(|text| draft(text)).collect();
        }
        let mut all: Vec<Draft> = texts.iter().map(|text| draft(text)).collect();
        let subject = all[1].subject.clone();
        // It is quarantined for a moment, as every principal is.
        for event in [
            Event::Quarantining { policy: POLICY.into() },
            Event::Quarantined { policy: POLICY.into() },
            Event::Lifting { policy: POLICY.into() },
            Event::Lifted { note: None },
        ] {
            all.push(Draft { subject: subject.clone(), event });
        }
        if number.is_multiple_of(PURSUED) {
            all.push(Draft { subject: subject.clone(), event: trace(number, &key) });
        }
        if number.is_multiple_of(ALERT) {
            let (text, what_to_do) = ("the quarantine stays".into(), "Detach it by hand.".into());
            let event = Event::Alert { code: AlertCode::QuarantineStays, text, what_to_do };
            all.push(Draft { subject: subject.clone(), event });
        }
        all.push(Draft { subject, event: Event::Expired { reason: "the last of them ran out".into() } });
        all
    }

    /// Somebody has seen to most of these alerts.
    pub fn seen_to(alerts: &[Entry]) -> Vec<Draft> {
        let seen = |alert: &Entry| {
            let answer = json!({"by": "alice", "reason": "detached", "os_user": "alice", "aws_identity": null, "judged": null});
            let answer = serde_json::from_value(answer).expect("an answer");
            let event = Event::AlertAcknowledged { alert: alert.seq, answer };
            Draft { subject: alert.subject.clone(), event }
        };
        alerts
            .iter()
            .enumerate()
            .filter(|(number, _)| !number.is_multiple_of(UNSEEN))
            .map(|(_, alert)| seen(alert))
            .collect()
    }
}

fn remediation(number: usize) -> String {
    format!("r-{number:012x}")
}

fn account(number: usize) -> String {
    (300_000_000_000 + number % ACCOUNTS).to_string()
}

fn draft(body: &str) -> Draft {
    let Entry { subject, event, .. } = serde_json::from_str(body).expect("an entry");
    Draft { subject, event }
}

/// What CloudTrail showed of a thief.
fn trace(number: usize, key: &str) -> Event {
    let activity = |one: usize| {
        let is_door = one < DOORS;
        json!({
            "meaning": if is_door { "persists" } else { "takes" },
            "thing": if is_door { "access_key" } else { "secret" },
            "call": if is_door { "iam:CreateAccessKey" } else { "secretsmanager:GetSecretValue" },
            "at": "2026-11-22T07:43:46Z", "account": account(number), "region": "eu-central-1", "by": key,
            "who": null, "source_ip": "203.0.113.77", "event": format!("{number:08x}-0000-4000-8000-{one:012x}"),
            "error_code": null, "object": format!("arn:aws:iam::{}:user/build-{one}", account(number)),
            "names": {"user": format!("build-{one}"), "key": format!("AKIA{number:08}{one:08}")},
        })
    };
    let activities: Vec<_> = (0..ACTIVITIES).map(activity).collect();
    let trace =
        json!({"access_key": key, "account": account(number), "activities": activities, "ended": true});
    Event::Trace(Box::new(serde_json::from_value::<Trace>(trace).expect("a trace")))
}
