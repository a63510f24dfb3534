//! The rows of the table: a principal, what was stolen from it, and those who are not meant.

use crate::scene::{HOME, POLICY, SECURITY, SHOP, Scene, Setting};
use crate::thief::Thief;
use serde_json::{Value, json};

/// The role's or the user's name.
pub const NAME: &str = "web";

/// The session that is stolen, and one that is not.
const STOLEN: &str = "i-0123456789abcdef0";
const OTHER_SESSION: &str = "i-0bbbbbbbbbbbbbbbb";

const OF_ROLES: &str = "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS";
const OF_USERS: &str = "UnauthorizedAccess:IAMUser/MaliciousIPCaller";

/// A remedy and what it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Row {
    /// `role_sessions`: all sessions of a role.
    RoleSessions,
    /// `role_sessions` with `scope = "session"`.
    OneSession,
    /// `user_keys`, and a long-term key leaked.
    UserKey,
    /// `user_keys`, and a session of GetSessionToken leaked.
    UserSession,
}

impl Row {
    pub fn is_user(self) -> bool {
        matches!(self, Self::UserKey | Self::UserSession)
    }

    /// The configuration: these keys, and the row's rule with more in it.
    pub fn head(self, keys: &str, rule: &str) -> String {
        let (kind, how) = match self {
            Self::RoleSessions => (OF_ROLES, ""),
            Self::OneSession => (OF_ROLES, "scope = \"session\"\n"),
            Self::UserKey | Self::UserSession => (OF_USERS, "remedy = \"user_keys\"\n"),
        };
        format!(
            "mode = \"enforce\"\n{keys}[[rules]]\nname = \"conformance\"\ntypes = [\"{kind}\"]\n{how}{rule}"
        )
    }

    /// The writes of a revocation, in order.
    pub fn revokes_by(self) -> &'static [&'static str] {
        match self {
            Self::RoleSessions | Self::OneSession => &["PutRolePolicy"],
            Self::UserKey => &["UpdateAccessKey", "PutUserPolicy"],
            Self::UserSession => &["PutUserPolicy"],
        }
    }

    /// The writes of a release, in order.
    pub fn releases_by(self) -> &'static [&'static str] {
        match self {
            Self::RoleSessions | Self::OneSession => &["DeleteRolePolicy"],
            Self::UserKey => &["DeleteUserPolicy", "UpdateAccessKey"],
            Self::UserSession => &["DeleteUserPolicy"],
        }
    }

    /// The emulator's switch about `put`, `delete` or `get` of the policy.
    pub fn switch(self, verb: &str, how: &str) -> String {
        let kind = if self.is_user() { "user" } else { "role" };
        format!("{verb}_{kind}_policy_{how}")
    }

    /// How long the longest session lives that is denied, in hours; and a deny beyond that.
    pub fn hours(self) -> i64 {
        if self.is_user() { 36 } else { 24 }
    }

    fn setting(self) -> Setting {
        if self.is_user() { Setting::default().with_users() } else { Setting::default() }
    }
}

/// What a principal has of what a remedy changes, as its account's operator sees it: the text under our
/// name, letter by letter, and the access keys.
pub type There = (Option<String>, Vec<(String, bool)>);

/// A principal whose credentials are stolen, and the finding about it.
pub struct Subject {
    pub row: Row,
    pub scene: Scene,
    pub operator: Thief,
    /// What the thief has.
    pub stolen: Vec<Thief>,
    /// The credentials that the finding names.
    pub named: Value,
    /// The id of another long-term key of a user.
    pub other_key: Value,
    /// Those who must go on.
    pub bystanders: Vec<(&'static str, Thief)>,
    pub finding: String,
    /// When it was seen.
    pub seen: String,
}

impl Subject {
    pub fn new(row: Row) -> Self {
        Self::at(row, 0, "")
    }

    /// The theft happens this many seconds from now, by AWS's clock.
    pub fn at(row: Row, seconds: i64, keys: &str) -> Self {
        let scene = Scene::with(row.setting());
        if seconds != 0 {
            scene.advance_clock(seconds);
        }
        scene.configure(&row.head(keys, ""));
        let operator = Thief::operator(&scene, SHOP);
        let mut subject = Self {
            row,
            operator,
            stolen: Vec::new(),
            named: Value::Null,
            other_key: Value::Null,
            bystanders: Vec::new(),
            finding: String::new(),
            seen: String::new(),
            scene,
        };
        let (named, more) = subject.make();
        subject.named = named;
        subject.bystanders = subject.others(more.as_ref());
        subject.other_key = more.map_or(Value::Null, |key| key["access_key_id"].clone());
        subject.stolen = subject.loot();
        (subject.finding, subject.seen) = subject.report(&subject.named, json!({}));
        subject
    }

    /// From now on with these keys and more in the rule.
    pub fn configure(&self, keys: &str, rule: &str) {
        self.scene.configure(&self.row.head(keys, rule));
    }

    /// Makes the principal; gives the credentials that leak, and of a user a long-term key that does not.
    pub fn make(&self) -> (Value, Option<Value>) {
        let scene = &self.scene;
        if self.row.is_user() {
            let user = self.user(NAME, 2);
            let key = |number: usize| user["access_keys"][number].clone();
            let named = if self.row == Row::UserKey { key(0) } else { self.session() };
            return (named, Some(key(1)));
        }
        // It may do nothing about its own policies.
        let some = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["iam:ListUsers", "s3:*"], "Resource": "*"}]});
        scene.post("roles", &json!({"account": SHOP, "name": NAME, "policy": some}));
        (scene.session(SHOP, NAME, STOLEN), None)
    }

    fn user(&self, name: &str, keys: u32) -> Value {
        let all = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]});
        self.scene.post("users", &json!({"account": SHOP, "name": name, "policy": all, "keys": keys}))
    }

    /// A session of the principal: of a role the one that leaks, of a user any.
    pub fn session(&self) -> Value {
        if self.row.is_user() {
            // As long as GetSessionToken makes one at most.
            let longest = self.row.hours() * 3600;
            self.scene.post("sessions", &json!({"account": SHOP, "user": NAME, "duration": longest}))
        } else {
            self.scene.session(SHOP, NAME, STOLEN)
        }
    }

    /// Of a key that leaked the thief has a session as well.
    fn loot(&self) -> Vec<Thief> {
        let mut loot = vec![self.scene.thief(&self.named)];
        if self.row == Row::UserKey {
            loot.push(self.scene.thief(&self.session()));
        }
        loot
    }

    fn others(&self, more: Option<&Value>) -> Vec<(&'static str, Thief)> {
        let scene = &self.scene;
        let mut others: Vec<_> =
            more.map(|key| ("another key of the user", scene.thief(key))).into_iter().collect();
        if self.row.is_user() {
            others.push(("another user", scene.thief(&self.user("bob", 1)["access_keys"][0])));
        } else {
            scene.role(SHOP, "batch");
            others.push(("another role", scene.thief(&scene.session(SHOP, "batch", OTHER_SESSION))));
        }
        if self.row == Row::OneSession {
            let other = scene.session(SHOP, NAME, OTHER_SESSION);
            others.push(("another session of the same role", scene.thief(&other)));
        }
        others
    }

    /// GuardDuty reports the use of credentials. Gives the finding's id, and when it was seen.
    pub fn report(&self, credentials: &Value, more: Value) -> (String, String) {
        let kind = if self.row.is_user() { "user" } else { "role" };
        let mut body = json!({
            "account": SECURITY, "region": HOME, "member": SHOP, kind: NAME,
            "access_key_id": credentials["access_key_id"],
        });
        if let Some(id) = credentials.get("principal_id") {
            body["principal_id"] = id.clone();
        }
        for (key, value) in more.as_object().expect("an object") {
            body[key] = value.clone();
        }
        let answer = self.scene.post("findings/exfiltration", &body);
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        (text(&answer["finding_id"]), text(&answer["finding"]["updatedAt"]))
    }

    /// Later, after the cutoff: another credential is stolen and reported. Of a user it is a session, of
    /// one session's role a session of another name.
    pub fn stolen_later(&self) -> (Thief, String) {
        self.scene.advance_clock(60);
        let session = match self.row {
            Row::OneSession => self.scene.session(SHOP, NAME, "i-0cccccccccccccccc"),
            _ => self.session(),
        };
        let (finding, _) = self.report(&session, json!({}));
        (self.scene.thief(&session), finding)
    }

    // --- the oracle

    /// The thief is in, and so is everybody else.
    #[track_caller]
    pub fn is_allowed(&self) {
        for (number, thief) in self.stolen.iter().enumerate() {
            assert_eq!(thief.list_users(), Ok(()), "{:?}: credential {number} of the thief", self.row);
        }
        self.others_go_on();
    }

    /// The thief is out, and nobody else is.
    #[track_caller]
    pub fn is_denied(&self) {
        for (number, thief) in self.stolen.iter().enumerate() {
            let answer = thief.list_users().expect_err(&format!("{:?}: credential {number}", self.row));
            // A key that is inactive is as one that does not exist.
            let is_key = self.row == Row::UserKey && number == 0;
            let expected = if is_key { "InvalidClientTokenId" } else { "AccessDenied" };
            assert_eq!(answer, expected, "{:?}: credential {number} of the thief", self.row);
        }
        self.others_go_on();
    }

    #[track_caller]
    pub fn others_go_on(&self) {
        for (who, other) in &self.bystanders {
            assert_eq!(other.list_users(), Ok(()), "{:?}: {who}", self.row);
        }
    }

    /// A session that is issued after the cutoff works.
    #[track_caller]
    pub fn fresh_is_allowed(&self) {
        self.scene.advance_clock(60);
        assert_eq!(self.scene.thief(&self.session()).list_users(), Ok(()), "{:?}: a fresh one", self.row);
    }

    // --- the operator

    pub fn policy(&self) -> Option<String> {
        if self.row.is_user() {
            self.operator.user_policy(NAME, POLICY)
        } else {
            self.operator.role_policy(NAME, POLICY)
        }
    }

    pub fn document(&self) -> Value {
        serde_json::from_str(&self.policy().expect("a policy")).expect("JSON")
    }

    pub fn there(&self) -> There {
        (self.policy(), if self.row.is_user() { self.operator.access_keys(NAME) } else { Vec::new() })
    }

    #[track_caller]
    pub fn put(&self, document: &str) {
        self.put_as(POLICY, document);
    }

    #[track_caller]
    pub fn put_as(&self, policy: &str, document: &str) {
        let put = if self.row.is_user() {
            self.operator.put_user_policy(NAME, policy, document)
        } else {
            self.operator.put_role_policy(NAME, policy, document)
        };
        put.expect("put");
    }

    #[track_caller]
    pub fn delete(&self, policy: &str) {
        delete(&self.operator, self.row, policy).expect("deleted");
    }

    pub fn delete_principal(&self) {
        if self.row.is_user() { self.operator.delete_user(NAME) } else { self.operator.delete_role(NAME) }
    }

    /// A user's key is active again or inactive.
    #[track_caller]
    pub fn set_key(&self, active: bool) {
        let key = self.named["access_key_id"].as_str().expect("a key");
        self.operator.set_access_key(NAME, key, active).expect("set");
    }
}

/// Deletes an inline policy, with somebody's credentials.
pub fn delete(who: &Thief, row: Row, policy: &str) -> crate::thief::Answer {
    if row.is_user() { who.delete_user_policy(NAME, policy) } else { who.delete_role_policy(NAME, policy) }
}
