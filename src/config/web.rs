//! The console and the API: their address, who may do what, and how people prove who they are.

use super::bounded::{HOUR, MINUTE, Span};
use super::file_path::FilePath;
use super::opt_outs::OuId;
use super::pattern::Glob;
use super::secret::{Secret, check_url};
use crate::ident::{AccountId, quoted};
use ipnet::IpNet;
use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use url::Url;

/// The console and the API as they are configured.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WebSettings {
    /// The address that people and programs use; none for the one that is listened on.
    pub url: Option<Url>,
    /// The addresses of proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Names by which the service is asked as well.
    pub hosts: Vec<HostName>,
    /// The files of the certificates and of their key, for TLS on the service's own address.
    pub tls: Option<TlsFiles>,
    /// The OpenID provider that people log in with.
    pub oidc: Option<OidcSettings>,
    /// Who may do what. Without a grant, nobody may do more than look, and that from this machine.
    pub grants: Vec<Grant>,
    /// Time after which somebody who logged in must log in again.
    pub session: SignedDuration,
}

impl WebSettings {
    /// What a proxy at this address says of others is believed.
    #[must_use]
    pub fn trusts(&self, address: IpAddr) -> bool {
        self.trusted_proxies.iter().any(|network| network.contains(&address.to_canonical()))
    }
}

/// The files of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificates, the server's own first (PEM).
    pub certificates: PathBuf,
    /// Their key (PEM).
    pub key: PathBuf,
}

/// An OpenID provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OidcSettings {
    /// The provider's issuer, below which its `.well-known/openid-configuration` stands.
    pub issuer: String,
    /// Id of rescind at the provider.
    pub client_id: String,
    /// Where its secret stands; none for a public client, which PKCE protects.
    pub client_secret: Option<Secret>,
    /// What is asked for beside `openid`.
    pub scopes: Vec<String>,
    /// The claim of the ID token that has the groups.
    pub groups_claim: String,
}

/// What somebody may do. Each may do what those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WebRole {
    /// Read.
    Viewer,
    /// Answer what is held, and record that doors are closed.
    Approver,
    /// Order revocations, and release them.
    Operator,
}

impl fmt::Display for WebRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Viewer => "viewer",
            Self::Approver => "approver",
            Self::Operator => "operator",
        })
    }
}

/// Who may do what, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// What they may do.
    pub role: WebRole,
    /// Groups of the OpenID provider.
    pub groups: Vec<String>,
    /// Subjects of the OpenID provider: the claim `sub`.
    pub subjects: Vec<String>,
    /// ARNs of IAM roles and users, with wildcards. A role's session is its role.
    pub arns: Vec<Glob>,
    /// Only for these accounts; together with `ous`, all when both are empty.
    pub accounts: Vec<AccountId>,
    /// Only for accounts in these OUs.
    pub ous: Vec<OuId>,
}

impl Grant {
    /// It is for every account.
    #[must_use]
    pub fn is_everywhere(&self) -> bool {
        self.accounts.is_empty() && self.ous.is_empty()
    }
}

/// The section as it is written.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(inline)]
pub(super) struct RawWeb {
    /// Address of the console that people and programs use, such as `https://rescind.example.com`. Messages link to it,
    /// and no other host name is answered.
    url: Option<PublicUrl>,
    /// Names by which the service is asked as well, such as `rescind.monitoring.svc`. Addresses and `localhost` always are.
    #[schemars(with = "Vec<String>")]
    hosts: Vec<HostName>,
    /// Networks of proxies whose X-Forwarded-For and X-Forwarded-Proto are believed.
    #[schemars(with = "Vec<String>")]
    trusted_proxies: Vec<IpNet>,
    /// File of the certificates for TLS, the server's own first (PEM). It is read again when it changes.
    tls_certificates: Option<FilePath>,
    /// File of their key (PEM).
    tls_key: Option<FilePath>,
    /// OpenID provider that people log in with.
    oidc: Option<RawOidc>,
    /// Who may do what.
    access: Vec<RawGrant>,
    /// Time after which people must log in again: 5m to 24h.
    session: Span<{ 8 * HOUR }, { 5 * MINUTE }, { 24 * HOUR }>,
}

/// An OpenID provider as it is written.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
struct RawOidc {
    /// Issuer: https, or http to this machine.
    issuer: Issuer,
    /// Id of rescind at the provider.
    client_id: String,
    /// File of the secret of rescind at the provider. Without one rescind is a public client, which PKCE protects.
    client_secret_file: Option<FilePath>,
    /// Environment variable with that secret.
    client_secret_env: Option<String>,
    /// What is asked for beside openid.
    #[serde(default = "default_scopes")]
    scopes: Vec<String>,
    /// Claim of the ID token that has the groups.
    #[serde(default = "default_claim")]
    groups_claim: String,
}

fn default_scopes() -> Vec<String> {
    ["profile", "email"].map(str::to_owned).to_vec()
}

fn default_claim() -> String {
    "groups".to_owned()
}

/// Who may do what, as it is written.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
struct RawGrant {
    /// What they may do: a viewer reads, an approver answers as well, an operator orders and releases as well.
    role: WebRole,
    /// Groups of the OpenID provider.
    #[serde(default)]
    groups: Vec<String>,
    /// Subjects of the OpenID provider (the claim `sub`).
    #[serde(default)]
    subjects: Vec<String>,
    /// ARNs of IAM roles and users, with * and ?.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    arns: Vec<PrincipalArn>,
    /// Only for these accounts; without accounts and OUs, for all.
    #[serde(default)]
    accounts: Vec<AccountId>,
    /// Only for accounts in these OUs.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    ous: Vec<OuId>,
}

impl RawWeb {
    /// The settings, with files beside the configuration, in `directory`.
    ///
    /// # Errors
    /// The key that is wrong, and what is expected of it.
    pub fn settings(self, directory: &Path) -> Result<WebSettings, (String, String)> {
        let wrong = |key: &str, why: &str| Err((key.to_owned(), why.to_owned()));
        let tls = match (self.tls_certificates, self.tls_key) {
            (Some(certificates), Some(key)) => {
                Some(TlsFiles { certificates: directory.join(certificates.0), key: directory.join(key.0) })
            }
            (None, None) => None,
            (Some(_), None) => return wrong("tls_certificates", "expected `tls_key` beside it"),
            (None, Some(_)) => return wrong("tls_key", "expected `tls_certificates` beside it"),
        };
        let oidc = match self.oidc.map(|oidc| oidc.settings(directory)).transpose() {
            Ok(oidc) => oidc,
            Err(why) => return wrong("oidc", why),
        };
        let url = self.url.map(|url| url.0);
        if oidc.is_some() && url.is_none() {
            return wrong("oidc", "expected `url` beside it: the provider sends people back to it");
        }
        let mut grants = Vec::new();
        for (index, grant) in self.access.into_iter().enumerate() {
            let RawGrant { role, groups, subjects, arns, accounts, ous } = grant;
            if groups.is_empty() && subjects.is_empty() && arns.is_empty() {
                let why = "expected `groups`, `subjects` or `arns`: it is for nobody";
                return wrong(&format!("access[{index}]"), why);
            }
            let arns = arns.into_iter().map(|arn| arn.0).collect();
            grants.push(Grant { role, groups, subjects, arns, accounts, ous });
        }
        if oidc.is_none() && grants.iter().any(|one| !(one.groups.is_empty() && one.subjects.is_empty())) {
            return wrong("access", "`groups` and `subjects` are those of an OpenID provider: give `oidc`");
        }
        if oidc.is_some() && grants.iter().all(|one| one.groups.is_empty() && one.subjects.is_empty()) {
            return wrong(
                "oidc",
                "expected `access` with `groups` or `subjects` beside it: nobody who logs in may do anything",
            );
        }
        let (hosts, trusted_proxies, session) = (self.hosts, self.trusted_proxies, self.session.0);
        Ok(WebSettings { url, trusted_proxies, hosts, tls, oidc, grants, session })
    }
}

impl RawOidc {
    fn settings(self, directory: &Path) -> Result<OidcSettings, &'static str> {
        let client_secret = match (self.client_secret_file, self.client_secret_env) {
            (Some(file), None) => Some(Secret::File(directory.join(file.0))),
            (None, Some(variable)) => Some(Secret::Variable(variable)),
            (None, None) => None,
            (Some(_), Some(_)) => {
                return Err("expected `client_secret_file` or `client_secret_env`, not both");
            }
        };
        let RawOidc { issuer, client_id, scopes, groups_claim, .. } = self;
        Ok(OidcSettings { issuer: issuer.0, client_id, client_secret, scopes, groups_claim })
    }
}

/// The name of a host, without a port.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct HostName(String);

impl HostName {
    /// The name as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for HostName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let is_one = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_');
        if !text.is_empty() && text.len() <= 253 && text.chars().all(is_one) {
            return Ok(Self(text));
        }
        Err(format!(
            "{}: expected the name of a host, without a port, such as \"rescind.example.com\"",
            quoted(&text)
        ))
    }
}

/// The ARN of a role or user, with wildcards. Of a role without its path: STS does not say that of a session.
#[derive(Deserialize)]
#[serde(try_from = "Glob")]
struct PrincipalArn(Glob);

impl TryFrom<Glob> for PrincipalArn {
    type Error = String;
    fn try_from(glob: Glob) -> Result<Self, String> {
        let text = glob.as_str();
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let ["arn", _, "iam", "", account, resource] = parts[..] else {
            let expected =
                "expected the ARN of a role or user, such as \"arn:aws:iam::111111111111:role/Soar\"";
            return Err(format!("{}: {expected}", quoted(text)));
        };
        if account.len() != 12 || !account.bytes().all(|b| b.is_ascii_digit()) {
            return Err(format!("{}: expected an account of 12 digits, without wildcards", quoted(text)));
        }
        match resource.split('/').collect::<Vec<_>>()[..] {
            ["role", name] if !name.is_empty() => Ok(Self(glob)),
            ["user", .., name] if !name.is_empty() => Ok(Self(glob)),
            ["role", .., _] => {
                Err(format!("{}: leave the path out: STS does not say it of a session", quoted(text)))
            }
            _ => Err(format!("{}: expected role/NAME or user/NAME", quoted(text))),
        }
    }
}

/// The address of the console: a scheme, a host, perhaps a port, and nothing behind that.
#[derive(Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(inline, with = "String")]
struct PublicUrl(Url);

impl TryFrom<String> for PublicUrl {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        // It has a password in it.
        if text.contains('@') {
            return Err("expected a URL without a user and a password (its text is not shown)".to_owned());
        }
        let expected =
            || format!("{}: expected an address such as \"https://rescind.example.com\"", quoted(&text));
        let url = Url::parse(&text).map_err(|_| expected())?;
        let is_plain = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        let is_web = matches!(url.scheme(), "https" | "http") && url.host_str().is_some();
        if !(is_plain && is_web) {
            return Err(expected());
        }
        // Over http whoever is on the way has the session.
        if check_url(&text).is_err() {
            return Err(format!("{}: expected https, or http to this machine", quoted(&text)));
        }
        Ok(Self(url))
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(inline, with = "String")]
struct Issuer(String);

impl TryFrom<String> for Issuer {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        if text.contains('@') {
            return Err("expected a URL without a user and a password (its text is not shown)".to_owned());
        }
        if check_url(&text).is_err() || text.contains(['?', '#']) {
            return Err(format!("{}: expected an https URL, or http to this machine", quoted(&text)));
        }
        Ok(Self(text))
    }
}
