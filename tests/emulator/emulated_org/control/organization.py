"""A whole organization: accounts, organizational units, the hub and the member roles.

Everything is made directly in the backends: a test's scene stands after one
request instead of a hundred.
"""
import json
from typing import Dict, List, Mapping

from moto.iam.models import ManagedPolicy
from moto.organizations.models import organizations_backends

from ..state.directory import EVERYTHING, MANAGED_POLICIES, OPERATOR, SERVICE_CONTROL_POLICY
from .door import Door, Routes
from .entities import (
    account_trust, create_access_key, create_managed_policy, create_role, create_user, credentials, service_trust
)
from .plan import STATES, Plan

HUB_ROLE = "RescindHub"
MEMBER_POLICY = "Rescind"
HUB_SESSION_SECONDS = 12 * 3600
# Services an administrator account is registered for with Organizations.
DELEGATED_SERVICE = "guardduty.amazonaws.com"


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


class Organization(Door):
    @property
    def routes(self) -> Routes:
        return {("POST", "organization"): self._create}

    def _create(self, request: Mapping) -> dict:
        with self._world.lock:
            return self._build(Plan(request))

    def _build(self, plan: Plan) -> dict:
        if self._directory.management_id:
            raise ValueError("there is an organization already: POST /emulator/reset first")
        self._directory.partition = plan.partition
        self._directory.regions = plan.region_states
        management = self._create_organization(plan)
        units = self._create_organizational_units(plan.ous)
        accounts = {}
        for account in plan.accounts:
            self._create_member(account, units)
            accounts[account["name"]] = self._open(account["id"])
        detectors = self._delegate(plan)
        hub = self._create_hub(plan)
        if plan.delegation_policy:
            document = self._filled(plan.delegation_policy, plan, plan.admin_id, hub["role_arn"])
            self._directory.resource_policy = ("rp-delegation", json.dumps(document))
        for name, id, wanted in plan.member_role_accounts():
            arn = self._create_member_role(plan, id, hub["role_arn"]) if wanted else None
            if name in accounts:
                accounts[name]["member_role_arn"] = arn
        return {
            "organization_id": self._directory.organization_id,
            "management": management,
            "hub": hub,
            "accounts": accounts,
            "detectors": detectors,
        }

    def _create_organization(self, plan: Plan) -> dict:
        organization = organizations_backends[plan.management_id][plan.partition]
        organization.create_organization(region=plan.regions[0], FeatureSet="ALL")
        self._directory.management_id = plan.management_id
        root = organization.list_roots()["Roots"][0]
        organization.enable_policy_type(RootId=root["Id"], PolicyType=SERVICE_CONTROL_POLICY)
        management = self._open(plan.management_id)
        del management["arn"]
        return management

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
        for name in MANAGED_POLICIES:
            self._add_managed_policy(account, name)
        operator = create_user(directory, account, OPERATOR)
        operator.put_policy("administrator", EVERYTHING)
        if account != directory.management_id:
            trust = account_trust(directory.partition, directory.management_id)
            create_role(directory, account, "OrganizationAccountAccessRole", json.loads(EVERYTHING), trust)
        return {
            "id": account,
            "arn": directory.member(account).arn,
            **create_access_key(directory, account, operator),
        }

    def _add_managed_policy(self, account: str, name: str) -> None:
        """Makes one of AWS's own policies attachable, under AWS's ARN."""
        policies = self._directory.iam(account).managed_policies
        region = self._directory.main_region
        policy = ManagedPolicy(name, account_id="aws", region=region, document=MANAGED_POLICIES[name], path="/")
        policies[policy.arn] = policy

    def _delegate(self, plan: Plan) -> Dict[str, str]:
        """Makes the security account the administrator; region -> detector id."""
        admin = plan.admin_id
        self._directory.organization.register_delegated_administrator(
            AccountId=admin, ServicePrincipal=DELEGATED_SERVICE
        )
        self._world.detectors.administrator = admin
        return {region: self._world.detectors.create(admin, region).id for region in plan.regions}

    def _create_hub(self, plan: Plan) -> dict:
        document = plan.hub_policy or default_hub_policy(plan.partition, plan.member_role_path + plan.member_role)
        hub_arn = f"arn:{plan.partition}:iam::{plan.admin_id}:role/{HUB_ROLE}"
        policy = self._filled(document, plan, plan.admin_id, hub_arn)
        role = create_role(self._directory, plan.admin_id, HUB_ROLE, policy, service_trust("ecs-tasks"))
        session = self._world.sessions.issue_for_role(
            role, "rescind", issued_at=self._world.clock.now(), duration_seconds=HUB_SESSION_SECONDS
        )
        return {"account_id": plan.admin_id, "role_arn": role.arn, **credentials(session)}

    def _create_member_role(self, plan: Plan, account: str, hub_role_arn: str) -> str:
        trust = self._filled(plan.member_trust or DEFAULT_MEMBER_TRUST, plan, account, hub_role_arn)
        policy = self._filled(plan.member_policy, plan, account, hub_role_arn)
        name, path = plan.member_role, plan.member_role_path
        role = create_role(self._directory, account, name, policy, trust, path=path, policy_name=MEMBER_POLICY)
        for policy_name, document in plan.more_member_policies.items():
            role.put_policy(policy_name, json.dumps(self._filled(document, plan, account, hub_role_arn)))
        for path_and_name, document in plan.member_managed_policies.items():
            create_managed_policy(self._directory, account, path_and_name, document)
        return role.arn

    def _filled(self, document: Mapping, plan: Plan, account: str, hub_role_arn: str) -> dict:
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
            "HUB_ACCOUNT": plan.admin_id,
            "MANAGEMENT_ACCOUNT": plan.management_id,
            "PARTITION": plan.partition,
        }
        for name, value in values.items():
            text = text.replace("${" + name + "}", json.dumps(value)[1:-1])
        return json.loads(text)
