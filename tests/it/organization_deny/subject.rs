//! The principals that a service control policy denies, what was stolen from them, and those who are not meant.

use crate::scene::{HOME, MANAGEMENT, Ran, SECURITY, SHOP, Scene, Setting, policy};
use crate::thief::Thief;
use serde_json::{Value, json};
use std::process::Stdio;

pub const SIGNED: [&str; 4] = ["--by", "Ada", "--reason", "ticket 4711"];

/// Whom it denies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Row {
    Role,
    IdentityCenter,
    User,
    Root,
    Federated,
}

pub const ROWS: [Row; 5] = [Row::Role, Row::IdentityCenter, Row::User, Row::Root, Row::Federated];

const SSO: &str = "AWSReservedSSO_Admin_0123456789abcdef";

pub struct Subject {
    pub row: Row,
    pub scene: Scene,
    pub management: Thief,
    pub stolen: Thief,
    pub others: Vec<(&'static str, Thief)>,
    named: Value,
}

/// An organization that lets the hub write service control policies.
pub fn delegated(mode: &str) -> Scene {
    let mut hub_policy = policy("hub-role-permissions.json");
    let writes = policy("hub-role-organization-deny.json")["Statement"].as_array().expect("a list").clone();
    hub_policy["Statement"].as_array_mut().expect("a list").extend(writes);
    let mut member_policy = policy("member-role-permissions.json");
    let users = policy("member-role-users.json")["Statement"].as_array().expect("a list").clone();
    member_policy["Statement"].as_array_mut().expect("a list").extend(users);
    let delegation_policy = policy("organization-deny-delegation.json");
    let scene = Scene::with(Setting {
        hub_policy,
        member_policy,
        delegation_policy,
        management_member_role: true,
        ..Setting::default()
    });
    scene.configure(&rule(mode));
    scene
}

pub fn rule(mode: &str) -> String {
    format!(
        "mode = \"enforce\"\n[[rules]]\nname = \"organization\"\ntypes = [\"UnauthorizedAccess:IAMUser/*\"]\nremedy = \"organization_deny\"\n{mode}"
    )
}

pub const ENFORCE: &str = "mode = \"enforce\"\n";

fn all() -> Value {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
}

/// What leaks, and how the finding names it.
fn make(scene: &Scene, row: Row, account: &str) -> (Value, Value) {
    let post = |path: &str, body: Value| scene.post(path, &body);
    let (credentials, mut named) = match row {
        Row::Role => {
            scene.role(account, "web");
            (scene.session(account, "web", "i-0123456789abcdef0"), json!({"role": "web"}))
        }
        Row::IdentityCenter => {
            let role = json!({"account": account, "name": SSO, "path": "/aws-reserved/sso.amazonaws.com/", "instance_profile": false, "policy": all()});
            post("roles", role);
            let session = json!({"account": account, "role": SSO, "session_name": "alice@example.com"});
            (post("sessions", session), json!({"role": SSO}))
        }
        Row::User => {
            let user = post("users", json!({"account": account, "name": "eve", "policy": all()}));
            (user["access_keys"][0].clone(), json!({"user": "eve", "principal_id": user["user_id"]}))
        }
        Row::Root => (
            post("root-keys", json!({"account": account})),
            json!({"user": "Root", "user_type": "Root", "principal_id": account}),
        ),
        Row::Federated => {
            post("users", json!({"account": account, "name": "broker", "policy": all()}));
            let session = json!({"account": account, "user": "broker", "federated_user": "carol"});
            let named = json!({"user": "carol", "user_type": "FederatedUser", "principal_id": format!("{account}:carol")});
            (post("sessions", session), named)
        }
    };
    named["access_key_id"] = credentials["access_key_id"].clone();
    if named.get("principal_id").is_none() {
        named["principal_id"] = credentials["principal_id"].clone();
    }
    (credentials, named)
}

/// GuardDuty reports it; gives the id of the finding.
fn report(scene: &Scene, account: &str, named: &Value) -> String {
    let mut body = json!({"account": SECURITY, "region": HOME, "member": account});
    for (key, value) in named.as_object().expect("an object") {
        body[key] = value.clone();
    }
    let answer = scene.post("findings/exfiltration", &body);
    answer["finding_id"].as_str().expect("an id").to_owned()
}

/// A theft from such a principal in an account.
pub fn theft(scene: &Scene, row: Row, account: &str) -> (Thief, String) {
    let (credentials, named) = make(scene, row, account);
    (scene.thief(&credentials), report(scene, account, &named))
}

impl Subject {
    pub fn new(row: Row) -> Self {
        Self::at(row, 0, "")
    }

    /// The theft happens this many seconds from now, by AWS's clock.
    pub fn at(row: Row, seconds: i64, keys: &str) -> Self {
        let scene = delegated(ENFORCE);
        if seconds != 0 {
            scene.advance_clock(seconds);
        }
        scene.configure(&format!("{keys}{}", rule(ENFORCE)));
        let (credentials, named) = make(&scene, row, SHOP);
        report(&scene, SHOP, &named);
        scene.role(SHOP, "batch");
        let mut others =
            vec![("another role", scene.thief(&scene.session(SHOP, "batch", "i-0bbbbbbbbbbbbbbbb")))];
        let bob = scene.post("users", &json!({"account": SHOP, "name": "bob", "policy": all()}));
        others.push(("another user", scene.thief(&bob["access_keys"][0])));
        if row == Row::IdentityCenter {
            let bob = json!({"account": SHOP, "role": SSO, "session_name": "bob@example.com"});
            others.push(("another person", scene.thief(&scene.post("sessions", &bob))));
        }
        let management = Thief::operator(&scene, MANAGEMENT);
        Self { row, stolen: scene.thief(&credentials), others, management, named, scene }
    }

    pub fn id(&self) -> String {
        let list = self.scene.rescind(&["-o", "jsonl", "list"]).code(0).json();
        list[0]["remediation"].as_str().expect("an id").to_owned()
    }

    pub fn state(&self) -> String {
        let list = self.scene.rescind(&["-o", "jsonl", "list"]).code(0).json();
        list[0]["state"].as_str().expect("a state").to_owned()
    }

    /// The same principal is reported again.
    pub fn report(&self) {
        report(&self.scene, SHOP, &self.named);
    }

    pub fn release(&self, more: &[&str]) -> Ran {
        self.scene
            .rescind(&[&["release", "--yes", &self.id(), "-o", "jsonl"][..], &SIGNED[..], more].concat())
    }

    pub fn set(&self, switch: &str, value: Value) {
        self.scene.post("switches", &json!({switch: value}));
    }

    /// Runs and is killed while a call of `operation` is held.
    pub fn kill(&self, args: &[&str], operation: &str, when: &str) {
        self.scene.hold(operation, when);
        let mut command = self.scene.command(args);
        let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut process = quiet.spawn().expect("the binary starts");
        self.scene.held(operation);
        process.kill().expect("killed");
        process.wait().expect("dead");
        self.scene.release(operation);
    }

    /// The names of the control policies on the account, and what ours says.
    pub fn there(&self) -> (Vec<String>, Option<Value>) {
        let all = self.management.attached_scps(SHOP);
        let ours = all.iter().find(|(name, _)| name == &format!("rescind-{SHOP}"));
        let ours = ours.map(|(_, content)| serde_json::from_str(content).expect("JSON"));
        (all.iter().map(|(name, _)| name.clone()).collect(), ours)
    }

    #[track_caller]
    pub fn revoke(&self) {
        self.is_allowed();
        self.scene.run_once().counts(json!({"revoked": 1}));
        self.is_denied();
    }

    #[track_caller]
    pub fn is_allowed(&self) {
        assert_eq!(self.stolen.list_users(), Ok(()), "{:?}", self.row);
        self.others_go_on();
    }

    #[track_caller]
    pub fn is_denied(&self) {
        assert_eq!(self.stolen.list_users(), Err("AccessDenied".to_owned()), "{:?}", self.row);
        self.others_go_on();
    }

    #[track_caller]
    pub fn others_go_on(&self) {
        for (who, other) in &self.others {
            assert_eq!(other.list_users(), Ok(()), "{:?}: {who}", self.row);
        }
    }

    #[track_caller]
    pub fn ledger_is_whole(&self) {
        self.scene.rescind(&["ledger", "verify"]).code(0);
    }
}
