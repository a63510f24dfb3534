"""Builds organizations, roles and sessions for the control interface.

Everything is made directly in the backends: a test's scene stands after one
request instead of a hundred.
"""
import json
import re
from typing import Dict, List, Mapping, Optional

from moto.iam.models import ManagedPolicy
from moto.organizations.models import organizations_backends

from ..state.clock import whole_seconds
from ..state.directory import DISABLED, EVERYTHING, MAIN_REGIONS, MANAGED_POLICIES, SERVICE_CONTROL_POLICY, partition_of
from ..state.sessions import Session, new_id
from ..state.world import OPERATOR, World

MANAGEMENT_ID = "999999999999"
HUB_ROLE = "RescindHub"
MEMBER_POLICY = "Rescind"
HUB_SESSION_SECONDS = 12 * 3600
# Services an administrator account is registered for with Organizations.
DELEGATED_SERVICE = "guardduty.amazonaws.com"
STATES = {
    # State: the older Status that goes with it
    "ACTIVE": "ACTIVE",
    "PENDING_ACTIVATION": "PENDING_ACTIVATION",
    "PENDING_CLOSURE": "PENDING_CLOSURE",
    "SUSPENDED": "SUSPENDED",
    "CLOSED": "SUSPENDED",
}


def default_hub_policy(partition: str, member_role: str) -> dict:
    """What rescind's own role may do when a test does not say otherwise."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["sts:AssumeRole", "sts:SetSourceIdentity"],
                "Resource": f"arn:{partition}:iam::*:role{member_role}",
            },
            {
                "Effect": "Allow",
                "Action": ["guardduty:List*", "guardduty:Get*", "organizations:List*", "organizations:Describe*"],
                "Resource": "*",
            },
        ],
    }


DEFAULT_MEMBER_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": "${HUB_ROLE_ARN}"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": "${EXTERNAL_ID}", "aws:PrincipalOrgID": "${ORG_ID}"}},
        },
        {
            "Effect": "Allow",
            "Principal": {"AWS": "${HUB_ROLE_ARN}"},
            "Action": "sts:SetSourceIdentity",
            "Condition": {"StringLike": {"sts:SourceIdentity": "${SOURCE_IDENTITY}"}},
        },
    ],
}


def service_trust(service: str) -> dict:
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}],
    }


def account_trust(partition: str, account: str) -> dict:
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": f"arn:{partition}:iam::{account}:root"}, "Action": "sts:AssumeRole"}
        ],
    }


class Scene:
    def __init__(self, world: World) -> None:
        self._world = world
        self._directory = world.directory

    # --- single things, also for the control interface

    def create_role(
        self,
        account: str,
        name: str,
        policy: Optional[Mapping],
        trust: Mapping,
        path: str = "/",
        policy_name: str = "permissions",
        instance_profile: bool = False,
        max_session_duration: int = 3600,
    ):
        if self._directory.role(account, name) is not None:
            raise ValueError(f"account {account} already has a role {name}")
        iam = self._directory.iam(account)
        role = iam.create_role(name, json.dumps(trust), path, None, "", [], str(max_session_duration))
        if policy is not None:
            # Unchecked on purpose: a test may want a document that IAM would refuse.
            role.put_policy(policy_name, json.dumps(policy))
        if instance_profile:
            profile = iam.create_instance_profile(name, path, [name], [])
            profile.id = new_id("AIPA", 21)
        return role

    def issue_session(self, account: str, role_name: str, session_name: str, issued_at, duration: int) -> Session:
        """A session as the EC2 service issues it to an instance."""
        role = self._directory.role(account, role_name)
        if role is None:
            raise ValueError(f"account {account} has no role {role_name}")
        return self._world.sts.issue_role_session(role, session_name, issued_at, duration)

    def issue_user_session(self, account: str, name: str, issued_at, duration: int) -> Session:
        """A session as GetSessionToken issues it to an IAM user."""
        user = self._directory.user(account, name)
        if user is None:
            raise ValueError(f"account {account} has no user {name}")
        return self._world.sts.issue_user_session(account, user, issued_at, duration)

    # --- a whole organization

    def build(self, request: Mapping) -> dict:
        plan = Plan(request)
        if self._directory.management_id:
            raise ValueError("there is an organization already: POST /emulator/reset first")
        self._directory.partition = plan.partition
        self._directory.regions = plan.region_states
        self._create_organization(plan)
        units = self._create_organizational_units(plan.ous)
        accounts = {}
        for account in plan.accounts:
            self._create_member(account, units)
            accounts[account["name"]] = self._open(account["id"])
        detectors = self._delegate(plan)
        hub = self._create_hub(plan)
        for name, id, wanted in plan.member_role_accounts():
            arn = self._create_member_role(plan, id, hub["role_arn"]) if wanted else None
            if name in accounts:
                accounts[name]["member_role_arn"] = arn
        return {
            "organization_id": self._directory.organization_id,
            "management": self._management,
            "hub": hub,
            "accounts": accounts,
            "detectors": detectors,
        }

    def _create_organization(self, plan: "Plan") -> None:
        organization = organizations_backends[plan.management_id][plan.partition]
        organization.create_organization(region=plan.regions[0], FeatureSet="ALL")
        self._directory.management_id = plan.management_id
        root = organization.list_roots()["Roots"][0]
        organization.enable_policy_type(RootId=root["Id"], PolicyType=SERVICE_CONTROL_POLICY)
        self._management = self._open(plan.management_id)
        del self._management["arn"]

    def _create_organizational_units(self, paths: List[str]) -> Dict[str, str]:
        """Creates ``Workloads/Production`` below ``Workloads``; path -> id."""
        organization = self._directory.organization
        units: Dict[str, str] = {"": organization.org.root_id}
        for path in paths:
            parent, _, name = path.rpartition("/")
            created = organization.create_organizational_unit(Name=name, ParentId=units[parent])
            units[path] = created["OrganizationalUnit"]["Id"]
        return units

    def _create_member(self, account: Mapping, units: Mapping[str, str]) -> None:
        organization, id = self._directory.organization, account["id"]
        email = f"{account['name']}@example.com"
        status = organization.create_account(AccountName=account["name"], Email=email)
        invented = status["CreateAccountStatus"]["AccountId"]
        member = organization.get_account_by_id(invented)
        owners = organizations_backends.master_accounts
        owners[id] = owners.pop(invented)
        member.id = id
        member.state = account.get("state", "ACTIVE")
        member.status = STATES[member.state]
        member.tags.update(account.get("tags") or {})
        member.parent_id = units[account.get("ou") or ""]

    def _open(self, account: str) -> dict:
        """Gives an account its operator and the role that Organizations creates."""
        directory = self._directory
        directory.account_ids.append(account)
        iam = directory.iam(account)
        for name in MANAGED_POLICIES:
            self._add_managed_policy(account, name)
        user = iam.create_user(directory.main_region, OPERATOR)
        user.id = new_id("AIDA", 21)
        user.put_policy("administrator", EVERYTHING)
        key = iam.create_access_key(OPERATOR)
        if account != directory.management_id:
            trust = account_trust(directory.partition, directory.management_id)
            self.create_role(account, "OrganizationAccountAccessRole", json.loads(EVERYTHING), trust)
        return {
            "id": account,
            "arn": directory.member(account).arn,
            "access_key_id": key.access_key_id,
            "secret_access_key": key.secret_access_key,
        }

    def _add_managed_policy(self, account: str, name: str) -> None:
        """Makes one of AWS's own policies attachable, under AWS's ARN."""
        policies = self._directory.iam(account).managed_policies
        region = self._directory.main_region
        policy = ManagedPolicy(name, account_id="aws", region=region, document=MANAGED_POLICIES[name], path="/")
        policies[policy.arn] = policy

    def _delegate(self, plan: "Plan") -> Dict[str, str]:
        """Makes the security account the administrator; region -> detector id."""
        admin = plan.admin_id
        self._directory.organization.register_delegated_administrator(
            AccountId=admin, ServicePrincipal=DELEGATED_SERVICE
        )
        self._world.guardduty.administrator = admin
        return {region: self._world.guardduty.create_detector(admin, region).id for region in plan.regions}

    def _create_hub(self, plan: "Plan") -> dict:
        policy = plan.hub_policy or default_hub_policy(plan.partition, plan.member_role_path + plan.member_role)
        hub_arn = f"arn:{plan.partition}:iam::{plan.admin_id}:role/{HUB_ROLE}"
        trust = service_trust("ecs-tasks.amazonaws.com")
        role = self.create_role(plan.admin_id, HUB_ROLE, self._filled(policy, plan, plan.admin_id, hub_arn), trust)
        session = self._world.sts.issue_role_session(
            role, "rescind", issued_at=self._world.clock.now(), duration_seconds=HUB_SESSION_SECONDS
        )
        return {"account_id": plan.admin_id, "role_arn": role.arn, **credentials(session)}

    def _create_member_role(self, plan: "Plan", account: str, hub_role_arn: str) -> str:
        trust = self._filled(plan.member_trust or DEFAULT_MEMBER_TRUST, plan, account, hub_role_arn)
        policy = self._filled(plan.member_policy, plan, account, hub_role_arn)
        name, path = plan.member_role, plan.member_role_path
        role = self.create_role(account, name, policy, trust, path=path, policy_name=MEMBER_POLICY)
        for policy_name, document in plan.more_member_policies.items():
            role.put_policy(policy_name, json.dumps(self._filled(document, plan, account, hub_role_arn)))
        return role.arn

    def _filled(self, document: Mapping, plan: "Plan", account: str, hub_role_arn: str) -> dict:
        """The document with the placeholders filled in; IAM's own variables stay."""
        text = json.dumps(document)
        values = {
            "HUB_ROLE_ARN": hub_role_arn,
            "EXTERNAL_ID": plan.external_id,
            "ORG_ID": self._directory.organization_id,
            "SOURCE_IDENTITY": plan.source_identity,
            # As in an ARN after "role/", so with the path if it has one.
            "MEMBER_ROLE": plan.member_role_path[1:] + plan.member_role,
            "ACCOUNT_ID": account,
            "PARTITION": plan.partition,
        }
        for name, value in values.items():
            text = text.replace("${" + name + "}", json.dumps(value)[1:-1])
        return json.loads(text)


class Plan:
    """A request to build an organization, checked before anything is built."""

    def __init__(self, request: Mapping) -> None:
        self.partition = request.get("partition", "aws")
        if self.partition not in MAIN_REGIONS:
            raise ValueError(f"partition is one of {sorted(MAIN_REGIONS)}")
        self.regions = request.get("regions") or [MAIN_REGIONS[self.partition]]
        self.region_states = {
            **dict.fromkeys(request.get("enabled_regions") or [], "ENABLED"),
            **dict.fromkeys(self.regions, "ENABLED_BY_DEFAULT"),
        }
        for region in request.get("disabled_regions") or []:
            if region in self.region_states:
                raise ValueError(f"region {region} cannot be disabled and in use")
            self.region_states[region] = DISABLED
        for region in self.region_states:
            if partition_of(region) != self.partition:
                raise ValueError(f"region {region} is not in partition {self.partition}")
        self.member_role = request.get("member_role", "RescindRemediation")
        self.member_role_path = request.get("member_role_path", "/")
        if not (self.member_role_path.startswith("/") and self.member_role_path.endswith("/")):
            raise ValueError("member_role_path begins and ends with a slash")
        self.external_id = request.get("external_id") or ""
        self.source_identity = request.get("source_identity", "rescind")
        self.member_policy = request["member_policy"]
        self.more_member_policies = request.get("more_member_policies") or {}
        self.member_trust = request.get("member_trust")
        self.hub_policy = request.get("hub_policy")
        self.ous = request.get("ous") or []
        for number, path in enumerate(self.ous):
            parent = path.rpartition("/")[0]
            if parent and parent not in self.ous[:number]:
                raise ValueError(f"the organizational unit {parent} has to come before {path}")
        management = request.get("management") or {}
        self.management_id = management.get("id", MANAGEMENT_ID)
        self._management_has_role = bool(management.get("member_role", False))
        self.accounts = self._accounts(request["accounts"])
        admins = [account["id"] for account in self.accounts if account.get("delegated_admin")]
        if len(admins) != 1:
            raise ValueError("exactly one account has delegated_admin")
        self.admin_id = admins[0]

    def _accounts(self, accounts: List[Mapping]) -> List[dict]:
        taken = {self.management_id} | {account["id"] for account in accounts if "id" in account}
        complete = []
        for number, account in enumerate(accounts, 1):
            if (account.get("ou") or None) not in [None] + self.ous:
                raise ValueError(f"account {account['name']}: there is no organizational unit {account['ou']}")
            if account.get("state", "ACTIVE") not in STATES:
                raise ValueError(f"account {account['name']}: state is one of {sorted(STATES)}")
            id = account.get("id") or _free_id(number, taken)
            taken.add(id)
            complete.append({**account, "id": id})
        _check_unique("name", [account["name"] for account in complete])
        ids = [self.management_id] + [account["id"] for account in complete]
        _check_unique("id", ids)
        for id in ids:
            if not re.fullmatch(r"\d{12}", id):
                raise ValueError(f"an account id has twelve digits, unlike {id}")
        return complete

    def member_role_accounts(self):
        """(name, id, whether the account gets the member role); None names the management account."""
        yield None, self.management_id, self._management_has_role
        for account in self.accounts:
            yield account["name"], account["id"], account.get("member_role", True)


def credentials(session: Session) -> dict:
    return {
        "access_key_id": session.access_key_id,
        "secret_access_key": session.secret_access_key,
        "session_token": session.session_token,
    }


def session_answer(session: Session) -> dict:
    return {
        **credentials(session),
        "principal_id": session.user_id,
        "issued_at": whole_seconds(session.issued_at),
        "expiration": whole_seconds(session.expires_at),
    }


def _free_id(number: int, taken: set) -> str:
    candidate = 100000000000 + number
    while str(candidate) in taken:
        candidate += 1000
    return str(candidate)


def _check_unique(what: str, values: List[str]) -> None:
    repeated = {value for value in values if values.count(value) > 1}
    if repeated:
        raise ValueError(f"account {what} used twice: {sorted(repeated)}")
