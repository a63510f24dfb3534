"""The emulated organization that is fought in, the stolen session, and the directory of the program."""

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "emulator"))

from demo.isolated import Rescind, clean_environment, credentials_environment  # noqa: E402

REGION = "eu-central-1"
MANAGEMENT, SECURITY, SHOP = "999999999999", "111111111111", "222222222222"
ROLE, MEMBER_ROLE = "web", "RescindRemediation"
ROLE_ARN = f"arn:aws:iam::{SHOP}:role/{ROLE}"
EXTERNAL_ID = "0123456789abcdef0123456789abcdef"
DEPLOYER = "arn:aws:iam::*:role/deployer"

CONFIGURATION = f"""mode = "enforce"
listen = ""
regions = ["{REGION}"]
poll_interval = "5s"
quarantine = "%s"

[budget]
account_per_hour = 1000
organization_per_hour = 1000
roles_percent = 100

[member]
external_id = "{EXTERNAL_ID}"
"""

# What the role of each thief may do.
RIGHTS = {"iam": "*", "none": ["iam:ListUsers", "s3:ListAllMyBuckets"]}


class World:
    """An account with a stolen session of a role that may assume itself, as many are made to be."""

    def __init__(self, emulated, binary, directory, plan):
        self.emulator, self.endpoint = emulated.emulator, emulated.endpoint
        self.directory, self.plan = directory, plan
        self.config = directory / "rescind.toml"
        self.config.write_text(CONFIGURATION % ("2m" if plan["quarantine"] else "0s"), encoding="utf-8")
        self.rescind = Rescind(binary, self.config)
        self._build()
        self.session = self.emulator.session(account=SHOP, role=ROLE)

    def _build(self):
        trust = self._printed("member-trust", "--hub-role", "${HUB_ROLE_ARN}", "--organization", "${ORG_ID}")
        built = self.emulator.organization(
            regions=[REGION],
            management={"id": MANAGEMENT},
            accounts=[
                {"name": "security", "id": SECURITY, "delegated_admin": True},
                {"name": "shop", "id": SHOP},
            ],
            member_role=MEMBER_ROLE,
            member_policy=self._printed("member-role"),
            member_managed_policies={"rescind/Quarantine": self._printed("quarantine")},
            member_trust=trust,
            hub_policy=self._printed("hub-role"),
            external_id=EXTERNAL_ID,
            source_identity="rescind",
        )
        self.rescind.use(self.endpoint, built["hub"], REGION)
        self.environment = {**clean_environment(), **credentials_environment(self.endpoint, built["hub"], REGION)}
        self.operator = self.emulator.boto3(built["accounts"]["shop"], "iam")
        if self.plan["seal"]:
            self._seal(self.emulator.boto3(built["management"], "organizations"))
        services = {"Service": "ec2.amazonaws.com", "AWS": ROLE_ARN}
        self.emulator.role(
            account=SHOP,
            name=ROLE,
            policy=_document({"Action": RIGHTS[self.plan["thief"]], "Resource": "*"}),
            trust=_document({"Principal": services, "Action": "sts:AssumeRole"}),
        )

    def _seal(self, organizations):
        content = json.dumps(self._printed("seal", "--deployer", DEPLOYER))
        made = organizations.create_policy(
            Name="seal", Description="seal", Type="SERVICE_CONTROL_POLICY", Content=content
        )
        organizations.attach_policy(PolicyId=made["Policy"]["PolicySummary"]["Id"], TargetId=SHOP)

    def _printed(self, document, *words):
        return json.loads(self.rescind.run("policies", "print", document, *words, aws=False))

    def report(self):
        """GuardDuty notices."""
        self.emulator.exfiltration(
            account=SECURITY,
            region=REGION,
            member=SHOP,
            role=ROLE,
            principal_id=self.session["principal_id"],
            access_key_id=self.session["access_key_id"],
        )

    def listed(self):
        """The remediation, as `rescind list` has it; None while there is none."""
        lines = self.rescind.run("list", "-o", "jsonl").splitlines()
        return json.loads(lines[-1]) if lines else None


def _document(statement):
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]}
