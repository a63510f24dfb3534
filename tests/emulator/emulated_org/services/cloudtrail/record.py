"""What CloudTrail records of a call, and in which account and region."""
import uuid
from datetime import datetime
from typing import Optional

from ...enforcement import Principal
from ...identity import foreign_identity, user_identity, username
from ...protocol.answers import Answer
from ...protocol.calls import Call
from ...state.directory import account_of
from ...state.world import World
from ...times import whole_seconds
from .elements import response_elements
from .parameters import request_parameters

# Services without regions record in the partition's main region, wherever they are called.
GLOBAL_SERVICES = ("iam", "organizations", "account")
# LookupEvents knows no data events: what is done to messages, objects and items.
DATA_OPERATIONS = {
    "sqs": None,
    "sns": {"Publish"},
    "events": {"PutEvents"},
    "s3": {"GetObject", "PutObject", "DeleteObject", "ListBucket"},
    "dynamodb": {"GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan", "BatchGetItem", "BatchWriteItem"},
}
# Lambda's events have the version of its interface in their names, and a second one where an operation was changed.
LAMBDA_NAMES = {
    "AddLayerVersionPermission": "AddLayerVersionPermission20181031",
    "AddPermission": "AddPermission20150331v2",
    "CreateFunction": "CreateFunction20150331",
    "DeleteFunction": "DeleteFunction20150331",
    "DeleteLayerVersion": "DeleteLayerVersion20181031",
    "GetFunction": "GetFunction20150331v2",
    "GetFunctionConfiguration": "GetFunctionConfiguration20150331v2",
    "GetLayerVersion": "GetLayerVersion20181031",
    "GetPolicy": "GetPolicy20150331v2",
    "ListFunctions": "ListFunctions20150331",
    "ListLayerVersions": "ListLayerVersions20181031",
    "PublishLayerVersion": "PublishLayerVersion20181031",
    "RemovePermission": "RemovePermission20150331v2",
    "UpdateFunctionCode": "UpdateFunctionCode20150331v2",
    "UpdateFunctionConfiguration": "UpdateFunctionConfiguration20150331v2",
}


def record(world: World, call: Call, principal: Principal, answer: Answer) -> None:
    """Leaves the event of a call in the trail, unless it is a data event.

    A role that was assumed from another account leaves one in both accounts, with the same sharedEventID.
    """
    if _is_data_event(call):
        return
    region = world.directory.main_region if call.service in GLOBAL_SERVICES else call.region
    now, trail, settings = world.clock.now(), world.trail, world.trail.settings
    detail = _detail(call, answer, region, now)
    detail["sourceIPAddress"] = settings.address_of(call.access_key_id)
    made_key = _made_key(detail["responseElements"])
    if made_key:
        settings.inherit_address(call.access_key_id, made_key)
    own = {"userIdentity": user_identity(principal, call.access_key_id), "recipientAccountId": principal.account}
    role_arn = call.params.get("RoleArn", "") if call.operation == "AssumeRole" else ""
    role_account = account_of(role_arn)
    if role_account and not answer.error_code:
        detail["resources"] = [{"accountId": role_account, "type": "AWS::IAM::Role", "ARN": role_arn}]
        if role_account != principal.account:
            detail["sharedEventID"] = str(uuid.uuid4())
            foreign = {"userIdentity": foreign_identity(principal), "recipientAccountId": role_account}
            trail.record(role_account, region, now, None, {**detail, **foreign, "eventID": str(uuid.uuid4())})
    trail.record(principal.account, region, now, username(principal), {**detail, **own})


def _is_data_event(call: Call) -> bool:
    if call.service not in DATA_OPERATIONS:
        return False
    operations = DATA_OPERATIONS[call.service]
    return operations is None or call.operation in operations


def _detail(call: Call, answer: Answer, region: str, now: datetime) -> dict:
    """All of a record but whose it is."""
    names = LAMBDA_NAMES if call.service == "lambda" else {}
    detail = {
        "eventVersion": "1.09",
        "userIdentity": None,
        "eventTime": whole_seconds(now),
        "eventSource": f"{call.service}.amazonaws.com",
        "eventName": names.get(call.operation, call.operation),
        "awsRegion": region,
        "sourceIPAddress": None,
        "userAgent": call.headers.get("User-Agent") or "",
        "requestParameters": request_parameters(call),
        "responseElements": response_elements(call, answer),
        "requestID": call.request_id,
        "eventID": str(uuid.uuid4()),
        "readOnly": call.is_read,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": None,
        "eventCategory": "Management",
    }
    if answer.error_code:
        detail["errorCode"] = answer.error_code
        detail["errorMessage"] = answer.error_message or ""
    return detail


def _made_key(elements: Optional[dict]) -> Optional[str]:
    """The access key of the session or the user that a call made."""
    made = [(elements or {}).get(name) for name in ("credentials", "accessKey")]
    return next((one.get("accessKeyId") for one in made if isinstance(one, dict)), None)
