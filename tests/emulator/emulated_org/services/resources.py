"""The resources an action acts on, as policies name them: mostly one.

Actions not listed here act on ``*``, which only a statement with the resource
``*`` covers: a policy limited to certain resources does not match them blindly.
"""
from typing import List

from ..policy.conditions import as_list
from ..protocol.calls import Call
from ..state.directory import Directory
from .eventbridge import bus_arns
from .organizations.asked import organization_arns
from .sns import topic_arn
from .sqs import named_queue


def resources_of(call: Call, account: str, directory: Directory) -> List[str]:
    finders = {
        "iam": _iam,
        "sts": _sts,
        "guardduty": _guardduty,
        "organizations": organization_arns,
        "dynamodb": _dynamodb,
        "kms": _kms,
        "s3": _s3,
        "sqs": _sqs,
        "sns": _sns,
        "events": _events,
        "account": _account,
        "securityhub": _securityhub,
    }
    finder = finders.get(call.service)
    return as_list((finder(call, account, directory) if finder else None) or "*")


def _iam(call: Call, account: str, directory: Directory):
    params = call.params
    prefix = f"arn:{directory.partition}:iam::{account}"
    if "PolicySourceArn" in params:
        return params["PolicySourceArn"]
    if call.operation == "CreateRole":
        return f"{prefix}:role{params.get('Path', '/')}{params.get('RoleName', '')}"
    if call.operation == "CreateUser":
        return f"{prefix}:user{params.get('Path', '/')}{params.get('UserName', '')}"
    if call.operation == "CreatePolicy":
        return f"{prefix}:policy{params.get('Path', '/')}{params.get('PolicyName', '')}"
    changes_profile = "InstanceProfile" in call.operation and call.operation != "ListInstanceProfilesForRole"
    if "RoleName" in params and not changes_profile:
        role = directory.role(account, params["RoleName"])
        return role.arn if role else f"{prefix}:role/{params['RoleName']}"
    if "UserName" in params:
        user = directory.user(account, params["UserName"])
        return user.arn if user else f"{prefix}:user/{params['UserName']}"
    if "PolicyArn" in params:
        return params["PolicyArn"]
    if "InstanceProfileName" in params:
        return f"{prefix}:instance-profile/{params['InstanceProfileName']}"
    lists = {"ListUsers": "user/", "ListRoles": "role/", "ListPolicies": "policy/"}
    return f"{prefix}:{lists[call.operation]}" if call.operation in lists else None


def _sts(call: Call, account: str, directory: Directory):
    if call.operation == "GetFederationToken":
        return f"arn:{directory.partition}:sts::{account}:federated-user/{call.params.get('Name', '')}"
    return call.params.get("RoleArn")


def _guardduty(call: Call, account: str, directory: Directory):
    detector = call.params.get("DetectorId")
    if not detector:
        return None
    return f"arn:{directory.partition}:guardduty:{call.region}:{account}:detector/{detector}"


def _dynamodb(call: Call, account: str, directory: Directory):
    tables = [call.params["TableName"]] if "TableName" in call.params else list(_tables_of_batch(call))
    # Tables may be named by their ARN.
    prefix = f"arn:{directory.partition}:dynamodb:{call.region}:{account}:table/"
    return [table if table.startswith("arn:") else prefix + table for table in tables]


def _tables_of_batch(call: Call) -> dict:
    tables = call.json_body().get("RequestItems")
    return tables if isinstance(tables, dict) else {}


def _kms(call: Call, account: str, directory: Directory):
    key = call.params.get("KeyId")
    if not key:
        return None
    return key if key.startswith("arn:") else f"arn:{directory.partition}:kms:{call.region}:{account}:key/{key}"


def _s3(call: Call, account: str, directory: Directory):
    bucket, key = call.params.get("Bucket"), call.params.get("Key")
    if not bucket:
        return None
    return f"arn:{directory.partition}:s3:::{bucket}" + (f"/{key}" if key else "")


def _sqs(call: Call, account: str, directory: Directory):
    owner, name = named_queue(call.params, account)
    return f"arn:{directory.partition}:sqs:{call.region}:{owner}:{name}"


def _sns(call: Call, account: str, directory: Directory):
    return topic_arn(call.params)[1]


def _events(call: Call, account: str, directory: Directory):
    return bus_arns(call, account, directory) if call.operation == "PutEvents" else None


def _account(call: Call, account: str, directory: Directory):
    return f"arn:{directory.partition}:account::{account}:account"


def _securityhub(call: Call, account: str, directory: Directory):
    if call.operation != "BatchImportFindings":
        return None
    findings = call.json_body().get("Findings")
    findings = [one for one in findings if isinstance(one, dict)] if isinstance(findings, list) else []
    return list(dict.fromkeys(str(one.get("ProductArn")) for one in findings))
