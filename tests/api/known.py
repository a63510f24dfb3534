"""What there is in the scene, by operation: a path's parameters, and a body that is accepted."""
import functools
import re
from pathlib import Path
from typing import Optional

ROOT = Path(__file__).resolve().parent.parent.parent

ANONYMOUS = "anonymous"
REASON = {"reason": "the tests of the API"}


def values(there: dict, operation: str, name: str) -> list:
    """Values of a parameter of a path. The first one is for the call that must succeed."""
    remediations = there["remediations"]
    held = [remediations[name] for name in sorted(remediations) if name.startswith("held-")]
    revoked = [remediations[name] for name in sorted(remediations) if name.startswith("revoked-")]
    if name == "entry":
        return there["alerts"] if operation == "acknowledge" else [1, 2, 7]
    if operation == "finding":
        return list(there["findings"].values())
    if operation in ("incident", "close_doors"):
        return [there["opened"], *there["incidents"]]
    if operation == "pursue":
        # What is held was not searched for yet.
        return ["i-" + one.removeprefix("r-") for one in held]
    return {
        "approve": held[:3],
        "reject": held[3:6],
        "done": [remediations["AWSServiceRoleForSupport"]],
        "release": revoked,
        "release_plan": revoked,
        "impact": revoked,
        "remediation": list(remediations.values()),
    }[operation]


def body(there: dict, operation: str) -> Optional[dict]:
    """A body that is accepted; none where the operation has none."""
    if operation in ("revoke", "plan"):
        return {"account": there["accounts"]["shop"], "principal": "role/shop-web", **REASON}
    if operation == "close_doors":
        return {"doors": there["doors"][:1], **REASON}
    if operation in ("approve", "reject", "done", "release", "pursue", "acknowledge"):
        return dict(REASON)
    return None


@functools.lru_cache
def codes() -> set:
    """The codes of refusals that are documented."""
    found = set()
    for document in ("docs/api.md", "docs/programs.md"):
        for line in (ROOT / document).read_text().splitlines():
            row = re.match(r"\| \d{3} \| (.*?) \|", line)
            found.update(re.findall(r"`([a-z_]+)`", row.group(1)) if row else [])
    assert {"invalid", "proof_replayed", "unavailable"} <= found, found
    return found


def secrets(there: dict) -> list:
    """What no answer may have in it: secrets of programs and of rescind, and a proof of who asks."""
    names = ("secret_access_key", "session_token")
    keys = [program[name] for program in there["programs"].values() for name in names]
    return [*keys, there["external_id"], "X-Amz-Signature"]
