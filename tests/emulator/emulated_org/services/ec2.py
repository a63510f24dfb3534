"""Amazon EC2's DescribeInstances, without the seconds that moto's EC2 takes to load."""
import re
from typing import Callable, Dict, List, Mapping, Optional
from xml.sax.saxutils import escape

from ..enforcement import Principal
from ..errors import AwsError, NotEmulated
from ..moto_bridge import forward, is_loaded
from ..policy.conditions import wildcard_match
from ..protocol.answers import Answer, content_type, element
from ..protocol.calls import Call, numbered
from ..state.instances import STATES, Instance
from ..state.world import World
from .paging import page

NAMESPACE = "http://ec2.amazonaws.com/doc/2016-11-15/"
PAGE_LIMITS = range(5, 1001)
INSTANCE_ID = re.compile(r"i-[0-9a-f]{8}([0-9a-f]{9})?")
FILTERS: Dict[str, Callable[[Instance], str]] = {
    "iam-instance-profile.arn": lambda instance: instance.profile_arn,
    "instance-state-name": lambda instance: instance.state,
    "instance-id": lambda instance: instance.id,
}


class Ec2:
    def __init__(self, world: World) -> None:
        self._instances = world.instances

    def handle(self, call: Call, principal: Principal) -> Answer:
        """moto's EC2 answers what it was loaded for, as long as nobody uses ours."""
        if call.operation != "DescribeInstances" or (self._instances.none_at_all and is_loaded("ec2")):
            return forward(call, principal.account)
        return self._describe_instances(call, principal.account)

    def _describe_instances(self, call: Call, account: str) -> Answer:
        params = call.params
        size = _page_size(params)
        found = _with_ids(self._instances.of(account, call.region), numbered(params, "InstanceId"))
        for number in _numbers(params, "Filter"):
            values = numbered(params, f"Filter.{number}.Value")
            found = _filtered(found, params.get(f"Filter.{number}.Name", ""), values)
        try:
            listed, next_token = page(found, size or len(found), params.get("NextToken"))
        except ValueError:
            raise AwsError("InvalidNextToken", "The specified nextToken is not valid.") from None
        items = "".join(_reservation(instance, account, call.region) for instance in listed)
        token = element("nextToken", next_token) if next_token else ""
        body = (
            f'<DescribeInstancesResponse xmlns="{NAMESPACE}"><requestId>{call.request_id}</requestId>'
            f"<reservationSet>{items}</reservationSet>{token}</DescribeInstancesResponse>"
        )
        return Answer(200, {"Content-Type": content_type("ec2")}, body.encode())


def _numbers(params: Mapping[str, str], name: str) -> List[int]:
    found = {int(key.split(".")[1]) for key in params if re.match(rf"{name}\.\d+\.", key)}
    return sorted(found)


def _with_ids(instances: List[Instance], ids: List[str]) -> List[Instance]:
    if not ids:
        return instances
    for id in ids:
        if not INSTANCE_ID.fullmatch(id):
            raise AwsError("InvalidInstanceID.Malformed", f'Invalid id: "{id}"')
    missing = sorted(set(ids) - {instance.id for instance in instances})
    if missing:
        raise AwsError("InvalidInstanceID.NotFound", f"The instance IDs '{', '.join(missing)}' do not exist")
    return [instance for instance in instances if instance.id in ids]


def _filtered(instances: List[Instance], name: str, patterns: List[str]) -> List[Instance]:
    if name not in FILTERS:
        raise NotEmulated(f"the filter {name} of ec2:DescribeInstances, only {', '.join(FILTERS)}")
    value_of = FILTERS[name]
    return [
        instance
        for instance in instances
        if any(wildcard_match(pattern, value_of(instance)) for pattern in patterns)
    ]


def _page_size(params: Mapping[str, str]) -> Optional[int]:
    text = params.get("MaxResults")
    if text is None:
        return None
    if not text.isdigit() or int(text) not in PAGE_LIMITS:
        message = f"Value ( {text} ) for parameter maxResults is invalid. Expecting a value between 5 and 1000."
        raise AwsError("InvalidParameterValue", message)
    if "InstanceId.1" in params:
        message = "The parameter instancesSet cannot be used with the parameter maxResults"
        raise AwsError("InvalidParameterCombination", message)
    return int(text)


def _reservation(instance: Instance, account: str, region: str) -> str:
    code = STATES[instance.state]
    tags = "".join(
        f"<item>{element('key', key)}{element('value', value)}</item>" for key, value in instance.tags.items()
    )
    vpc = element("vpcId", instance.vpc_id) if instance.vpc_id else ""
    profile = element("arn", instance.profile_arn) + element("id", instance.profile_id)
    return (
        f"<item><reservationId>{instance.reservation_id}</reservationId><ownerId>{account}</ownerId><groupSet/>"
        "<instancesSet><item>"
        f"<instanceId>{escape(instance.id)}</instanceId><imageId>ami-0123456789abcdef0</imageId>"
        f"<instanceState><code>{code}</code><name>{instance.state}</name></instanceState>"
        "<instanceType>t3.micro</instanceType>"
        f"<launchTime>{instance.launched_at.strftime('%Y-%m-%dT%H:%M:%S.000Z')}</launchTime>"
        f"<placement><availabilityZone>{region}a</availabilityZone><tenancy>default</tenancy></placement>{vpc}"
        f"<iamInstanceProfile>{profile}</iamInstanceProfile><tagSet>{tags}</tagSet>"
        "</item></instancesSet></item>"
    )
