"""What the calls of Organizations act on, and their condition keys, as the Service Authorization Reference has them.

A policy that is made has no id yet: its ARN ends in ``*``, which only a pattern with a ``*`` there covers.
"""
from typing import Dict, List

from ...protocol.calls import Call
from ...state.directory import Directory

TARGETS = ("AccountId", "ChildId", "ParentId", "ResourceId", "RootId", "TargetId")
TYPE_NAMED_BY = {
    "CreatePolicy": "Type",
    "DisablePolicyType": "PolicyType",
    "EnablePolicyType": "PolicyType",
    "ListPolicies": "Filter",
    "ListPoliciesForTarget": "Filter",
}


def organization_arns(call: Call, account: str, directory: Directory) -> List[str]:
    params = call.params
    if call.operation == "CreatePolicy":
        return [directory.organization_arn("policy", f"{params.get('Type', '').lower()}/*")]
    if call.operation in ("PutResourcePolicy", "DeleteResourcePolicy"):
        return [directory.organization_arn("resourcepolicy", directory.resource_policy[0] if directory.resource_policy else "*")]
    found = [directory.in_organization(params[name]) for name in ("PolicyId", *TARGETS) if name in params]
    arns = [directory.arn_in_organization(thing) for thing in found if thing is not None]
    if "PolicyId" in params and found[0] is None:
        arns.append(directory.organization_arn("policy", f"service_control_policy/{params['PolicyId']}"))
    return arns


def organization_keys(call: Call, directory: Directory, resource: str) -> Dict[str, List[str]]:
    params, body = call.params, call.json_body()
    keys: Dict[str, List[str]] = {}
    kind = params.get(TYPE_NAMED_BY.get(call.operation, ""))
    policy = directory.in_organization(params.get("PolicyId") or params.get("ResourceId", ""))
    if kind is None and policy in directory.organization.policies:
        kind = policy.type
    if kind:
        keys["organizations:PolicyType"] = [kind]
    names = list(body.get("TagKeys") or [])
    for tag in tagged(call):
        keys[f"aws:RequestTag/{tag['Key']}"] = [tag["Value"]]
        names.append(tag["Key"])
    if names:
        keys["aws:TagKeys"] = names
    things = [*directory.policy_targets(), *directory.organization.policies]
    of_resource = next((thing for thing in things if directory.arn_in_organization(thing) == resource), None)
    for name, value in (of_resource.tags if of_resource else {}).items():
        keys[f"aws:ResourceTag/{name}"] = [value]
    return keys


def tagged(call: Call) -> List[Dict[str, str]]:
    """The tags that a call gives to what it acts on."""
    return [tag for tag in call.json_body().get("Tags") or [] if isinstance(tag, dict) and {"Key", "Value"} <= set(tag)]
