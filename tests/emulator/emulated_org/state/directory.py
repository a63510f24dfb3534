"""Finds IAM entities and organization structure in moto's backends.

Everything the emulator knows about moto's data model is in this module and in
`moto_bridge`.
"""
from typing import Dict, Iterator, List, Mapping, Optional, Tuple

from moto.iam.models import iam_backends
from moto.organizations.models import organizations_backends

from ..errors import InvalidCredentials
from .ids import new_id

# The IAM user whose access key the control interface hands out for an account.
OPERATOR = "operator"
DISABLED = "DISABLED"
SERVICE_CONTROL_POLICY = "SERVICE_CONTROL_POLICY"
EVERYTHING = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'
NOTHING = '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}'
# moto can load all of AWS's managed policies, but takes seconds: these two will do.
MANAGED_POLICIES = {"AdministratorAccess": EVERYTHING, "AWSDenyAll": NOTHING}
# Where a partition's global services are called, and leave their traces.
MAIN_REGIONS = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1", "aws-eusc": "eusc-de-east-1"}


class Directory:
    """The accounts of one organization in one partition."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.partition = "aws"
        self.management_id: Optional[str] = None
        self.account_ids: List[str] = []
        # (entity's id, inline policy's name) -> its document before the latest change, None for none.
        self.earlier_documents: Dict[Tuple[str, str], Optional[str]] = {}
        # The organization's resource policy, which delegates: its id and its document.
        self.resource_policy: Optional[Tuple[str, str]] = None
        # Region -> whether accounts opted in, as AWS Account Management names it.
        self.regions: Dict[str, str] = {}

    @property
    def main_region(self) -> str:
        return MAIN_REGIONS[self.partition]

    def require_region(self, region: str) -> None:
        """Credentials mean nothing in a region that is disabled or of another partition.

        A region the organization says nothing about is as good as enabled.
        """
        if self.regions.get(region) == DISABLED:
            raise InvalidCredentials()
        partition = partition_of(region)
        if partition != self.partition:
            raise InvalidCredentials(f"{region} is in partition {partition}, the organization is in {self.partition}")

    # --- IAM

    def iam(self, account: str):
        return iam_backends[account][self.partition]

    def role(self, account: str, name: str):
        """The role of that name, ignoring case as IAM does; None if there is none."""
        wanted = name.lower()
        return next((role for role in self.iam(account).get_roles() if role.name.lower() == wanted), None)

    def role_by_arn(self, arn: str):
        """The role with exactly this ARN; None if there is none."""
        account = account_of(arn)
        if account not in self.account_ids:
            return None
        return next((role for role in self.iam(account).get_roles() if role.arn == arn), None)

    def role_by_id(self, account: str, role_id: str):
        return self.iam(account).get_role_by_id(role_id)

    def user(self, account: str, name: str):
        """The user of that name, ignoring case as IAM does; None if there is none."""
        users = self.iam(account).users
        if name in users:
            return users[name]
        wanted = name.lower()
        return next((user for user in users.values() if user.name.lower() == wanted), None)

    def user_by_id(self, account: str, user_id: str):
        return next((user for user in self.iam(account).users.values() if user.id == user_id), None)

    def identify_user(self, user) -> None:
        """Gives a new user an id that shows, as moto's do not, that it is a user's."""
        user.id = new_id("AIDA", 21)

    def instance_profiles(self, account: str) -> list:
        return list(self.iam(account).instance_profiles.values())

    def user_by_arn(self, arn: str):
        account = account_of(arn)
        if account not in self.account_ids:
            return None
        return next((user for user in self.iam(account).users.values() if user.arn == arn), None)

    def access_key(self, access_key_id: str):
        """(account, access key) of a long-term key, or (None, None)."""
        for account in self.account_ids:
            key = self.iam(account).access_keys.get(access_key_id)
            if key is not None:
                return account, key
        return None, None

    def managed_document(self, account: str, arn: str) -> Optional[Tuple[str, str]]:
        """The name and the default document of a managed policy; None if there is none."""
        policy = self.iam(account).managed_policies.get(arn)
        return (policy.name, _default_document(policy)) if policy else None

    # --- Organizations

    @property
    def organization(self):
        """moto's backend of the organization, which the management account owns."""
        return organizations_backends[self.management_id][self.partition]

    @property
    def organization_id(self) -> Optional[str]:
        return self.organization.org.id if self.management_id else None

    def member(self, account: str):
        return next((member for member in self.organization.accounts if member.id == account), None)

    def policy_targets(self) -> list:
        """What policies are attached to: the root, organizational units and accounts."""
        return [*self.organization.ou, *self.organization.accounts]

    def in_organization(self, id: str):
        """The root, unit, account or policy of that id; None if there is none."""
        things = [*self.policy_targets(), *self.organization.policies]
        return next((thing for thing in things if thing.id == id), None)

    def arn_in_organization(self, thing) -> str:
        """moto's ARNs are those of AWS, but for AWS's own policies."""
        if getattr(thing, "aws_managed", False):
            return f"arn:{self.partition}:organizations::aws:policy/{thing.type.lower()}/{thing.id}"
        return thing.arn

    def organization_arn(self, kind: str, rest: str) -> str:
        """The ARN of something else of the organization, such as a policy that is not made yet."""
        return f"arn:{self.partition}:organizations::{self.management_id}:{kind}/{self.organization_id}/{rest}"

    def is_policy_type_enabled(self, kind: str) -> bool:
        root = next(unit for unit in self.organization.ou if unit.type == "ROOT")
        return any(enabled["Type"] == kind for enabled in root.policy_types)

    def is_delegated_administrator(self, account: str) -> bool:
        return any(admin.account.id == account for admin in self.organization.admins)

    def service_control_documents(self, account: str) -> Tuple[Tuple[Tuple[str, str], ...], ...]:
        """The ids and documents of the SCPs that are attached, at each level.

        The management account has none, nor has an organization whose root has
        the policy type disabled.
        """
        if self.management_id is None or account == self.management_id:
            return ()
        if not self.is_policy_type_enabled(SERVICE_CONTROL_POLICY):
            return ()
        return tuple(
            tuple(
                (policy.id, policy.content)
                for policy in level.attached_policies
                if policy.type == SERVICE_CONTROL_POLICY
            )
            for level in self._levels(account)
        )

    def _levels(self, account: str) -> Iterator:
        level = self.member(account)
        units = {unit.id: unit for unit in self.organization.ou}
        while level is not None:
            yield level
            level = units.get(level.parent_id)


def inline_policies(entity) -> Mapping[str, str]:
    return entity.policies


def tags_of(entity) -> list:
    """moto keeps a role's tags as a dict by lower-case key, or as a list."""
    tags = getattr(entity, "tags", None) or []
    if isinstance(tags, dict):
        tags = tags.values()
    return [tag for tag in tags if isinstance(tag, dict)]


def _default_document(policy) -> str:
    return next(version.document for version in policy.versions if version.version_id == policy.default_version_id)


def account_of(arn: str) -> str:
    parts = arn.split(":")
    return parts[4] if len(parts) >= 6 else ""


def partition_of(region: str) -> str:
    prefixes = {"cn-": "aws-cn", "us-gov-": "aws-us-gov", "eusc-": "aws-eusc"}
    return next((name for prefix, name in prefixes.items() if region.startswith(prefix)), "aws")
