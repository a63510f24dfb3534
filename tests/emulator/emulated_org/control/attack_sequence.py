"""GuardDuty's attack sequences: findings about several principals, none of them in the resource."""
import secrets
from datetime import datetime
from typing import Dict, List, Mapping

from ..state.detectors import Detector
from ..state.findings import ATTACKER_ADDRESS, merged, with_defaults
from ..state.world import World
from ..times import parse_time

COMPROMISED_CREDENTIALS = "AttackSequence:IAM/CompromisedCredentials"
ENDPOINT_ID = f"ip:{ATTACKER_ADDRESS}"


def attack_sequence_finding(request: Mapping, detector: Detector, world: World, now: str) -> dict:
    """What GuardDuty reports when it sees the stages of an attack on an account."""
    member, updated_at = request["member"], request.get("updated_at") or now
    if not request["actors"]:
        raise ValueError("an attack sequence has at least one actor")
    moment = _epoch(parse_time(updated_at))
    actors = [_Actor(actor, world, moment) for actor in request["actors"]]
    partition = world.directory.partition
    description = f"A sequence of actions involving {len(actors)} actors was observed in account {member}."
    sequence = {
        "uid": secrets.token_hex(16),
        "description": description,
        "actors": [actor.described() for actor in actors],
        "resources": [actor.access_key(detector.region, partition) for actor in actors],
        "endpoints": [_endpoint()],
        "signals": [_signal(actor, moment) for actor in actors],
        "sequenceIndicators": [{"key": "HIGH_RISK_API", "values": ["iam:CreateUser"], "title": "High risk API"}],
    }
    finding = {
        "accountId": member,
        "description": description,
        "id": request.get("id") or secrets.token_hex(16),
        "resource": {"resourceType": "AttackSequence"},
        "service": {
            "additionalInfo": {"type": "default", "value": "{}"},
            "detection": {"sequence": sequence},
            "eventFirstSeen": updated_at,
            "eventLastSeen": updated_at,
        },
        "severity": request["severity"] if "severity" in request else 9.0,
        "title": "Potential credential compromise indicated by a sequence of actions.",
        "type": COMPROMISED_CREDENTIALS,
        "createdAt": min(updated_at, now),
        "updatedAt": updated_at,
    }
    return with_defaults(merged(finding, request.get("overrides") or {}), detector, partition, now)


class _Actor:
    def __init__(self, request: Mapping, world: World, moment: float) -> None:
        if ("role" in request) == ("user" in request):
            raise ValueError("an actor has either a role or a user")
        self._account = request["account"]
        self._directory = world.directory
        self._is_role = "role" in request
        self._name = request["role"] if self._is_role else request["user"]
        self._principal_id = request["principal_id"]
        self._access_key_id = request["access_key_id"]
        session = world.sessions.find(self._access_key_id)
        self._created = _epoch(session.issued_at) if session else moment

    @property
    def _type(self) -> str:
        return "AssumedRole" if self._is_role else "IAMUser"

    @property
    def id(self) -> str:
        return f"{self._type}:{self._principal_id}"

    @property
    def resource_uid(self) -> str:
        return f"AccessKey:{self._access_key_id}"

    def described(self) -> dict:
        account = self._directory.member(self._account)
        described = {
            "id": self.id,
            "user": {
                "name": self._name,
                "uid": self._principal_id,
                "type": self._type,
                "credentialUid": self._access_key_id,
                "account": {"uid": self._account, "account": account.name if account else self._account},
            },
        }
        if self._is_role or self._access_key_id.startswith("ASIA"):
            # A long-term key is used without a session.
            described["session"] = self._session()
        return described

    def _session(self) -> dict:
        session = {"uid": self._access_key_id, "mfaStatus": "DISABLED", "createdTime": self._created}
        if self._is_role:
            role = self._known_role()
            unknown = f"arn:{self._directory.partition}:iam::{self._account}:role/{self._name}"
            session["issuer"] = role.arn if role else unknown
        return session

    def _known_role(self):
        if self._account not in self._directory.account_ids:
            return None
        return self._directory.role(self._account, self._name)

    def access_key(self, region: str, partition: str) -> dict:
        return {
            "uid": self.resource_uid,
            "name": self._access_key_id,
            "accountId": self._account,
            "resourceType": "ACCESS_KEY",
            "region": region,
            "service": "iam",
            "cloudPartition": partition,
            "tags": [],
            "data": {
                "accessKey": {"principalId": self._principal_id, "userName": self._name, "userType": self._type}
            },
        }


def _endpoint() -> dict:
    return {
        "id": ENDPOINT_ID,
        "ip": ATTACKER_ADDRESS,
        "location": {"city": "Exampleville", "country": "Exampleland", "lat": 0.0, "lon": 0.0},
        "autonomousSystem": {"name": "Documentation Networks", "number": 64496},
        "connection": {"direction": "INBOUND"},
    }


def _signal(actor: _Actor, moment: float) -> Dict:
    indicators: List[dict] = [
        {"key": "SUSPICIOUS_NETWORK", "values": [ATTACKER_ADDRESS], "title": "Suspicious network"},
        {"key": "ATTACK_TACTIC", "values": ["Persistence"], "title": "Attack tactic"},
    ]
    return {
        "uid": secrets.token_hex(16),
        "type": "CLOUD_TRAIL",
        "name": "iam:CreateUser",
        "description": "A high risk API was called from a suspicious network.",
        "createdAt": moment,
        "updatedAt": moment,
        "firstSeenAt": moment,
        "lastSeenAt": moment,
        "severity": 9.0,
        "count": 1,
        "resourceUids": [actor.resource_uid],
        "actorIds": [actor.id],
        "endpointIds": [ENDPOINT_ID],
        "signalIndicators": indicators,
    }


def _epoch(moment: datetime) -> float:
    """Times below a sequence are numbers, unlike those of the finding itself."""
    return round(moment.timestamp(), 3)
