//! Who vouches for others: identity providers, and the authorities of Roles Anywhere.

use super::row::{Row, row};
use crate::trail::Meaning::Persists;
use crate::trail::Thing;

const FEDERATED: &str = "Everybody who signs in through this provider.";

pub(super) const ROWS: &[Row] = &[
    row(&["iam:CreateSAMLProvider"], Persists, Thing::IdentityProvider)
        .object(&["out.sAMLProviderArn", "in.name"])
        .names(&[("provider", &["out.sAMLProviderArn"])])
        .why("Its owner can vouch for anybody; roles that trust it let them in.")
        .look(&["aws iam get-saml-provider --saml-provider-arn {provider}"])
        .take_away(&["aws iam delete-saml-provider --saml-provider-arn {provider}"])
        .source("IAM API Reference, CreateSAMLProvider; ATT&CK T1484.002; Panther aws_saml_activity"),
    row(&["iam:UpdateSAMLProvider"], Persists, Thing::IdentityProvider)
        .object(&["in.sAMLProviderArn"])
        .names(&[("provider", &["in.sAMLProviderArn"])])
        .why("Its metadata decides whose signature counts. The earlier metadata is at the legitimate provider.")
        .look(&["aws iam get-saml-provider --saml-provider-arn {provider}"])
        .take_away(&[
            "aws iam update-saml-provider --saml-provider-arn {provider} --saml-metadata-document 'file://<EARLIER_METADATA>.xml'",
        ])
        .needed_by(FEDERATED)
        .source("IAM API Reference, UpdateSAMLProvider; ATT&CK T1484.002; SigmaHQ on UpdateSAMLProvider"),
    row(&["iam:CreateOpenIDConnectProvider"], Persists, Thing::IdentityProvider)
        .object(&["out.openIDConnectProviderArn", "in.url"])
        .names(&[("provider", &["out.openIDConnectProviderArn"])])
        .principals(&["in.url"])
        .why("Whoever runs the host can vouch for anybody; roles that trust it let them in.")
        .look(&["aws iam get-open-id-connect-provider --open-id-connect-provider-arn {provider}"])
        .take_away(&["aws iam delete-open-id-connect-provider --open-id-connect-provider-arn {provider}"])
        .source("IAM API Reference, CreateOpenIDConnectProvider; ATT&CK T1484.002; hackingthe.cloud, IAM Rogue OIDC Identity Provider"),
    row(&["iam:UpdateOpenIDConnectProviderThumbprint"], Persists, Thing::IdentityProvider)
        .object(&["in.openIDConnectProviderArn"])
        .names(&[("provider", &["in.openIDConnectProviderArn"])])
        .why("Another certificate counts as the provider's. The earlier thumbprints are in AWS Config or in the templates.")
        .look(&["aws iam get-open-id-connect-provider --open-id-connect-provider-arn {provider}"])
        .take_away(&[
            "aws iam update-open-id-connect-provider-thumbprint --open-id-connect-provider-arn {provider} --thumbprint-list {?EARLIER_THUMBPRINT}",
        ])
        .needed_by(FEDERATED)
        .source("IAM API Reference, UpdateOpenIDConnectProviderThumbprint; ATT&CK T1484.002"),
    row(&["iam:AddClientIDToOpenIDConnectProvider"], Persists, Thing::IdentityProvider)
        .object(&["in.openIDConnectProviderArn"])
        .names(&[("provider", &["in.openIDConnectProviderArn"]), ("client", &["in.clientID"])])
        .why("Tokens that the provider makes for this client count too.")
        .look(&["aws iam get-open-id-connect-provider --open-id-connect-provider-arn {provider}"])
        .take_away(&[
            "aws iam remove-client-id-from-open-id-connect-provider --open-id-connect-provider-arn {provider} --client-id {client}",
        ])
        .source("IAM API Reference, AddClientIDToOpenIDConnectProvider; ATT&CK T1484.002"),
    row(&["rolesanywhere:CreateTrustAnchor"], Persists, Thing::TrustAnchor)
        .object(&["out.trustAnchor.trustAnchorArn", "in.name"])
        .names(&[("anchor", &["out.trustAnchor.trustAnchorId"])])
        .why("Whoever has the authority's key can make certificates for every role that trusts Roles Anywhere.")
        .look(&[
            "aws rolesanywhere get-trust-anchor --trust-anchor-id {anchor}",
            "aws rolesanywhere list-subjects",
        ])
        .take_away(&[
            "aws rolesanywhere disable-trust-anchor --trust-anchor-id {anchor}",
            "aws rolesanywhere delete-trust-anchor --trust-anchor-id {anchor}",
        ])
        .source("IAM Roles Anywhere API Reference, CreateTrustAnchor; Stratus Red Team rolesanywhere-create-trust-anchor; ATT&CK T1098.001"),
    row(&["rolesanywhere:UpdateTrustAnchor", "rolesanywhere:EnableTrustAnchor"], Persists, Thing::TrustAnchor)
        .object(&["out.trustAnchor.trustAnchorArn", "in.trustAnchorId"])
        .names(&[("anchor", &["in.trustAnchorId", "out.trustAnchor.trustAnchorId"])])
        .why("Certificates of its authority, which may be another one now, let in for every role that trusts Roles Anywhere.")
        .look(&["aws rolesanywhere get-trust-anchor --trust-anchor-id {anchor}"])
        .take_away(&["aws rolesanywhere disable-trust-anchor --trust-anchor-id {anchor}"])
        .needed_by("The workloads outside AWS that sign in with certificates of this authority.")
        .source("IAM Roles Anywhere API Reference, UpdateTrustAnchor, EnableTrustAnchor; hackingthe.cloud, IAM Roles Anywhere Persistence"),
    row(&["rolesanywhere:CreateProfile"], Persists, Thing::RolesAnywhereProfile)
        .object(&["out.profile.profileArn", "in.name"])
        .names(&[("profile", &["out.profile.profileId"]), ("roles", &["in.roleArns.*"])])
        .why("It names the roles that certificates of a trust anchor give.")
        .look(&["aws rolesanywhere get-profile --profile-id {profile}"])
        .take_away(&[
            "aws rolesanywhere disable-profile --profile-id {profile}",
            "aws rolesanywhere delete-profile --profile-id {profile}",
        ])
        .source("IAM Roles Anywhere API Reference, CreateProfile; Stratus Red Team rolesanywhere-create-trust-anchor"),
    row(&["rolesanywhere:UpdateProfile", "rolesanywhere:EnableProfile"], Persists, Thing::RolesAnywhereProfile)
        .object(&["out.profile.profileArn", "in.profileId"])
        .names(&[("profile", &["in.profileId", "out.profile.profileId"]), ("roles", &["in.roleArns.*"])])
        .why("It names the roles that certificates of a trust anchor give; they may be others now.")
        .look(&["aws rolesanywhere get-profile --profile-id {profile}"])
        .take_away(&["aws rolesanywhere disable-profile --profile-id {profile}"])
        .needed_by("The workloads outside AWS that sign in through this profile.")
        .source("IAM Roles Anywhere API Reference, UpdateProfile, EnableProfile; hackingthe.cloud, IAM Roles Anywhere Persistence"),
];
