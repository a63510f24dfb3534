"""The condition keys that an action brings along, beside those of every request."""
from typing import Dict, List

from ..protocol.calls import Call
from ..state.directory import Directory, tags_of
from .organizations.asked import organization_keys

ATTACHMENTS = ("AttachRolePolicy", "DetachRolePolicy", "AttachUserPolicy", "DetachUserPolicy")
WITH_BOUNDARY = (
    *ATTACHMENTS,
    *(f"{verb}{kind}{what}" for verb in ("Put", "Delete") for kind in ("Role", "User")
      for what in ("Policy", "PermissionsBoundary")),
    "CreateRole",
    "CreateUser",
)


def condition_keys_of(call: Call, account: str, directory: Directory, resource: str) -> Dict[str, List[str]]:
    """Those of a call, and of one of the resources that it acts on."""
    if call.service == "organizations":
        return organization_keys(call, directory, resource)
    return _iam(call, account, directory) if call.service == "iam" else {}


def _iam(call: Call, account: str, directory: Directory) -> Dict[str, List[str]]:
    params, keys = call.params, {}
    if call.operation in ATTACHMENTS:
        keys["iam:PolicyARN"] = [params.get("PolicyArn", "")]
    entity = None
    if not call.operation.startswith("Create"):
        if "RoleName" in params:
            entity = directory.role(account, params["RoleName"])
        elif "UserName" in params:
            entity = directory.user(account, params["UserName"])
    if call.operation in WITH_BOUNDARY:
        boundary = params.get("PermissionsBoundary") or getattr(entity, "permissions_boundary_arn", None)
        if boundary:
            keys["iam:PermissionsBoundary"] = [boundary]
    for tag in tags_of(entity):
        keys[f"iam:ResourceTag/{tag['Key']}"] = keys[f"aws:ResourceTag/{tag['Key']}"] = [tag["Value"]]
    return keys
