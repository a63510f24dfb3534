"""What pursuit takes: a key with many calls, a new deny beside a hundred keys that are read, a session that is found."""

import time

import process
from home import Home
from service import EVENTS, Service, spreads, theft, until
from stand import Stand

LATENCY = 50
REGIONS = 17
# The home region, and all others that are enabled.
WATCHED = ("eu-central-1", "*")
PAGE = 50
# CloudTrail allows two calls a second in each account and region.
PACE = 0.5
# Of each key that is read beside new denies, in each region.
PAGES_EACH = 6
# Time for a process to have its memory, and for the denies of many keys to be over.
SETTLING = 3


def measure(tools, events, keys, rounds, denies, runs, say):
    return {
        "long": _long(tools, events, say),
        "beside": _beside(tools, keys, rounds, denies, say),
        "chain": {
            "latency_ms": LATENCY,
            "keys": keys,
            "alone_s": _chain(tools, runs, say),
            "at_once_s": _chains(tools, keys, say),
        },
    }


def _long(tools, events, say):
    say(f"a key with {events} events in {REGIONS} regions")
    found = _read(tools, events)
    say("the same service without the events")
    idle = _read(tools, 0, found["seconds"])
    in_region = -(-events // REGIONS)
    return {
        "events": events,
        "pages": found["pages"],
        "throttled": found["throttled"],
        "read_s": found["read_s"],
        "pace_s": -(-in_region // PAGE) * PACE,
        "in_turn_s": found["pages"] * PACE,
        "peak_mib": found["peak_mib"],
        "cpu_s": found["cpu_s"],
        "ledger_bytes": found["ledger_bytes"],
        "idle_peak_mib": idle["peak_mib"],
        "idle_cpu_s": idle["cpu_s"],
        "idle_ledger_bytes": idle["ledger_bytes"],
    }


def _read(tools, events, seconds=0):
    """A service that reads so many events of one key, and lives so many seconds at least from its deny on."""
    with Stand(tools.stand, LATENCY, 2, REGIONS) as stand, _home(tools, "approve") as home:
        with Service(home, stand) as service:
            theft(stand, 0)
            time.sleep(SETTLING)
            before = process.cpu(service.pid)
            stand.trail(1, 1, events)
            theft(stand, 1)
            began = time.monotonic()
            until(lambda: stand.trail_read()["events"] >= events, 60 + events / 50, 0.5)
            time.sleep(max(SETTLING, seconds - (time.monotonic() - began)))
            read = stand.trail_read()
            if read["events"] != events:
                raise process.Failed(f"{read['events']} events were read of {events}")
            return {
                "seconds": time.monotonic() - began,
                "pages": read["pages"],
                "throttled": read["throttled"],
                "read_s": (read["last"] - read["first"]) / 1e6,
                "peak_mib": process.memory(service.pid, "VmHWM"),
                "cpu_s": process.cpu(service.pid) - before,
                "ledger_bytes": home.ledger_size(),
            }


def _beside(tools, keys, rounds, denies, say):
    found = {"approve": [], "off": []}
    for number in range(rounds):
        # In turn, and not always the same one first.
        for pursue in sorted(found, reverse=number % 2 == 1):
            say(f"new denies after {keys} others, pursue = {pursue}, round {number + 1} of {rounds}")
            found[pursue].append(_round(tools, pursue, keys, denies))
    summary = lambda all: {
        **spreads([one for round_ in all for one in round_["thefts"]]),
        "medians": [spreads(round_["thefts"]) for round_ in all],
        "pages_per_second": sum(round_["pages"] for round_ in all) / sum(round_["seconds"] for round_ in all),
        "cpu_cores": sum(round_["cpu_s"] for round_ in all) / sum(round_["seconds"] for round_ in all),
        "stub_cpu_cores": sum(round_["stub_cpu_s"] for round_ in all) / sum(round_["seconds"] for round_ in all),
        "throttled": sum(round_["throttled"] for round_ in all),
        "peak_mib": max(round_["peak_mib"] for round_ in all),
    }
    return {
        "keys": keys,
        "pages_each": PAGES_EACH,
        "latency_ms": LATENCY,
        "on": summary(found["approve"]),
        "off": summary(found["off"]),
    }


def _round(tools, pursue, keys, denies):
    first = keys + 1
    with Stand(tools.stand, LATENCY, first + denies, REGIONS) as stand, _home(tools, pursue) as home:
        with Service(home, stand) as service:
            theft(stand, 0)
            stand.trail(1, keys, PAGES_EACH * PAGE * REGIONS)
            stand.events(1, keys)
            until(lambda: stand.operations().get("PutRolePolicy", {}).get("count", 0) >= first, 60)
            if pursue != "off":
                until(lambda: stand.trail_read()["pages"] > 0, 60)
            time.sleep(SETTLING)
            read, cpu, stub, began = stand.trail_read(), process.cpu(service.pid), stand.cpu(), time.monotonic()
            thefts = [theft(stand, first + number) for number in range(denies)]
            seconds = time.monotonic() - began
            cpu, stub, after = process.cpu(service.pid) - cpu, stand.cpu() - stub, stand.trail_read()
            if pursue != "off" and after["pages"] >= keys * PAGES_EACH * REGIONS:
                raise process.Failed("the keys were read before the last deny")
            return {
                "thefts": thefts,
                "seconds": seconds,
                "pages": after["pages"] - read["pages"],
                "throttled": after["throttled"],
                "cpu_s": cpu,
                "stub_cpu_s": stub,
                "peak_mib": process.memory(service.pid, "VmHWM"),
            }


def _chain(tools, runs, say):
    say("from the deny of a stolen session to that of a session it opened")
    seconds = []
    with Stand(tools.stand, LATENCY, 2 * runs + 1, REGIONS) as stand, _home(tools, "enforce") as home:
        with Service(home, stand):
            theft(stand, 2 * runs)
            for number in range(runs):
                stolen, opened = 2 * number, 2 * number + 1
                stand.trail(stolen, 1, PAGE, opens=True)
                theft(stand, stolen)
                until(lambda: _denied(stand, opened), 60)
                seconds.append(_denied(stand, opened) - _denied(stand, stolen))
    return process.spread(seconds)


def _chains(tools, keys, say):
    say(f"the same for {keys} at once, each with {PAGES_EACH} pages in each region")
    with Stand(tools.stand, LATENCY, 2 * keys + 1, REGIONS) as stand, _home(tools, "enforce") as home:
        with Service(home, stand):
            theft(stand, 2 * keys)
            stand.trail(0, keys, PAGES_EACH * PAGE * REGIONS, opens=True)
            stand.events(0, keys)
            until(lambda: stand.operations()["PutRolePolicy"]["count"] > 2 * keys, 600, 0.5)
            return process.spread([_denied(stand, keys + one) - _denied(stand, one) for one in range(keys)])


def _denied(stand, account):
    """When it was, in seconds; none when it is not."""
    put = stand.account(account).get("PutRolePolicy")
    return put and put["answered"] / 1e6


def _home(tools, pursue):
    return Home(tools.binary, more=EVENTS % f'pursue = "{pursue}"', regions=WATCHED)
