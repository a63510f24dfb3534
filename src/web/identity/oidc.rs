//! The OpenID provider: where it is, how people are sent to it, and what it says of them.

use super::person::{BadToken, Expected, Person, claimed_subject};
use super::provider_http::{NoAnswer, ProviderHttp};
use crate::chain::chain;
use crate::config::{OidcSettings, Secret, SecretError, check_url};
use governor::clock::DefaultClock;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use jiff::{SignedDuration, Timestamp};
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreClientAuthMethod, CoreErrorResponseType, CoreIdToken,
    CoreTokenResponse,
};
use openidconnect::{
    AuthType, AuthorizationCode, ClientId, ClientSecret, CsrfToken, DiscoveryError, EndpointMaybeSet,
    EndpointNotSet, EndpointSet, IssuerUrl, LogoutRequest, Nonce, OAuth2TokenResponse, PkceCodeChallenge,
    PkceCodeVerifier, PostLogoutRedirectUrl, ProviderMetadataWithLogout, RedirectUrl, RefreshToken,
    RequestTokenError, Scope, StandardErrorResponse, TokenResponse,
};
use std::num::NonZeroU32;
use std::sync::Arc;
use tokio::sync::{Mutex, OnceCell};
use url::Url;

/// Duration for which the provider's documents are used.
const FRESH: SignedDuration = SignedDuration::from_hours(1);

/// Interval between attempts to read documents again that are not fresh, while the provider does not answer.
const RETRY: SignedDuration = SignedDuration::from_mins(1);

/// How often a minute the keys are read again because a token names one that is not known.
const KEYS_AGAIN: NonZeroU32 = NonZeroU32::new(6).expect("not zero");

type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// Why nobody can log in by the provider, or one person cannot. It has neither a secret nor a token.
#[derive(Debug, thiserror::Error)]
pub(in crate::web) enum LoginError {
    #[error("the secret of rescind at the provider cannot be read")]
    Secret(#[source] SecretError),
    #[error("the OpenID provider does not answer")]
    NoAnswer(#[from] NoAnswer),
    #[error("the OpenID provider does not answer as one: {0}")]
    NotOpenId(String),
    #[error("the OpenID provider refused it ({0})")]
    Refused(String),
    #[error("the ID token is not valid: {why}")]
    BadToken {
        why: BadToken,
        /// The subject that it claims.
        claim: Option<String>,
    },
}

/// A login that was begun: where the browser goes, and what comes back must fit.
pub(in crate::web) struct Begun {
    pub address: Url,
    pub state: String,
    pub nonce: Nonce,
    pub verifier: PkceCodeVerifier,
}

/// Somebody whom the provider vouches for.
pub(in crate::web) struct Vouched {
    pub person: Person,
    /// What asks the provider again later, if it gives that.
    pub refresh: Option<RefreshToken>,
}

/// What the provider says of somebody who is logged in.
pub(in crate::web) enum Refreshed {
    /// It knows them; with an ID token also what it says of them now.
    Known { person: Option<Person>, refresh: Option<RefreshToken> },
    /// It does not know them any more.
    Refused(LoginError),
    /// It does not say.
    Unknown(LoginError),
}

/// The OpenID provider.
pub(in crate::web) struct Provider {
    settings: OidcSettings,
    issuer: IssuerUrl,
    client_id: ClientId,
    callback: RedirectUrl,
    logged_out: PostLogoutRedirectUrl,
    http: OnceCell<ProviderHttp>,
    known: Mutex<Known>,
    keys_again: RateLimiter<NotKeyed, InMemoryState, DefaultClock>,
}

#[derive(Default)]
struct Known {
    documents: Option<Arc<Documents>>,
    tried: Timestamp,
}

/// What the provider publishes: its addresses and keys.
struct Documents {
    metadata: ProviderMetadataWithLogout,
    read: Timestamp,
}

impl Provider {
    /// The provider of the settings, which sends people back to `home`; none when an address is none.
    pub fn new(settings: &OidcSettings, home: &Url) -> Option<Self> {
        let address = |path: &str| home.join(path).ok();
        Some(Self {
            issuer: IssuerUrl::new(settings.issuer.clone()).ok()?,
            client_id: ClientId::new(settings.client_id.clone()),
            callback: RedirectUrl::from_url(address("/login/callback")?),
            logged_out: PostLogoutRedirectUrl::from_url(address("/logged-out")?),
            http: OnceCell::new(),
            known: Mutex::default(),
            keys_again: RateLimiter::direct(Quota::per_minute(KEYS_AGAIN)),
            settings: settings.clone(),
        })
    }

    /// Whether people could log in now: the provider publishes what is needed, and our secret can be read.
    pub async fn check(&self) -> Result<(), LoginError> {
        self.client(&*self.documents().await?).map(drop)
    }

    /// Begins a login.
    pub async fn begin(&self) -> Result<Begun, LoginError> {
        let documents = self.documents().await?;
        let client = self.client(&documents)?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let scopes = self.settings.scopes.iter().map(|scope| Scope::new(scope.clone()));
        let (address, state, nonce) = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                || CsrfToken::new_random_len(32),
                || Nonce::new_random_len(32),
            )
            .add_scopes(scopes)
            .set_pkce_challenge(challenge)
            .url();
        Ok(Begun { address, state: state.into_secret(), nonce, verifier })
    }

    /// Who came back with a code. `iss` is the issuer that the answer names, if it names one (RFC 9207).
    pub async fn finish(
        &self,
        code: String,
        iss: Option<&str>,
        nonce: &Nonce,
        verifier: PkceCodeVerifier,
    ) -> Result<Vouched, LoginError> {
        if iss.is_some_and(|iss| iss != self.issuer.as_str()) {
            return Err(LoginError::BadToken { why: BadToken::Issuer, claim: None });
        }
        let documents = self.documents().await?;
        let client = self.client(&documents)?;
        let request = client.exchange_code(AuthorizationCode::new(code)).map_err(not_openid)?;
        let answer = request.set_pkce_verifier(verifier).request_async(self.http().await?).await;
        let answer = answer.map_err(token_error)?;
        let Some(token) = answer.id_token() else {
            return Err(LoginError::NotOpenId("its answer has no ID token".to_owned()));
        };
        let person = self.verified(&documents, token, Some(nonce)).await?;
        Ok(Vouched { person, refresh: answer.refresh_token().cloned() })
    }

    /// Whether the provider still knows somebody, by the refresh token that it gave.
    pub async fn refresh(&self, token: &RefreshToken, subject: &str) -> Refreshed {
        let answer = match self.exchange_refresh(token).await {
            Ok(answer) => answer,
            Err(LoginError::Refused(code)) if !is_about_us(&code) => {
                return Refreshed::Refused(LoginError::Refused(code));
            }
            Err(error) => return Refreshed::Unknown(error),
        };
        let refresh = answer.refresh_token().cloned();
        let Some(token) = answer.id_token() else { return Refreshed::Known { person: None, refresh } };
        let verified = match self.documents().await {
            Ok(documents) => self.verified(&documents, token, None).await,
            Err(error) => return Refreshed::Unknown(error),
        };
        match verified {
            Ok(person) if person.subject() == Some(subject) => {
                Refreshed::Known { person: Some(person), refresh }
            }
            Ok(person) => {
                let claim = person.subject().map(str::to_owned);
                Refreshed::Refused(LoginError::BadToken { why: BadToken::Subject, claim })
            }
            Err(error) => Refreshed::Refused(error),
        }
    }

    async fn exchange_refresh(&self, token: &RefreshToken) -> Result<CoreTokenResponse, LoginError> {
        let documents = self.documents().await?;
        let client = self.client(&documents)?;
        let request = client.exchange_refresh_token(token).map_err(not_openid)?;
        request.request_async(self.http().await?).await.map_err(token_error)
    }

    /// Where a browser ends its session at the provider, if the provider has such an address.
    pub async fn logout(&self, id_token: &str) -> Option<Url> {
        let documents = self.documents().await.ok()?;
        let endpoint = documents.metadata.additional_metadata().end_session_endpoint.clone()?;
        let token: CoreIdToken = id_token.parse().ok()?;
        let request = LogoutRequest::from(endpoint)
            .set_id_token_hint(&token)
            .set_client_id(self.client_id.clone())
            .set_post_logout_redirect_uri(self.logged_out.clone());
        let address = request.http_get_url();
        check_url(address.as_str()).ok()?;
        Some(address)
    }

    /// Verifies a token. A key that is not known may be new: then the keys are read again.
    async fn verified(
        &self,
        documents: &Arc<Documents>,
        token: &CoreIdToken,
        nonce: Option<&Nonce>,
    ) -> Result<Person, LoginError> {
        let with = |documents: &Documents| {
            let expected = Expected {
                issuer: &self.issuer,
                client_id: &self.client_id,
                keys: documents.metadata.jwks(),
                nonce,
                groups_claim: &self.settings.groups_claim,
            };
            Person::of(token, &expected)
        };
        let mut person = with(documents);
        if matches!(person, Err(BadToken::UnknownKey))
            && let Some(newer) = self.read_again(documents).await?
        {
            person = with(&newer);
        }
        person.map_err(|why| LoginError::BadToken { why, claim: claimed_subject(&token.to_string()) })
    }

    async fn http(&self) -> Result<&ProviderHttp, LoginError> {
        Ok(self.http.get_or_try_init(ProviderHttp::new).await?)
    }

    fn client(&self, documents: &Documents) -> Result<Client, LoginError> {
        let secret = self.settings.client_secret.as_ref().map(Secret::read).transpose();
        let secret = secret.map_err(LoginError::Secret)?.map(ClientSecret::new);
        let methods = documents.metadata.token_endpoint_auth_methods_supported();
        let knows = |method: &CoreClientAuthMethod| methods.is_none_or(|all| all.contains(method));
        let basic = CoreClientAuthMethod::ClientSecretBasic;
        let auth = if knows(&basic) { AuthType::BasicAuth } else { AuthType::RequestBody };
        let metadata = documents.metadata.clone();
        let client = CoreClient::from_provider_metadata(metadata, self.client_id.clone(), secret);
        Ok(client.set_redirect_uri(self.callback.clone()).set_auth_type(auth))
    }

    /// The provider's documents. Old ones are better than none.
    async fn documents(&self) -> Result<Arc<Documents>, LoginError> {
        let (mut known, now) = (self.known.lock().await, Timestamp::now());
        let since = |then: Timestamp| now.duration_since(then).abs();
        if let Some(documents) = &known.documents
            && (since(documents.read) < FRESH || since(known.tried) < RETRY)
        {
            return Ok(Arc::clone(documents));
        }
        known.tried = now;
        match (self.discover(now).await, &known.documents) {
            (Ok(documents), _) => Ok(Arc::clone(known.documents.insert(documents))),
            (Err(error), Some(old)) => {
                tracing::warn!("what the OpenID provider published before is used: {}", chain(&error));
                Ok(Arc::clone(old))
            }
            (Err(error), None) => Err(error),
        }
    }

    /// Newer documents than those that somebody has; none when they were read too often of late.
    async fn read_again(&self, seen: &Arc<Documents>) -> Result<Option<Arc<Documents>>, LoginError> {
        let mut known = self.known.lock().await;
        if let Some(documents) = known.documents.as_ref().filter(|newest| !Arc::ptr_eq(newest, seen)) {
            return Ok(Some(Arc::clone(documents)));
        }
        if self.keys_again.check().is_err() {
            return Ok(None);
        }
        let documents = self.discover(Timestamp::now()).await?;
        Ok(Some(Arc::clone(known.documents.insert(documents))))
    }

    async fn discover(&self, now: Timestamp) -> Result<Arc<Documents>, LoginError> {
        let read = ProviderMetadataWithLogout::discover_async(self.issuer.clone(), self.http().await?);
        let metadata = read.await.map_err(|error| match error {
            DiscoveryError::Request(error) => LoginError::NoAnswer(error),
            // They have nothing but our configuration and public documents.
            error @ (DiscoveryError::Response(..) | DiscoveryError::Validation(_)) => not_openid(error),
            _ => LoginError::NotOpenId("its documents cannot be read".to_owned()),
        })?;
        let addresses = [
            Some(metadata.authorization_endpoint().as_str()),
            metadata.token_endpoint().map(|address| address.as_str()),
            Some(metadata.jwks_uri().as_str()),
        ];
        if addresses.into_iter().flatten().any(|address| check_url(address).is_err()) {
            let why = "an address that it names is neither https nor on this machine";
            return Err(LoginError::NotOpenId(why.to_owned()));
        }
        Ok(Arc::new(Documents { metadata, read: now }))
    }
}

fn not_openid(error: impl std::error::Error) -> LoginError {
    LoginError::NotOpenId(error.to_string())
}

/// Whether an error of the token endpoint is about rescind, or about the provider itself, and not about a person.
fn is_about_us(code: &str) -> bool {
    matches!(
        code,
        "invalid_client"
            | "unauthorized_client"
            | "unsupported_grant_type"
            | "server_error"
            | "temporarily_unavailable"
            | "slow_down"
    )
}

type TokenError = RequestTokenError<NoAnswer, StandardErrorResponse<CoreErrorResponseType>>;

/// Without the body of the answer, which can have tokens.
fn token_error(error: TokenError) -> LoginError {
    match error {
        RequestTokenError::Request(error) => LoginError::NoAnswer(error),
        RequestTokenError::ServerResponse(answer) => {
            LoginError::Refused(oauth_code(answer.error().as_ref()).to_owned())
        }
        RequestTokenError::Parse(..) | RequestTokenError::Other(_) => {
            LoginError::NotOpenId("the answer of its token endpoint cannot be read".to_owned())
        }
    }
}

/// A code of OAuth, if it is one.
pub(in crate::web) fn oauth_code(text: &str) -> &str {
    let is_code = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
    if !text.is_empty() && text.len() <= 64 && text.bytes().all(is_code) { text } else { "unknown error" }
}
