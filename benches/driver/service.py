"""A service that takes thefts from its queue, one after the other."""

import time

import process
from home import stop

QUEUE = "https://sqs.eu-central-1.amazonaws.com/111111111111/findings"
EVENTS = f'poll_interval = "1h"\n%s\n\n[events]\nqueue = "{QUEUE}"\n'
SETTLING = 1


class Service:
    """Its first polls are done with when `with` begins."""

    def __init__(self, home, stand):
        self._home, self._stand = home, stand

    def __enter__(self):
        self._process = self._home.service(self._stand.url)
        polls = lambda: self._stand.operations().get("ListFindings", {}).get("count", 0)
        try:
            until(lambda: polls() >= self._stand.regions, 60)
        except process.Failed:
            stop(self._process)
            raise
        time.sleep(SETTLING)
        return self

    def __exit__(self, *_):
        stop(self._process)

    @property
    def pid(self):
        return self._process.pid


def theft(stand, number):
    """One theft: the seconds from its event to the deny, and from AssumeRole to the deny and to the quarantine."""
    begun = time.time()
    stand.events(number, 1)
    # The proof follows the deny.
    until(lambda: "SimulatePrincipalPolicy" in stand.account(number), 60)
    found = stand.account(number)
    entered, denied = found["AssumeRole"]["first"] / 1e6, found["PutRolePolicy"]["answered"] / 1e6
    one = {"event": denied - begun, "remedy": denied - entered}
    if "AttachRolePolicy" in found:
        one["quarantine_s"] = found["AttachRolePolicy"]["answered"] / 1e6 - entered
    return one


def until(is_so, seconds, pause=0.05):
    limit = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > limit:
            raise process.Failed(f"it did not become so within {seconds} s")
        time.sleep(pause)


def spreads(thefts):
    return {name: process.spread([one[name] for one in thefts]) for name in thefts[0]}
