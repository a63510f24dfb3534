"""A deny with the quarantine beside it, and beside the dense looks at many others: by a service, from events."""

import time

import process
from home import Home
from service import EVENTS, Service, spreads, theft, until
from stand import Stand

LATENCY = 50
# Of each put, within the minute that follows.
DENSE_LOOKS = 7
# For so long after the last of many puts there are dense looks at all of them.
DENSE = 60


def measure(tools, latencies, runs, revoked, say):
    deny = [_deny(tools, latency, quarantine, runs, say) for latency in latencies for quarantine in ("2m", "0s")]
    return {"deny": deny, "looks": _looks(tools, revoked, runs, say)}


def _deny(tools, latency, quarantine, runs, say):
    say(f"time to deny at {latency} ms a call, quarantine = {quarantine}")
    more = EVENTS % f'quarantine = "{quarantine}"'
    with Stand(tools.stand, latency, runs + 1) as stand, Home(tools.binary, more=more) as home:
        with Service(home, stand):
            theft(stand, 0)
            denies, bounds = [], []
            for number in range(1, runs + 1):
                denies.append(theft(stand, number))
                bounds.append(stand.bare(1, 1))
            calls = stand.operations()
    attached = calls.get("AttachRolePolicy", {}).get("count", 0)
    if attached != (0 if quarantine == "0s" else runs + 1):
        raise process.Failed(f"{attached} quarantines were attached")
    return {
        "latency_ms": latency,
        "quarantine": quarantine,
        "bound": process.spread(bounds),
        **spreads(denies),
    }


def _looks(tools, revoked, runs, say):
    say(f"a deny beside the looks at {revoked} others")
    quiet = runs + 1
    with Stand(tools.stand, LATENCY, quiet + revoked + 10 * DENSE) as stand:
        with Home(tools.binary, more=EVENTS % 'quarantine = "2m"') as home, Service(home, stand):
            theft(stand, 0)
            idle = [theft(stand, number) for number in range(1, quiet)]
            stand.reset()
            stand.events(quiet, revoked)
            put = lambda: stand.operations().get("PutRolePolicy", {})
            until(lambda: put().get("count", 0) >= revoked, 300)
            all_put = put()["last"] / 1e6
            stand.reset()
            busy, number = [], quiet + revoked
            while time.time() < all_put + DENSE:
                busy.append(theft(stand, number))
                number += 1
            calls = stand.operations()
            # What was denied meanwhile is read once more.
            looks = calls["GetRolePolicy"]["count"] - 2 * len(busy)
    return {
        "revoked": revoked,
        "latency_ms": LATENCY,
        "seconds": DENSE,
        "looks": looks,
        "looks_due": revoked * DENSE_LOOKS,
        "idle": spreads(idle),
        "busy": spreads(busy),
    }
