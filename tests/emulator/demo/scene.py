"""The organization, the theft and the findings."""
import json
import re
from pathlib import Path
from typing import Mapping

from emulated_org.client import Emulator

from .isolated import Rescind
from .story import Unexpected

REGIONS = ["eu-central-1", "us-east-1"]
THEFT_REGION, OTHER_REGION = REGIONS
MEMBER_ROLE = "RescindRemediation"
DRILL_ROLE = "RescindDrill"
SOURCE_IDENTITY = "rescind"
MANAGEMENT, SECURITY = "999999999999", "111111111111"
SHOP, PAYMENTS, SANDBOX, LEGACY = "222222222222", "333333333333", "444444444444", "555555555555"
STOLEN_ROLE, OTHER_ROLE = "shop-web", "shop-orders"
FINDING_TYPE = "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS"
# Where GuardDuty's findings say that the thief is. The address belongs to nobody (TEST-NET-3).
THIEFS_ADDRESS = "203.0.113.77"
TABLES = ["customers", "orders"]
BUCKETS = ["shop-invoices", "shop-product-images"]
USERS = ["alice", "bob"]
WORKLOAD_POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": ["dynamodb:ListTables", "s3:ListAllMyBuckets", "iam:ListUsers"],
            "Resource": "*",
        }
    ],
}


def write_config(rescind: Rescind, config: Path, mode: str = "enforce") -> str:
    """Has rescind write its configuration, then sets its mode and what drills need; what init printed."""
    config.unlink(missing_ok=True)
    regions = [argument for region in REGIONS for argument in ("--region", region)]
    printed = rescind.run("init", *regions, aws=False)
    text, replaced = re.subn(r'(?m)^mode = "observe"$', f'mode = "{mode}"', config.read_text())
    if replaced != 1:
        raise Unexpected(f'{config} has no line mode = "observe"')
    text, replaced = re.subn(rf'(?m)^#\[drill\]\n#role = "{DRILL_ROLE}"$', f'[drill]\nrole = "{DRILL_ROLE}"', text)
    if replaced != 1:
        raise Unexpected(f"{config} does not say how to hold drills")
    config.write_text(text)
    return printed


def external_id(config: Path) -> str:
    found = re.search(r'(?m)^external_id = "([^"]+)"$', config.read_text())
    if not found:
        raise Unexpected(f"{config} has no external_id")
    return found.group(1)


class Scene:
    """What the emulator was asked to build; `hub` holds rescind's own credentials."""

    def __init__(self, emulator: Emulator, rescind: Rescind, config: Path) -> None:
        self.emulator = emulator
        trust = _printed(rescind, "member-trust", "--hub-role", "${HUB_ROLE_ARN}", "--organization", "${ORG_ID}")
        built = emulator.organization(
            regions=REGIONS,
            management={"id": MANAGEMENT, "member_role": True},
            ous=["Production", "Development"],
            accounts=[
                {"name": "security", "id": SECURITY, "delegated_admin": True},
                {"name": "shop", "id": SHOP, "ou": "Production"},
                {"name": "payments", "id": PAYMENTS, "ou": "Production"},
                {"name": "sandbox", "id": SANDBOX, "ou": "Development"},
                {"name": "legacy", "id": LEGACY, "ou": "Development", "state": "SUSPENDED"},
            ],
            member_role=MEMBER_ROLE,
            member_policy=_printed(rescind, "member-role"),
            member_managed_policies={"rescind/Quarantine": _printed(rescind, "quarantine")},
            member_trust=trust,
            hub_policy=_printed(rescind, "hub-role"),
            external_id=external_id(config),
            source_identity=SOURCE_IDENTITY,
        )
        self.hub = built["hub"]
        self._accounts = built["accounts"]
        self._detectors = built["detectors"]
        self._furnish()
        emulator.role(
            account=SHOP,
            name=DRILL_ROLE,
            policy_name="Rescind",
            policy=_printed(rescind, "drill-role"),
            trust=_filled(trust, HUB_ROLE_ARN=self.hub["role_arn"], ORG_ID=built["organization_id"]),
            instance_profile=False,
        )
        for role in (STOLEN_ROLE, OTHER_ROLE):
            emulator.role(account=SHOP, name=role, policy=WORKLOAD_POLICY)

    def session(self, role: str) -> dict:
        """A session as the EC2 service issues it to an instance that runs with the role."""
        return self.emulator.session(account=SHOP, role=role)

    def take_away(self, session: Mapping) -> None:
        """From now on CloudTrail has the session's calls, and those of what it makes, from the thief's address."""
        self.emulator.cloudtrail(addresses={session["access_key_id"]: THIEFS_ADDRESS})

    def report_theft(self, stolen: Mapping) -> str:
        """GuardDuty notices; the finding's id."""
        return self._exfiltration(THEFT_REGION, SHOP, STOLEN_ROLE, stolen)

    def report_what_to_leave_alone(self) -> None:
        """A sample, an IAM user and an account that nobody can enter any more."""
        guardduty = self.emulator.boto3(self._accounts["security"], "guardduty", OTHER_REGION)
        guardduty.create_sample_findings(DetectorId=self._detectors[OTHER_REGION], FindingTypes=[FINDING_TYPE])
        self.emulator.findings(account=SECURITY, region=OTHER_REGION, findings=[self._user_finding()])
        self.emulator.role(account=LEGACY, name="batch", policy=WORKLOAD_POLICY)
        session = self.emulator.session(account=LEGACY, role="batch")
        self._exfiltration(OTHER_REGION, LEGACY, "batch", session)

    def changes_since(self, number: int) -> list:
        """The calls after `number` that change something in an account."""
        return [
            f"{call['service']}:{call['operation']}"
            for call in self.emulator.calls(since=number)
            if call["write"] and call["operation"] != "AssumeRole"
        ]

    def last_call(self) -> int:
        return max((call["n"] for call in self.emulator.calls()), default=0)

    def _exfiltration(self, region: str, account: str, role: str, session: Mapping) -> str:
        return self.emulator.exfiltration(
            account=SECURITY,
            region=region,
            member=account,
            role=role,
            principal_id=session["principal_id"],
            access_key_id=session["access_key_id"],
        )["finding_id"]

    def _user_finding(self) -> dict:
        key = {
            "accessKeyId": "AKIAIOSFODNN7EXAMPLE",
            "principalId": "AIDACKCEVSQ6C2EXAMPLE",
            "userName": "alice",
            "userType": "IAMUser",
        }
        return {
            "accountId": PAYMENTS,
            "type": FINDING_TYPE,
            "title": "Credentials of the IAM user alice were used from an external IP address.",
            "resource": {"resourceType": "AccessKey", "accessKeyDetails": key},
        }

    def _furnish(self) -> None:
        """Something to steal in the shop account."""
        shop = self._accounts["shop"]
        dynamodb = self.emulator.boto3(shop, "dynamodb", THEFT_REGION)
        for name in TABLES:
            dynamodb.create_table(
                TableName=name,
                KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
                BillingMode="PAY_PER_REQUEST",
            )
        s3 = self.emulator.boto3(shop, "s3", THEFT_REGION)
        for name in BUCKETS:
            s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": THEFT_REGION})
        iam = self.emulator.boto3(shop, "iam", THEFT_REGION)
        for name in USERS:
            iam.create_user(UserName=name)


def _printed(rescind: Rescind, document: str, *arguments: str) -> dict:
    """One of the documents that rescind is deployed with, as rescind prints it."""
    return json.loads(rescind.run("policies", "print", document, *arguments, aws=False))


def _filled(document: dict, **values: str) -> dict:
    text = json.dumps(document)
    for placeholder, value in values.items():
        text = text.replace("${" + placeholder + "}", value)
    return json.loads(text)
