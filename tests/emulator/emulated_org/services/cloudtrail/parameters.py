"""The requestParameters of a record: what a call asked for, documents included."""
from typing import Dict, List, Mapping, Optional

from ...errors import AwsError
from ...protocol.calls import EC2, PROTOCOLS, QUERY, REST_JSON, REST_XML, Call
from .wording import from_number, from_text, lower_first, spelled

# EC2's lists have names of their own, and so have the single values in them: parameter -> (list, value).
EC2_LISTS = {
    "InstanceId": ("instancesSet", "instanceId"),
    "SecurityGroupId": ("groupSet", "groupId"),
    "SecurityGroup": ("groupSet", "groupName"),
    "Resource": ("resourcesSet", "resourceId"),
    "ResourceId": ("resourcesSet", "resourceId"),
    "BlockDeviceMapping": ("blockDeviceMapping", ""),
    "IpPermissions": ("ipPermissions", ""),
    "IpRanges": ("ipRanges", ""),
    "Ipv6Ranges": ("ipv6Ranges", ""),
    "Groups": ("groups", ""),
    "Tag": ("tagSet", ""),
    "UserId": ("userIdSet", "userId"),
    "Add": ("add", ""),
    "Remove": ("remove", ""),
}
# What RunInstances says of the instances stands in its set of instances.
OF_INSTANCES = ("imageId", "minCount", "maxCount", "keyName")


# Newer operations of EC2 are recorded as a request and a response, in their own spelling.
WRAPPED = (
    "AssociateIamInstanceProfile",
    "DisassociateIamInstanceProfile",
    "ReplaceIamInstanceProfileAssociation",
)


def request_parameters(call: Call) -> Optional[dict]:
    protocol = PROTOCOLS[call.service]
    if protocol == QUERY:
        return spelled(call.service, _listed(_tree(call.params)), from_text) or None
    if protocol == EC2 and call.operation in WRAPPED:
        return {f"{call.operation}Request": _tree(call.params)}
    if protocol == EC2:
        return _of_instances(call, spelled(call.service, _sets(_tree(call.params)), from_text)) or None
    if protocol == REST_XML:
        return _of_bucket(call)
    named = {**call.query(), **call.path_fields} if protocol == REST_JSON else {}
    return spelled(call.service, {**_body(call), **named}, from_number) or None


def _body(call: Call) -> dict:
    try:
        return call.json_body()
    except AwsError:
        return {}


def _tree(params: Mapping[str, str]) -> dict:
    """``Tags.member.1.Key`` as a tree."""
    tree: dict = {}
    for key, value in params.items():
        node, (*branches, leaf) = tree, key.split(".")
        for branch in branches:
            below = node.setdefault(branch, {})
            # A text that has something below it is no parameter of AWS.
            node = below if isinstance(below, dict) else {}
        node[leaf] = value
    return tree


def _numbered(node: object) -> Optional[List]:
    """The values of a node that is a list; None for others."""
    if not isinstance(node, dict) or not node or not all(key.isdigit() for key in node):
        return None
    return [node[key] for key in sorted(node, key=int)]


def _listed(node: object) -> object:
    """A tree of the query protocol with its lists as lists, and its maps as maps."""
    if not isinstance(node, dict):
        return node
    members = _numbered(node.get("member"))
    if members is not None:
        return [_listed(one) for one in members]
    entries = _numbered(node.get("entry"))
    if entries is not None:
        return {str(one.get("key")): one.get("value") for one in entries if isinstance(one, dict)}
    return {name: _listed(value) for name, value in node.items()}


def _sets(node: object) -> object:
    """A tree of EC2 with its lists as sets of items."""
    if not isinstance(node, dict):
        return node
    sets: Dict[str, object] = {}
    for name, value in node.items():
        values = _numbered(value)
        if values is None:
            sets[name] = _sets(value)
            continue
        set_name, one_name = EC2_LISTS.get(name, (f"{lower_first(name)}Set", lower_first(name)))
        sets[set_name] = {"items": [_sets(one) if isinstance(one, dict) else {one_name: one} for one in values]}
    return sets


def _of_instances(call: Call, parameters: dict) -> dict:
    if call.operation != "RunInstances":
        return parameters
    instance = {name: parameters.pop(name) for name in OF_INSTANCES if name in parameters}
    return {"instancesSet": {"items": [instance]}, **parameters}


def _of_bucket(call: Call) -> Optional[dict]:
    asked = spelled(call.service, {**call.path_fields, **call.query()})
    if call.operation == "PutBucketPolicy":
        asked["bucketPolicy"] = _body(call)
    return asked or None
