"""Deviations from normal behaviour that a test turns on through the control interface."""
import dataclasses
from dataclasses import dataclass
from typing import Optional

SIMULATOR_LIES = {None, "allow_all", "deny_all", "implicit_deny_all"}


@dataclass
class Switches:
    # ListAccounts answers an empty page with a token first.
    empty_first_accounts_page: bool = False
    # SimulatePrincipalPolicy answers this whatever the policies say.
    simulator_lies: Optional[str] = None
    # SimulatePrincipalPolicy answers one result a page.
    simulator_pages: bool = False
    # SimulatePrincipalPolicy says below the result, for the resource, which statements matched and what is
    # missing, also when there is one resource only.
    simulator_answers_below: bool = False
    # SimulatePrincipalPolicy judges as if no context entry had been given: each key that a policy uses is missing.
    simulator_ignores_context: bool = False
    # GetRolePolicy answers what was stored before the latest change.
    get_role_policy_stale: bool = False
    get_user_policy_stale: bool = False
    # PutRolePolicy answers 200 and stores nothing.
    put_role_policy_ignored: bool = False
    put_user_policy_ignored: bool = False
    # DeleteRolePolicy answers 200 and deletes nothing.
    delete_role_policy_ignored: bool = False
    delete_user_policy_ignored: bool = False
    # UpdateAccessKey answers 200 and leaves the key as it is.
    update_access_key_ignored: bool = False
    # Organizations answers as if it did what was asked, and changes nothing.
    organizations_create_policy_ignored: bool = False
    organizations_update_policy_ignored: bool = False
    organizations_delete_policy_ignored: bool = False
    organizations_attach_policy_ignored: bool = False
    organizations_detach_policy_ignored: bool = False
    # DescribePolicy answers what the policy said before the latest change.
    organizations_describe_policy_stale: bool = False
    # ListPoliciesForTarget and ListTargetsForPolicy answer what was attached before the latest change.
    organizations_attachments_stale: bool = False
    # ListPolicies, ListPoliciesForTarget and ListTargetsForPolicy answer an empty page with a token first.
    organizations_empty_first_page: bool = False
    # How many service control policies there may be and be attached to one target, and how many bytes each may have.
    organizations_policies_quota: int = 10000
    organizations_attachments_quota: int = 10
    organizations_policy_size_quota: int = 10240
    # After how many seconds of the emulator's clock a change that a call of IAM made counts for decisions, and one
    # of Organizations for those that service control policies make. 0: at once, also what is still to come.
    iam_spread_seconds: float = 0
    scp_spread_seconds: float = 0
    # How many managed policies a role or user may have attached.
    attached_policies_quota: int = 10

    def update(self, changes: dict) -> None:
        """Raises ValueError on an unknown switch or value, and then changes nothing."""
        defaults = dataclasses.asdict(Switches())
        for name, value in changes.items():
            if name not in defaults:
                raise ValueError(f"no such switch: {name}")
            if name == "simulator_lies":
                if value not in SIMULATOR_LIES:
                    raise ValueError(f"simulator_lies is one of {sorted(map(str, SIMULATOR_LIES))}")
            elif isinstance(defaults[name], bool):
                if not isinstance(value, bool):
                    raise ValueError(f"{name} is true or false")
            elif isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < float("inf"):
                raise ValueError(f"{name} is a number that is not negative")
        for name, value in changes.items():
            setattr(self, name, value)

    def reset(self) -> None:
        self.update(dataclasses.asdict(Switches()))

    def as_dict(self) -> dict:
        return dataclasses.asdict(self)
