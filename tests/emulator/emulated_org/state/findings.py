"""GuardDuty findings in the shape GetFindings answers them (camelCase)."""
import copy
import json
import secrets
from typing import Mapping, Optional

EXFILTRATION = "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS"
MALICIOUS_CALLER = "UnauthorizedAccess:IAMUser/MaliciousIPCaller"
# TEST-NET-3: addresses that belong to nobody.
ATTACKER_ADDRESS = "203.0.113.77"


def with_defaults(finding: Mapping, detector, partition: str, now: str) -> dict:
    """The finding plus what every finding has, where it does not state it itself."""
    complete = copy.deepcopy(dict(finding))
    id = complete.setdefault("id", secrets.token_hex(16))
    kind = complete.setdefault("type", EXFILTRATION)
    defaults = {
        "accountId": detector.account,
        "arn": finding_arn(detector, partition, id),
        "createdAt": now,
        "description": kind,
        "partition": partition,
        "region": detector.region,
        "resource": {"resourceType": "AccessKey"},
        "schemaVersion": "2.0",
        "severity": 8.0,
        "title": kind,
        "updatedAt": now,
    }
    for name, value in defaults.items():
        complete.setdefault(name, value)
    service = complete.setdefault("service", {})
    if isinstance(service, dict):
        for name, value in _service(detector, now).items():
            service.setdefault(name, value)
    return complete


def finding_arn(detector, partition: str, id: str) -> str:
    account, region = detector.account, detector.region
    return f"arn:{partition}:guardduty:{region}:{account}:detector/{detector.id}/finding/{id}"


def _service(detector, now: str) -> dict:
    return {
        "archived": False,
        "count": 1,
        "detectorId": detector.id,
        "eventFirstSeen": now,
        "eventLastSeen": now,
        "serviceName": "guardduty",
    }


def exfiltration_finding(request: Mapping, detector, partition: str, now: str) -> dict:
    """What GuardDuty reports when an instance's credentials, or those of a user, are used from elsewhere."""
    member = request["member"]
    about = _of_user(request) if "user" in request else _of_instance(request, partition, detector.region)
    updated_at = request.get("updated_at") or now
    api_call = _api_call(member)
    if request.get("error_code"):
        api_call["errorCode"] = request["error_code"]
    finding = {
        **about,
        "accountId": member,
        "id": request.get("id") or secrets.token_hex(16),
        "service": {
            "action": {"actionType": "AWS_API_CALL", "awsApiCallAction": api_call},
            "additionalInfo": {"type": "default", "value": "{}"},
            "resourceRole": "TARGET",
            "eventLastSeen": updated_at,
        },
        "severity": request["severity"] if "severity" in request else 8.0,
        "updatedAt": updated_at,
    }
    if isinstance(updated_at, str) and updated_at < now:
        finding["createdAt"] = updated_at
        finding["service"]["eventFirstSeen"] = updated_at
    return with_defaults(merged(finding, request.get("overrides") or {}), detector, partition, now)


def _of_instance(request: Mapping, partition: str, region: str) -> dict:
    role = request["role"]
    instance = request["principal_id"].rpartition(":")[2]
    title = f"Credentials for the EC2 instance role {role} were used from an external IP address"
    return {
        "description": f"{title} {ATTACKER_ADDRESS}.",
        "resource": {
            "resourceType": "AccessKey",
            "accessKeyDetails": _access_key(request, role, "AssumedRole"),
            "instanceDetails": _instance(instance, request["member"], role, partition, region),
        },
        "title": f"{title}.",
        "type": request.get("type") or EXFILTRATION,
    }


def _of_user(request: Mapping) -> dict:
    user = request["user"]
    return {
        "description": f"API ListBuckets was called by {user} from the known malicious IP address {ATTACKER_ADDRESS}.",
        "resource": {"resourceType": "AccessKey", "accessKeyDetails": _access_key(request, user, request.get("user_type") or "IAMUser")},
        "title": f"API ListBuckets was called by {user} from a known malicious IP address.",
        "type": request.get("type") or MALICIOUS_CALLER,
    }


def _access_key(request: Mapping, user_name: str, user_type: str) -> dict:
    return {
        "accessKeyId": request["access_key_id"],
        "principalId": request["principal_id"],
        "userName": user_name,
        "userType": user_type,
    }


def sample_finding(kind: str, detector, partition: str, now: str, earlier: Optional[Mapping]) -> dict:
    """CreateSampleFindings: placeholders for names, and marked as a sample."""
    finding = exfiltration_finding(
        {
            "member": detector.account,
            "role": "GeneratedFindingUserName",
            "principal_id": "GeneratedFindingPrincipalId",
            "access_key_id": "GeneratedFindingAccessKeyId",
            "type": kind,
        },
        detector,
        partition,
        now,
    )
    finding["title"] = f"[SAMPLE] {kind}"
    finding["service"]["additionalInfo"] = {"type": "default", "value": json.dumps({"sample": True})}
    finding["resource"]["instanceDetails"]["instanceId"] = "i-99999999"
    if earlier:
        finding.update(id=earlier["id"], arn=earlier["arn"], createdAt=earlier["createdAt"])
        finding["service"]["count"] = earlier["service"]["count"] + 1
        finding["service"]["eventFirstSeen"] = earlier["service"]["eventFirstSeen"]
    return finding


def merged(base: dict, overrides: Mapping) -> dict:
    """A copy of `base` in which objects are merged key by key, all else replaced."""
    result = copy.deepcopy(base)
    for key, value in overrides.items():
        if isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = merged(result[key], value)
        else:
            result[key] = copy.deepcopy(value)
    return result


def _instance(instance: str, member: str, role: str, partition: str, region: str) -> dict:
    return {
        "availabilityZone": f"{region}a",
        "iamInstanceProfile": {
            "arn": f"arn:{partition}:iam::{member}:instance-profile/{role}",
            "id": "AIPAEXAMPLEEXAMPLE123",
        },
        "imageId": "ami-0123456789abcdef0",
        "instanceId": instance,
        "instanceState": "running",
        "instanceType": "t3.micro",
        "launchTime": "2024-01-01T00:00:00.000Z",
        "networkInterfaces": [],
        "tags": [],
    }


def _api_call(member: str) -> dict:
    return {
        "affectedResources": {},
        "api": "ListBuckets",
        "callerType": "Remote IP",
        "remoteAccountDetails": {"accountId": member, "affiliated": True},
        "remoteIpDetails": {
            "city": {"cityName": "Exampleville"},
            "country": {"countryName": "Exampleland"},
            "geoLocation": {"lat": 0.0, "lon": 0.0},
            "ipAddressV4": ATTACKER_ADDRESS,
            "organization": {
                "asn": "64496",
                "asnOrg": "Documentation Networks",
                "isp": "Documentation Networks",
                "org": "Documentation Networks",
            },
        },
        "serviceName": "s3.amazonaws.com",
        "userAgent": "aws-cli/2.15.0",
    }
