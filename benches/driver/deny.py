"""Time to deny for one finding: rescind, the baseline, and a bare client, in turn."""

import json
import os
import tempfile

from home import Home, environment, moments
from process import run, spread
from stand import Stand


def measure(tools, latencies, runs, say):
    return [_at(tools, latency, runs, say) for latency in latencies]


def _at(tools, latency, runs, say):
    say(f"time to deny at {latency} ms a call")
    # Every run has an account of its own: what was done in one cannot be done again.
    ways = {
        "rescind": _warm,
        "rescind, new ledger": _new,
        "baseline": _baseline,
        "baseline, entering": _entering,
    }
    found = {way: [] for way in ways}
    bounds = []
    with Stand(tools.stand, latency, (runs + 1) * len(ways)) as stand, Home(tools.binary) as home:
        _warm(tools, stand, home, 0)
        account = 1
        for number in range(runs):
            names = list(ways)
            turn = number % len(names)
            for name in names[turn:] + names[:turn]:
                found[name].append(ways[name](tools, stand, home, account))
                account += 1
            bounds.append(stand.bare(1, 1))
    return {"latency_ms": latency, "bound": spread(bounds), **{way: _summary(all) for way, all in found.items()}}


def _summary(runs):
    spans = {
        "whole": [one["denied"] for one in runs],
        "start": [one["first_call"] for one in runs],
        "after_start": [one["denied"] - one["first_call"] for one in runs],
    }
    if runs[0]["finding"] is not None:
        spans["finding"] = [one["denied"] - one["finding"] for one in runs]
        spans["remedy"] = [one["denied"] - one["enter"] for one in runs]
    return {name: spread(values) for name, values in spans.items()}


def _warm(_tools, stand, home, account):
    """As it is most of the time: the organization was read within the hour."""
    return moments(*home.handle(stand, account))


def _new(tools, stand, _home, account):
    with Home(tools.binary) as home:
        return moments(*home.handle(stand, account))


def _baseline(tools, stand, _home, account):
    return baseline(tools, stand, account, 1)[0]


def _entering(tools, stand, _home, account):
    return baseline(tools, stand, account, 1, "--role", "Remediation")[0]


def baseline(tools, stand, first, count, *words):
    """Without a role it works in the account of its credentials: the stub reads it in the access key."""
    with tempfile.TemporaryDirectory(prefix="rescind-bench-") as directory:
        path = os.path.join(directory, "findings.jsonl")
        stand.thefts(path, first, count)
        stand.reset()
        own = environment(stand.url) | {"AWS_ACCESS_KEY_ID": f"ASIA{200_000_000_000 + first}0000"}
        command = [tools.python, tools.baseline, path, "--endpoint", stand.url, *words]
        with open(os.path.join(directory, "out"), "w+b") as out:
            measured = run(command, directory, own, out)
            out.seek(0)
            printed = json.load(out)
    calls = stand.operations()
    assert calls["AttachRolePolicy"]["count"] == count == len(printed["denied"]), calls
    return moments(measured, calls, "AttachRolePolicy"), measured, calls, printed
