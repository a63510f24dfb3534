"""What many have today: a function that attaches a deny to the role that a finding names.

    baseline.py FINDINGS --endpoint URL [--role NAME] [--threads N]

Prints when it began, made its first call and had each deny in place, as JSON. README.md says more.
"""

import time

BEGUN = time.time()

import argparse
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import boto3

IMPORTED = time.time()
POLICY = "RevokeCredentialsPolicy"


def document(finding):
    """Denies everything to sessions from before the finding was updated."""
    updated = datetime.strptime(finding["updatedAt"], "%Y-%m-%dT%H:%M:%S.%fZ")
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Sid": "RevokeCredentials",
                    "Effect": "Deny",
                    "Action": "*",
                    "Resource": "*",
                    "Condition": {
                        "DateLessThan": {"aws:TokenIssueTime": updated.strftime("%Y-%m-%dT%H:%M:%S")}
                    },
                }
            ],
        }
    )


class Accounts:
    """Clients for the accounts: that of the credentials, or each by its role."""

    def __init__(self, endpoint, role):
        self.endpoint, self.role = endpoint, role
        # Sessions and the making of clients are not for several threads at once.
        self.local = threading.local()

    def session(self):
        if not hasattr(self.local, "session"):
            self.local.session = boto3.Session(region_name="eu-central-1")
            self.local.sts = self.local.session.client("sts", endpoint_url=self.endpoint) if self.role else None
        return self.local.session

    def iam(self, account):
        session = self.session()
        if not self.role:
            return session.client("iam", endpoint_url=self.endpoint)
        answer = self.local.sts.assume_role(
            RoleArn=f"arn:aws:iam::{account}:role/{self.role}", RoleSessionName="baseline"
        )
        credentials = answer["Credentials"]
        return session.client(
            "iam",
            endpoint_url=self.endpoint,
            aws_access_key_id=credentials["AccessKeyId"],
            aws_secret_access_key=credentials["SecretAccessKey"],
            aws_session_token=credentials["SessionToken"],
        )


def revoke(accounts, finding):
    """Gives the time at which the deny was in place."""
    iam = accounts.iam(finding["accountId"])
    policy = iam.create_policy(PolicyName=POLICY, PolicyDocument=document(finding))
    role = finding["resource"]["accessKeyDetails"]["userName"]
    iam.attach_role_policy(RoleName=role, PolicyArn=policy["Policy"]["Arn"])
    return time.time()


def read(path):
    """One finding or event a line, or one in the whole file."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    try:
        found = [json.loads(text)]
    except json.JSONDecodeError:
        found = [json.loads(line) for line in text.splitlines() if line.strip()]
    return [one.get("detail", one) for one in found]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("findings")
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--role", help="enter each account by this role")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    findings = read(args.findings)
    accounts = Accounts(args.endpoint, args.role)
    first = time.time()
    if args.threads > 1:
        with ThreadPoolExecutor(args.threads) as pool:
            denied = list(pool.map(lambda finding: revoke(accounts, finding), findings))
    else:
        denied = [revoke(accounts, finding) for finding in findings]
    print(json.dumps({"begun": BEGUN, "imported": IMPORTED, "ready": first, "denied": denied}))


if __name__ == "__main__":
    main()
