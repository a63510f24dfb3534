//! The codes of decisions: why something is revoked, held, only observed or skipped.

use super::codes;

codes! {
    /// Why a finding is decided as it is, and why a remediation is held again.
    ReasonCode is "reason code" {
        StolenRoleSession "stolen_role_session"
            means "Revoked: the credentials of a role are used from elsewhere."
            do "Nothing for the revocation. Find out how they were stolen: `rescind impact ID`.";
        LeakedUserKey "leaked_user_key"
            means "Revoked: the access key of an IAM user is used by somebody else."
            do "Nothing for the revocation. Find out where the key leaked, and replace it.";
        StolenRootCredentials "stolen_root_credentials"
            means "Revoked by a service control policy: the credentials of an account's root user are used by somebody else."
            do "Change the password, delete the access keys, check the MFA; then release it.";
        StolenFederatedSession "stolen_federated_session"
            means "Revoked by a service control policy: the session of a federated user is used from elsewhere."
            do "Find the IAM user who issued it (`GetFederationToken` in CloudTrail), and deactivate that user's access keys.";

        SessionOpened "session_opened"
            means "Revoked: CloudTrail shows that the session was opened with stolen credentials."
            do "Nothing for the revocation. `rescind incident show ID` has the way that it was opened.";
        MadeByThief "made_by_thief"
            means "Denied: CloudTrail shows that the access key, the user or the role was made with stolen credentials, and `contain` names it."
            do "Delete it: `rescind incident show ID` has the commands.";

        Ordered "ordered"
            means "Revoked: somebody ordered it."
            do "Nothing for the revocation. `rescind show ID` has who ordered it, and why.";

        OtherProduct "other_product"
            means "Held: another product than GuardDuty says that the credentials are misused, and nothing confirms it."
            do "Judge it: `rescind show ID` has the product and its finding.";
        ModeApprove "mode_approve"
            means "Held: `mode` asks for approval."
            do "`rescind impact ID`, then `rescind approve` or `rescind reject`.";
        RuleApprove "rule_approve"
            means "Held: a rule asks for approval."
            do "As for `mode_approve`.";
        OptedOutApprove "opted_out_approve"
            means "Held: an opt-out asks for approval."
            do "As for `mode_approve`.";
        TagApprove "tag_approve"
            means "Held: the account's tag asks for approval."
            do "As for `mode_approve`.";
        PursuitApprove "pursuit_approve"
            means "Held: it was opened or made with stolen credentials, and `pursue` asks for approval."
            do "`rescind incident show ID` has the way that it was opened. `rescind approve ID`, or `rescind approve --incident ID` for all of the incident.";
        OtherAddress "other_address"
            means "Held: the session was opened from another address than those at which the thief was seen. It may be the legitimate user of the credentials, such as the instance itself."
            do "Judge it: `rescind show ID` has the address.";
        BudgetAccount "budget_account"
            means "Held: the account's budget of the hour is used up."
            do "As for `mode_approve`; see the alert `account_budget_used_up`.";
        BudgetOrganization "budget_organization"
            means "Held: the organization's budget of the hour is used up."
            do "As for `mode_approve`; see the alert `organization_budget_used_up`.";
        BudgetRoles "budget_roles"
            means "Held: as many of the account's roles as `budget.roles_percent` allows were revoked within the hour."
            do "As for `mode_approve`; see the alert `roles_budget_used_up`.";
        DenyContested "deny_contested"
            means "Revoked by a service control policy: somebody takes the deny in the account away again and again."
            do "Nothing for the revocation. Find out who it is; `rescind show ID` of the first remediation names him, if CloudTrail shows it.";
        OrganizationDeny "organization_deny"
            means "Held: the principal is to be denied by a service control policy on its account, and the rule does not say `mode = \"enforce\"`."
            do "Judge it with `rescind show ID`, which has the statement. [What it denies](remedies.md#organization_deny).";
        NoSession "no_session"
            means "Held: the rule has scope `session`, and the finding names no session."
            do "If it is approved, **all** sessions of the role are revoked.";
        NoRoom "no_room"
            means "Held: the rule has scope `session`, and the policy has no room for one more."
            do "If it is approved, **all** sessions of the role are revoked. Or release older ones first.";
        RuleUnclear "rule_unclear"
            means "Held: it is not clear whether a rule matches the finding."
            do "Judge it; then fix the rule.";
        TagUnclear "tag_unclear"
            means "Held: the value of the account's tag is no mode."
            do "Judge it; then fix the tag.";
        PlacementUnknown "placement_unknown"
            means "Held: the account's OUs or tags cannot be read, and they may say that less is to be done."
            do "Allow `organizations:ListTagsForResource` and `organizations:ListParents`; then it goes on by itself. Or approve it.";
        WorldChanged "world_changed"
            means "Held again: since it was approved, the role was recreated."
            do "Look again (`rescind show ID`), and answer with `rescind approve` or `rescind reject`.";
        PrincipalTag "principal_tag"
            means "Held: the role's or user's own tag (`principal_tag`) says that less may be done. A tag `observe` or `off` asks a person as well: nothing is changed before one approves."
            do "Judge it: `rescind show ID` has the tag, and what CloudTrail shows of who set it. Approved, the tag does not count.";
        PrincipalDoubtful "principal_doubtful"
            means "Held: the finding names a role, and its principal id is not a role's."
            do "Find out whose credentials these are. If it is approved, the role that is named is revoked.";
        PrincipalInferred "principal_inferred"
            means "Held: the finding names no credentials, and the principal follows from what was attacked, such as an instance profile."
            do "Check that the role is the one (`rescind show ID` says how it was found): an instance profile can have a role of another name.";
        PrincipalUnclear "principal_unclear"
            means "Held: the finding says that it is a role's session, and not which role's. Its id was not found in the account, or could not be looked for."
            do "`rescind show ID` says what is known and how to find out. Revoke by hand, then `rescind done ID …`.";
        RootUser "root_user"
            means "Held: no policy of an account restricts its root user."
            do "[Unsupported](remedies.md#unsupported-principals): by hand, then `rescind done ID …`.";
        IdentityCenterRole "identity_center_role"
            means "Held: only Identity Center can change the role."
            do "As for `root_user`.";
        ServiceLinkedRole "service_linked_role"
            means "Held: only its service can change a service-linked role."
            do "As for `root_user`.";
        FederatedUser "federated_user"
            means "Held: a session from GetFederationToken, and the finding does not name the IAM user that issued it."
            do "As for `root_user`.";
        ManagementAccount "management_account"
            means "Held: the principal could only be denied by a service control policy, and those do not bind the management account."
            do "As for `root_user`.";
        InstanceIdentity "instance_identity"
            means "Held: the identity role of an instance, on which no policy can be put."
            do "As for `root_user`.";
        UnknownAccount "unknown_account"
            means "Held: the account is not in the organization."
            do "As for `root_user`.";

        ModeObserve "mode_observe"
            means "Observed: `mode` is `observe`."
            do "Nothing, if that is meant. `rescind plan` shows what would be done.";
        RuleObserve "rule_observe"
            means "Observed: a rule says so."
            do "Nothing, if that is meant.";
        OptedOutObserve "opted_out_observe"
            means "Observed: an opt-out says so."
            do "Nothing, if that is meant.";
        TagObserve "tag_observe"
            means "Observed: the account's tag says so."
            do "Nothing, if that is meant.";
        PursuitObserve "pursuit_observe"
            means "Observed: it was opened or made with stolen credentials, and `pursue` is `observe`."
            do "Nothing, if that is meant.";
        FirstRun "first_run"
            means "Observed: the activity was before rescind began to watch the region."
            do "Judge it: `rescind run --backlog` acts on what was there before.";

        RuleOff "rule_off"
            means "Skipped: a rule says so."
            do "Nothing, if that is meant.";
        OptedOut "opted_out"
            means "Skipped: an opt-out says so."
            do "Nothing, if that is meant. `rescind opt-out list` names who answers for it.";
        TagOff "tag_off"
            means "Skipped: the account's tag says so."
            do "Nothing, if that is meant.";
        PursuitOff "pursuit_off"
            means "Skipped: it was opened or made with stolen credentials, and `pursue` is `off` since."
            do "Nothing, if that is meant.";
        SessionEnded "session_ended"
            means "Skipped: the session that was opened with stolen credentials has ended by itself."
            do "Nothing for the session; what was done with it is in `rescind incident show ID`.";
        Protected "protected"
            means "Skipped: the principal fits a pattern of `protected`."
            do "Judge it and revoke by hand: `rescind explain FINDING`. It is the alert `protected_stolen`.";
        OwnRole "own_role"
            means "Skipped: rescind's own role. Its credentials are used from elsewhere."
            do "The worst case: [The hub may be compromised](runbook.md#the-hub-may-be-compromised). It is the alert `own_role_stolen`.";
        Sample "sample"
            means "Skipped: a sample finding."
            do "Nothing.";
        Archived "archived"
            means "Skipped: a person or a suppression rule archived the finding."
            do "Nothing, if that was right.";
        OtherType "other_type"
            means "Skipped: no rule is for this type of finding."
            do "Nothing, or write a rule for it.";
        NoPrincipal "no_principal"
            means "Skipped: the finding names no credentials."
            do "Nothing.";
        NotARole "not_a_role"
            means "Skipped: the credentials are not a role's."
            do "Nothing.";
        NoRemedy "no_remedy"
            means "Skipped: the rule has no remedy for this kind of principal."
            do "Nothing, or add the remedy to the rule.";
        AccountNotActive "account_not_active"
            means "Skipped: the account is suspended or closed."
            do "Nothing.";
        TooOld "too_old"
            means "The credentials were last seen longer ago than `max_finding_age`. Skipped. A remediation that had not begun (service stopped) fails."
            do "Judge whether it still matters: tokens of a role live 12 hours at most, console sessions that they opened up to 12 hours more. If it does, set a longer `max_finding_age` and hand the finding to `rescind handle`.";
        AlreadyRevoked "already_revoked"
            means "Skipped: the cutoff of an earlier remediation is after the last activity."
            do "Nothing.";
        Denied "denied"
            means "Skipped: the call that was seen was denied by an earlier remediation."
            do "Nothing.";
        Released "released"
            means "Skipped: the remediation was released, and nothing was seen since."
            do "Nothing.";
        DoneByHand "done_by_hand"
            means "Skipped: a person took care of it by hand, and nothing was seen since."
            do "Nothing.";
        UnderWay "under_way"
            means "Skipped: an earlier remediation of the role is under way and covers it."
            do "Nothing: `rescind show ID` of that one.";
        AwaitingApproval "awaiting_approval"
            means "Skipped: an earlier remediation of the role is held and covers it."
            do "Answer that one.";
    }
}

impl ReasonCode {
    /// Whether approval is what a held remediation waits for. Not so when something forbids it altogether:
    /// then it would be held again.
    #[must_use]
    pub fn is_for_approval(self) -> bool {
        matches!(
            self,
            Self::ModeApprove
                | Self::RuleApprove
                | Self::OptedOutApprove
                | Self::TagApprove
                | Self::PursuitApprove
                | Self::OtherAddress
                | Self::OtherProduct
                | Self::BudgetAccount
                | Self::BudgetOrganization
                | Self::BudgetRoles
                | Self::OrganizationDeny
                | Self::NoSession
                | Self::NoRoom
                | Self::RuleUnclear
                | Self::TagUnclear
                | Self::PlacementUnknown
                | Self::WorldChanged
                | Self::PrincipalTag
                | Self::PrincipalDoubtful
                | Self::PrincipalInferred
        )
    }

    /// Whether somebody has chosen that the finding is skipped: it could have been revoked.
    #[must_use]
    pub fn is_by_choice(self) -> bool {
        matches!(self, Self::OptedOut | Self::TagOff | Self::RuleOff | Self::PursuitOff | Self::Protected)
    }

    /// Whether the finding alone led to the decision: the same one cannot be decided otherwise later.
    #[must_use]
    pub fn is_for_good(self) -> bool {
        matches!(
            self,
            Self::Sample
                | Self::Archived
                | Self::NoPrincipal
                | Self::OwnRole
                | Self::Denied
                | Self::Released
                | Self::DoneByHand
                | Self::SessionEnded
        )
    }

    /// Whether the finding is only observed because of when it came, or because rescind does not act yet.
    #[must_use]
    pub fn is_put_off(self) -> bool {
        matches!(self, Self::ModeObserve | Self::FirstRun)
    }
}
