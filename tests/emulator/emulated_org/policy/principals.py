"""Whom the statements of a resource's policy name."""
from typing import Mapping, Optional

from ..errors import NotEmulated
from .conditions import as_list


def named_as(statement: Mapping, account: str, arns: set, partition: str) -> Optional[str]:
    """How a statement names a caller with these ARNs: ``caller`` by one of them, ``account`` by its account or
    everybody, or None for not at all."""
    if "NotPrincipal" in statement:
        raise NotEmulated("NotPrincipal in a resource's policy")
    principal = statement.get("Principal", {})
    named = {principal} if isinstance(principal, str) else set(as_list(principal.get("AWS", [])))
    if named & arns:
        return "caller"
    return "account" if named & {"*", account, f"arn:{partition}:iam::{account}:root"} else None
