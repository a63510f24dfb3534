//! A thief who took a session of `web` in one account, and went on from there into two others.

use crate::scene::{BANK, SECURITY, SHOP, Scene};
use crate::thief::Thief;
use serde_json::{Value, json};

/// The configuration in which everything is pursued without asking.
pub const ENFORCE: &str = "mode = \"enforce\"\ncloudtrail = true\npursue = \"enforce\"\n";

/// The address at which GuardDuty saw the thief.
const THIEFS_ADDRESS: &str = "203.0.113.77";

/// A role that principals of any account of the organization may assume, and that may do everything.
pub fn open_role(scene: &Scene, account: &str, name: &str) -> String {
    let all =
        json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]});
    let trusted: Vec<String> =
        [SECURITY, SHOP, BANK].iter().map(|id| format!("arn:aws:iam::{id}:root")).collect();
    let trust = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": trusted}, "Action": "sts:AssumeRole"}]});
    scene.post("roles", &json!({"account": account, "name": name, "policy": all, "trust": trust}));
    format!("arn:aws:iam::{account}:role/{name}")
}

/// A stolen session of `web`, in the hands of the thief at this address.
pub fn stolen(scene: &Scene, address: &str) -> Value {
    let session = scene.session(SHOP, "web", "i-0123456789abcdef0");
    let key = session["access_key_id"].as_str().expect("a key");
    scene.post("cloudtrail", &json!({"addresses": {key: address}}));
    session
}

/// From `web` in SHOP into `batch` in BANK, and from there into `vault` in SECURITY.
pub struct Intrusion {
    pub thieves: Vec<Thief>,
    /// The stolen session.
    pub stolen: Value,
    /// Sessions of `batch` and `vault` that somebody else has.
    pub rightful: Vec<Thief>,
}

impl Intrusion {
    pub fn new(scene: &Scene) -> Self {
        Self::from(scene, THIEFS_ADDRESS)
    }

    pub fn from(scene: &Scene, address: &str) -> Self {
        let intrusion = Self::unreported(scene, address);
        scene.report(SHOP, "web", &intrusion.stolen, json!({}));
        intrusion
    }

    /// The same, which GuardDuty has not noticed.
    pub fn unreported(scene: &Scene, address: &str) -> Self {
        scene.role(SHOP, "web");
        let (batch, vault) = (open_role(scene, BANK, "batch"), open_role(scene, SECURITY, "vault"));
        let stolen = stolen(scene, address);
        let first = scene.thief(&stolen);
        let second = scene.thief(&first.session_of(&batch, "app"));
        let third = scene.thief(&second.session_of(&vault, "app"));
        let rightful = [(BANK, "batch"), (SECURITY, "vault")]
            .map(|(account, role)| scene.thief(&scene.session(account, role, "rightful")));
        Self { thieves: vec![first, second, third], stolen, rightful: rightful.into() }
    }

    /// The thief is out, everywhere, and nobody else is.
    #[track_caller]
    pub fn is_over(&self) {
        self.thieves.iter().for_each(Thief::is_denied);
        self.rightful.iter().for_each(Thief::is_allowed);
    }

    /// The thief is out where he came in, and works in the two other accounts.
    #[track_caller]
    pub fn is_pending(&self) {
        self.thieves[0].is_denied();
        self.thieves[1..].iter().for_each(Thief::is_allowed);
    }
}

/// The remediations, the oldest first: the principal's name, the state, the reason that a person is asked.
pub fn listed(scene: &Scene) -> Vec<[String; 3]> {
    let mut all = scene.rescind(&["list", "-o", "jsonl"]).code(0).json();
    // As times: a text without fractions of a second comes behind one with them.
    let opened = |one: &Value| one["opened_at"].as_str().and_then(|at| at.parse::<jiff::Timestamp>().ok());
    all.sort_by_key(opened);
    let text = |one: &Value, key: &str| one[key].as_str().unwrap_or_default().to_owned();
    all.iter().map(|one| ["principal", "state", "held_code"].map(|key| text(one, key))).collect()
}

/// The same, of which each is in this state.
#[track_caller]
pub fn are(scene: &Scene, wanted: &[[&str; 2]]) {
    let listed = listed(scene);
    let found: Vec<[&str; 2]> = listed.iter().map(|[who, state, _]| [who.as_str(), state.as_str()]).collect();
    assert_eq!(found, wanted, "{listed:?}");
}

/// The ledger can be verified, its tables follow from its entries, and no token of a session is in it.
#[track_caller]
pub fn is_whole_and_keeps_no_secret(scene: &Scene) {
    scene.rescind(&["ledger", "verify"]).code(0);
    scene.rescind(&["ledger", "rebuild", "--check"]).code(0);
    for entry in scene.entries() {
        let text = entry.to_string();
        assert!(!text.contains("sessionToken") && !text.contains("session_token"), "{text}");
    }
}

/// Each activity that is recorded, by CloudTrail's id.
pub fn activities(scene: &Scene) -> Vec<Value> {
    let traces = scene.entries_of("trace");
    let each = traces.iter().filter_map(|entry| entry["data"]["activities"].as_array());
    each.flatten().cloned().collect()
}
