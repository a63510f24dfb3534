"""Where the files are that are tested, and the values that the tests give their parameters."""
import json
import os
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
POLICIES = ROOT / "policies"
DEPLOYMENT = POLICIES / "deployment"
HUB = DEPLOYMENT / "hub"
TERRAFORM = DEPLOYMENT / "terraform"
TEMPLATES = sorted([*DEPLOYMENT.glob("*.yaml"), *HUB.glob("*.yaml")])

ACCOUNT = "111122223333"
REGION = "eu-central-1"
HUB_ROLE = f"arn:aws:iam::{ACCOUNT}:role/RescindHub"
# Of each placeholder in policies/*.json, a value that no default has.
FILLED = {
    "HUB_ACCOUNT": ACCOUNT,
    "MANAGEMENT_ACCOUNT": ACCOUNT,
    "PARTITION": "aws",
    "EXTERNAL_ID": "0123456789abcdef0123456789abcdef",
    "HUB_ROLE_ARN": HUB_ROLE,
    "LOG_TABLE": "rescind-log",
    "MEMBER_ROLE": "security/Remediation",
    "DRILL_ROLE": "Drill",
    "ORG_ID": "o-a1b2c3d4e5",
    "SIGNING_KEY_ARN": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    "SOURCE_IDENTITY": "rescind-eu",
    "WITNESS_BUCKET": "example-rescind-witness",
}
DEPLOYERS = ["arn:aws:iam::*:role/stacksets-exec-*", "arn:aws:iam::*:role/deploy/*"]

# The binary for what is asked of it: one that was built, if any.
BINARY = Path(os.environ.get("RESCIND_BINARY", ROOT / "target" / "debug" / "rescind"))
SECRET = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:rescind"
# Of each parameter of a template that has no default, a value.
REQUIRED = {
    "CentralBusArn": f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/rescind-findings",
    "HubRoleArn": HUB_ROLE,
    "ExternalId": FILLED["EXTERNAL_ID"],
    "OrganizationId": FILLED["ORG_ID"],
    "OrganizationalUnitIds": ["r-root"],
    "HubAccount": ACCOUNT,
    "WitnessBucket": FILLED["WITNESS_BUCKET"],
    "Deployers": DEPLOYERS,
    "TargetIds": ["r-root"],
    "Image": f"example.com/rescind@sha256:{'0' * 64}",
    "ImageId": "ami-0",
    "VpcId": "vpc-0",
    "SubnetId": "subnet-0",
    "AvailabilityZone": f"{REGION}a",
    "FirstSubnetId": "subnet-0",
    "FirstZone": f"{REGION}a",
    "SecondSubnetId": "subnet-1",
    "SecondZone": f"{REGION}b",
    "PackageUrl": "https://example.com/rescind-0.1.0-1.aarch64.rpm",
    "PackageSha256": "9f" * 32,
    "ConfigurationSecretArn": f"{SECRET}/rescind.toml-AbCdEf",
    "OptOutsSecretArn": f"{SECRET}/opt-outs.toml-AbCdEf",
}


def policy(name: str):
    """A document of policies/, with its placeholders filled in as `rescind policies print` does it."""
    return filled(json.loads((POLICIES / name).read_text()))


def filled(value):
    if isinstance(value, dict):
        return {key: filled(item) for key, item in value.items()}
    if isinstance(value, list):
        return [one for item in value for one in (DEPLOYERS if item == "${DEPLOYERS}" else [filled(item)])]
    if isinstance(value, str):
        return re.sub(r"\$\{(\w+)\}", lambda found: FILLED[found[1]], value)
    return value
