"""Who made a call, as CloudTrail's records say it."""
from typing import Dict, Optional

from .enforcement import Principal
from .times import whole_seconds

IDENTITY_TYPES = {"role": "AssumedRole", "user": "IAMUser", "federated-user": "FederatedUser", "root": "Root"}
ISSUER_TYPES = {"role": "Role", "federated-user": "IAMUser"}


def user_identity(principal: Principal, access_key_id: str) -> dict:
    """The userIdentity of a record in the caller's account."""
    entity, session = principal.entity, principal.session
    identity = {
        "type": IDENTITY_TYPES[principal.kind],
        "principalId": principal.user_id,
        "arn": principal.arn,
        "accountId": principal.account,
        "accessKeyId": access_key_id,
    }
    if principal.kind == "user":
        identity["userName"] = entity.name
    if session is None:
        return identity
    context: Dict[str, object] = {
        "attributes": {"creationDate": whole_seconds(session.issued_at), "mfaAuthenticated": "false"}
    }
    if principal.kind in ISSUER_TYPES:
        context["sessionIssuer"] = {
            "type": ISSUER_TYPES[principal.kind],
            "principalId": entity.id,
            "arn": entity.arn,
            "accountId": principal.account,
            "userName": entity.name,
        }
    if session.source_identity:
        context["sourceIdentity"] = session.source_identity
    return {**identity, "sessionContext": context}


def foreign_identity(principal: Principal) -> dict:
    """The userIdentity of a record in another account than the caller's: neither its name nor its key."""
    return {"type": "AWSAccount", "principalId": principal.user_id, "accountId": principal.account}


def username(principal: Principal) -> Optional[str]:
    """The name by which LookupEvents finds what somebody did."""
    if principal.kind == "role":
        return principal.session.session_name
    return principal.session.federated_user if principal.kind == "federated-user" else principal.entity.name
