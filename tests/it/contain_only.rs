//! `remedy = "quarantine"` with a remediation role that can write no policy: a role or user is held until a person
//! releases it.

use crate::scene::{HOME, SECURITY, SHOP, Scene, Setting, policy};
use crate::thief::Thief;
use crate::watching::Watching;
use serde_json::{Value, json};

const POLICY: &str = "arn:aws:iam::222222222222:policy/rescind/Quarantine";
const SIGNED: [&str; 4] = ["--by", "Ada", "--reason", "ticket 4711"];
const HOLDS: &str = "mode = \"enforce\"\nremedy = \"quarantine\"\n";

/// A principal whose credentials leak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Row {
    Role,
    User,
}

const ROWS: [Row; 2] = [Row::Role, Row::User];

struct Subject {
    row: Row,
    scene: Scene,
    stolen: Thief,
}

impl Subject {
    fn new(row: Row) -> Self {
        Self::at(row, 0, "")
    }

    /// The theft happens this many seconds from now, by AWS's clock.
    fn at(row: Row, seconds: i64, keys: &str) -> Self {
        let member_policy = policy("member-role-contain-only.json");
        let scene = Scene::with(Setting { member_policy, ..Setting::default() });
        if seconds != 0 {
            scene.advance_clock(seconds);
        }
        let keys = match row {
            Row::Role => format!("{keys}{HOLDS}"),
            Row::User => format!(
                "{keys}{HOLDS}[[rules]]\nname = \"users\"\ntypes = [\"UnauthorizedAccess:IAMUser/*\"]\n"
            ),
        };
        scene.configure(&keys);
        let stolen = match row {
            Row::Role => scene.theft(SHOP, "web").0,
            Row::User => {
                let all = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]});
                let user = scene.post("users", &json!({"account": SHOP, "name": "web", "policy": all}));
                let key = &user["access_keys"][0];
                let named = json!({"account": SECURITY, "region": HOME, "member": SHOP, "user": "web", "access_key_id": key["access_key_id"]});
                scene.post("findings/exfiltration", &named);
                scene.thief(key)
            }
        };
        Self { row, scene, stolen }
    }

    fn operator(&self) -> Thief {
        Thief::operator(&self.scene, SHOP)
    }

    fn attached(&self) -> Vec<String> {
        self.operator().attached_policies("web", self.row == Row::User)
    }

    fn listed(&self) -> Value {
        self.scene.rescind(&["-o", "jsonl", "list"]).code(0).json().remove(0)
    }

    fn release(&self) -> crate::scene::Ran {
        let id = self.listed()["remediation"].as_str().expect("an id").to_owned();
        self.scene.rescind(&[&["release", "--yes", &id][..], &SIGNED[..]].concat())
    }

    fn detach(&self) {
        let (operator, user) = (self.operator(), self.row == Row::User);
        let done = if user {
            operator.detach_user_policy("web", POLICY)
        } else {
            operator.detach_role_policy("web", POLICY)
        };
        assert_eq!(done, Ok(()));
    }

    #[track_caller]
    fn is_denied(&self) {
        self.stolen.is_denied();
        assert_eq!(self.attached(), [POLICY], "{:?}", self.row);
    }

    #[track_caller]
    fn is_allowed(&self) {
        self.stolen.is_allowed();
        assert_eq!(self.attached(), [""; 0], "{:?}", self.row);
    }
}

#[test]
fn a_plan_changes_nothing_and_says_what_it_would_do() {
    for row in ROWS {
        let subject = Subject::new(row);
        let plan = subject.scene.rescind(&["plan", "-o", "jsonl"]).code(0).json();
        assert_eq!(
            (&plan[0]["decision"], &plan[0]["change"]["means"]),
            (&json!("remediate"), &json!("quarantine"))
        );
        subject.scene.rescind(&["plan"]).code(0).says("until this is released");
        assert_eq!(subject.scene.writes(), 0);
        subject.is_allowed();
    }
}

#[test]
fn it_is_held_whatever_the_time_until_a_person_releases_it() {
    for row in ROWS {
        let keys = "max_finding_age = \"100h\"\nsweep = \"on\"\n";
        let subject = Subject::at(row, -48 * 3600, keys);
        subject.scene.run_once().counts(json!({"revoked": 1}));
        subject.is_denied();
        let listed = subject.listed();
        assert_eq!(
            (&listed["state"], &listed["proof"]),
            (&json!("revoked"), &json!("simulated")),
            "{listed}"
        );
        // No session outlives it, and no time ends it.
        subject.scene.advance_clock(48 * 3600);
        subject.scene.rescind(&["recheck"]).code(0);
        assert_eq!(
            (subject.listed()["state"].clone(), subject.attached()),
            (json!("revoked"), vec![POLICY.to_owned()])
        );
        subject.release().code(0).says("released");
        assert_eq!(subject.attached(), [""; 0]);
        subject.scene.rescind(&["ledger", "verify"]).code(0);
    }
}

#[test]
fn twice_is_once() {
    for row in ROWS {
        let subject = Subject::new(row);
        subject.scene.run_once();
        let writes = subject.scene.writes();
        subject.scene.run_once().counts(json!({"seen_before": 1}));
        subject.scene.rescind(&["recheck"]).code(0);
        assert_eq!(subject.scene.writes(), writes, "{row:?}");
        subject.is_denied();
    }
}

#[test]
fn what_somebody_detaches_is_attached_again() {
    for row in ROWS {
        let subject = Subject::new(row);
        subject.scene.run_once();
        subject.detach();
        subject.stolen.is_allowed();
        subject.scene.rescind(&["recheck"]).code(5);
        subject.is_denied();
        assert!(subject.scene.codes("alert").contains(&"deny_removed".to_owned()), "{row:?}");
    }
}

/// What a person attached before stays attached.
#[test]
fn a_release_leaves_what_was_there_before() {
    let subject = Subject::new(Row::Role);
    assert_eq!(subject.operator().attach_role_policy("web", POLICY), Ok(()));
    subject.scene.run_once();
    subject.is_denied();
    subject.release().code(0);
    subject.is_denied();
}

#[test]
fn killed_at_each_write_it_ends_attached_and_released_it_is_gone() {
    for row in ROWS {
        let kind = if row == Row::User { "User" } else { "Role" };
        for when in ["before", "after"] {
            let subject = Subject::new(row);
            subject.scene.kill_at(&format!("Attach{kind}Policy"), when);
            subject.scene.run_once();
            subject.is_denied();
            assert_eq!(subject.listed()["state"], "revoked", "{row:?} {when}");
            subject.release().code(0);
            subject.is_allowed();
            subject.scene.rescind(&["ledger", "verify"]).code(0);
        }
    }
}

/// An altered or a missing policy is not attached: nothing would be denied by it.
#[test]
fn without_a_policy_that_denies_everything_a_person_is_needed() {
    let open = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
    for row in ROWS {
        let subject = Subject::new(row);
        assert_eq!(subject.operator().create_policy_version(POLICY, open), Ok(()));
        subject.scene.poll().code(5).has_code("no_quarantine");
        subject.is_allowed();
        assert_eq!(subject.listed()["state"], "blocked", "{row:?}");
    }
    let subject = Subject::new(Row::Role);
    subject.operator().delete_policy(POLICY);
    subject.scene.poll().code(5).has_code("no_quarantine");
}

/// Three round trips, as for every role: enter, look, attach.
#[test]
fn it_attaches_in_the_third_round_trip() {
    let subject = Subject::new(Row::Role);
    subject.scene.run_once();
    let calls: Vec<String> = subject
        .scene
        .calls()
        .iter()
        .filter(|call| call["account"] == SHOP)
        .map(|call| call["operation"].as_str().expect("a name").to_owned())
        .collect();
    let attach = calls.iter().position(|call| call == "AttachRolePolicy").expect("attached");
    let (mut before, expected) =
        (calls[..attach].to_vec(), ["GetPolicy", "GetPolicyVersion", "GetRole", "ListAttachedRolePolicies"]);
    before.retain(|call| call != "AssumeRole" && call != "GetPolicy" && call != "GetPolicyVersion");
    before.sort();
    assert_eq!(before, expected[2..], "{calls:?}");
}

/// The quarantine of a role that is held is not lifted by a remediation that had it for some minutes.
#[test]
fn what_another_remediation_lifts_stays_on_who_is_held() {
    let scene = Scene::new();
    scene.configure("mode = \"enforce\"\npoll_interval = \"5s\"\nquarantine = \"1h\"\n");
    scene.watch();
    let mut service = Watching::start(&scene, &[]);
    scene.theft(SHOP, "web");
    scene.wait(|| !scene.entries_of("quarantined").is_empty());
    scene.configure(
        "mode = \"enforce\"\nremedy = \"quarantine\"\npoll_interval = \"5s\"\nquarantine = \"1h\"\n",
    );
    service.signal("HUP");
    service.until(crate::log::CONFIGURATION_READ);
    scene.advance_clock(120);
    let session = scene.session(SHOP, "web", "i-0123456789abcdef0");
    scene.report(SHOP, "web", &session, json!({}));
    scene.wait(|| scene.entries_of("proof").len() >= 2);
    scene.configure(
        "mode = \"enforce\"\nremedy = \"quarantine\"\npoll_interval = \"5s\"\nquarantine = \"0s\"\n",
    );
    service.signal("HUP");
    service.until(crate::log::CONFIGURATION_READ);
    scene.wait(|| !scene.entries_of("lifted").is_empty());
    assert_eq!(Thief::operator(&scene, SHOP).attached_policies("web", false), [POLICY]);
    assert_eq!(service.stop(), 0);
    scene.rescind(&["ledger", "verify"]).code(0);
}

/// A service in which one remediation had the quarantine beside its deny, and another has it as its remedy.
fn both(first: &str, then: &str) -> (Scene, Watching, [String; 2]) {
    let scene = Scene::new();
    let head = "mode = \"enforce\"\npoll_interval = \"5s\"\nquarantine = \"1h\"\n";
    scene.configure(&format!("{head}{first}"));
    scene.watch();
    let mut service = Watching::start(&scene, &[]);
    scene.theft(SHOP, "web");
    scene.wait(|| !scene.entries_of("proof").is_empty());
    scene.configure(&format!("{head}{then}"));
    service.signal("HUP");
    service.until(crate::log::CONFIGURATION_READ);
    scene.advance_clock(120);
    let session = scene.session(SHOP, "web", "i-0123456789abcdef0");
    scene.report(SHOP, "web", &session, json!({}));
    scene.wait(|| scene.entries_of("proof").len() >= 2);
    let id = |number: usize| {
        let intent = scene.entries_of("intent").remove(number);
        intent["remediation"].as_str().expect("an id").to_owned()
    };
    let ids = [id(0), id(1)];
    (scene, service, ids)
}

const HELD: &str = "remedy = \"quarantine\"\n";

#[test]
fn released_one_after_the_other_nothing_is_left() {
    for (first, then) in [("", HELD), (HELD, "")] {
        for order in [[0, 1], [1, 0]] {
            let (scene, service, ids) = both(first, then);
            let attached = || Thief::operator(&scene, SHOP).attached_policies("web", false).len();
            let release = |number: usize| {
                scene.rescind(&[&["release", "--yes", &ids[number]][..], &SIGNED[..]].concat()).code(0);
            };
            release(order[0]);
            // The other one needs it as well.
            assert_eq!(attached(), 1, "{first:?} {order:?}");
            release(order[1]);
            assert_eq!(attached(), 0, "{first:?} {order:?}");
            assert_eq!(service.stop(), 0);
            scene.rescind(&["ledger", "verify"]).code(0);
        }
    }
}
