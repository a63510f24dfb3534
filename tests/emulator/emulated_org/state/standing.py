"""What decisions know of a role, a user or an access key at one time.

Documents are kept as text, so that two times can be compared, and are parsed only where something is decided.
"""
from dataclasses import dataclass
from typing import List, Optional, Tuple

from ..policy.documents import Policy
from .directory import EVERYTHING, Directory, inline_policies, tags_of

# (where a document comes from, the document)
Sourced = Tuple[str, str]
# A boundary whose policy is gone allows nothing.
NOTHING_ALLOWED = '{"Statement":[]}'


@dataclass(frozen=True)
class Standing:
    # role, user or root.
    kind: str
    account_id: str
    id: str
    name: str
    arn: str
    documents: Tuple[Sourced, ...]
    boundary_document: Optional[Sourced]
    tags: Tuple[Tuple[str, str], ...]
    # Roles only.
    trust: Optional[str] = None
    max_session_duration: Optional[str] = None

    @property
    def policies(self) -> List[Policy]:
        """The identity policies: inline and attached ones."""
        return [Policy.parse(document, source) for source, document in self.documents]

    @property
    def boundary(self) -> Optional[Policy]:
        if self.boundary_document is None:
            return None
        source, document = self.boundary_document
        return Policy.parse(document, source)


@dataclass(frozen=True)
class KeyStanding:
    account_id: str
    user_id: str
    is_active: bool


def root_standing(partition: str, account: str) -> Standing:
    """An account's root user, whom nothing but service control policies limits."""
    return Standing(
        kind="root",
        account_id=account,
        id=account,
        name="root",
        arn=f"arn:{partition}:iam::{account}:root",
        documents=(("root", EVERYTHING),),
        boundary_document=None,
        tags=(),
    )


def standing_of(directory: Directory, entity, kind: str) -> Standing:
    """A role or user of moto's as it stands now. `kind`: role or user."""
    account = entity.account_id
    inline = [(f"{kind}_{entity.name}_{name}", document) for name, document in inline_policies(entity).items()]
    attached = [directory.managed_document(account, arn) for arn in entity.managed_policies]
    boundary_arn = getattr(entity, "permissions_boundary_arn", None)
    boundary = None
    if boundary_arn:
        boundary = directory.managed_document(account, boundary_arn) or (boundary_arn, NOTHING_ALLOWED)
    is_role = kind == "role"
    return Standing(
        kind=kind,
        account_id=account,
        id=entity.id,
        name=entity.name,
        arn=entity.arn,
        documents=tuple(inline + [sourced for sourced in attached if sourced]),
        boundary_document=boundary,
        tags=tuple((tag["Key"], tag["Value"]) for tag in tags_of(entity)),
        trust=entity.assume_role_policy_document if is_role else None,
        max_session_duration=entity.max_session_duration if is_role else None,
    )
