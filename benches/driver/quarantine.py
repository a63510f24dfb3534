"""A deny with the quarantine beside it, and beside the dense looks at many others: by a service, from events."""

import time

import process
from home import Home, stop
from stand import Stand

QUEUE = "https://sqs.eu-central-1.amazonaws.com/111111111111/findings"
EVENTS = f'poll_interval = "1h"\nquarantine = "%s"\n\n[events]\nqueue = "{QUEUE}"\n'
REGIONS = 2
SETTLING = 1
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
    with Stand(tools.stand, latency, runs + 1) as stand, Home(tools.binary, more=EVENTS % quarantine) as home:
        with _Service(home, stand):
            _one(stand, 0)
            denies, bounds = [], []
            for number in range(1, runs + 1):
                denies.append(_one(stand, number))
                bounds.append(stand.bare(1, 1))
            calls = stand.operations()
    attached = calls.get("AttachRolePolicy", {}).get("count", 0)
    if attached != (0 if quarantine == "0s" else runs + 1):
        raise process.Failed(f"{attached} quarantines were attached")
    return {
        "latency_ms": latency,
        "quarantine": quarantine,
        "bound": process.spread(bounds),
        **_spreads(denies),
    }


def _looks(tools, revoked, runs, say):
    say(f"a deny beside the looks at {revoked} others")
    quiet = runs + 1
    with Stand(tools.stand, LATENCY, quiet + revoked + 10 * DENSE) as stand:
        with Home(tools.binary, more=EVENTS % "2m") as home, _Service(home, stand):
            _one(stand, 0)
            idle = [_one(stand, number) for number in range(1, quiet)]
            stand.reset()
            stand.events(quiet, revoked)
            put = lambda: stand.operations().get("PutRolePolicy", {})
            _until(lambda: put().get("count", 0) >= revoked, 300)
            all_put = put()["last"] / 1e6
            stand.reset()
            busy, number = [], quiet + revoked
            while time.time() < all_put + DENSE:
                busy.append(_one(stand, number))
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
        "idle": _spreads(idle),
        "busy": _spreads(busy),
    }


def _one(stand, number):
    """One theft: the seconds from its event to the deny, and from AssumeRole to the deny and to the quarantine."""
    begun = time.time()
    stand.events(number, 1)
    # The proof follows the deny.
    _until(lambda: "SimulatePrincipalPolicy" in stand.account(number), 60)
    found = stand.account(number)
    entered, denied = found["AssumeRole"]["first"] / 1e6, found["PutRolePolicy"]["answered"] / 1e6
    one = {"event": denied - begun, "remedy": denied - entered}
    if "AttachRolePolicy" in found:
        one["quarantine_s"] = found["AttachRolePolicy"]["answered"] / 1e6 - entered
    return one


def _spreads(denies):
    return {name: process.spread([one[name] for one in denies]) for name in denies[0]}


def _until(is_so, seconds):
    limit = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > limit:
            raise process.Failed(f"it did not become so within {seconds} s")
        time.sleep(0.05)


class _Service:
    """A service whose first polls are done with."""

    def __init__(self, home, stand):
        self._home, self._stand = home, stand

    def __enter__(self):
        self._process = self._home.service(self._stand.url)
        _until(lambda: self._stand.operations().get("ListFindings", {}).get("count", 0) >= REGIONS, 30)
        time.sleep(SETTLING)

    def __exit__(self, *_):
        stop(self._process)
