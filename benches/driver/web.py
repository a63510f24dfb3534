"""The console and the API on a long ledger: how long a read takes, what open pages cost, and a deny beside readers."""

import contextlib
import json
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import process
from growth import long_ago
from home import Home
from service import EVENTS, Service, spreads, theft, until
from stand import Stand

LATENCY = 50
PER_SECOND = 50
PAGES = 200
# Pages are opened within ten seconds, and a stream ends after a minute.
OPENED = 15
NOW = "/"
READS = {
    "*Now*": NOW,
    "`/v1/status`": "/v1/status",
    "`/v1/remediations`": "/v1/remediations",
    "`/v1/remediations?text=`": "/v1/remediations?text=role-07",
    "`/v1/incidents`": "/v1/incidents",
    "`/v1/incidents?state=open`": "/v1/incidents?state=open",
    "`/v1/decisions`": "/v1/decisions",
    "`/v1/alerts`": "/v1/alerts",
    "`/v1/coverage`": "/v1/coverage",
    "*Incidents*": "/incidents",
    "an incident": "/incidents/i-000000000032",
    "a remediation": "/remediations/r-000000000032",
    "*History*": "/remediations",
    "*History* with a search": "/remediations?text=role-07&state=expired",
    "*Decisions*": "/decisions",
    "*Alerts*": "/alerts",
    "*Coverage*": "/coverage",
    "*Opt-outs and rules*": "/opt-outs",
    "*Ledger*": "/ledger",
    "*Health*": "/health",
}


def measure(tools, size, say):
    entries, remediations = size["web_ledger"]
    thefts = 20 * size["denies"] + 4 * size["idle"] + 100
    port = _free_port()
    more = EVENTS % ""
    with Home(tools.binary, more=more, listen=f"127.0.0.1:{port}") as home, Stand(tools.stand, LATENCY, thefts) as stand:
        say(f"a ledger of {remediations} remediations and {entries} entries")
        made = [tools.ledger, "make", str(entries), home.file("ledger.db"), str(remediations)]
        subprocess.run(made, check=True, stdout=subprocess.DEVNULL)
        long_ago(home.file("ledger.db"))
        address = f"127.0.0.1:{port}"
        with Service(home, stand) as service:
            until(lambda: _answers(address), 60)
            first = _took(address, NOW)
            theft(stand, 0)
            numbers = iter(range(1, thefts))
            found = {
                "entries": home.entries(),
                "remediations": remediations,
                "mib": home.ledger_size() / 2**20,
                "latency_ms": LATENCY,
                "first_s": first,
                "reads": _reads(address, size["web_seconds"], say),
                "pages": _pages(service, stand, address, size["idle"], numbers, say),
                "beside": _beside(service, stand, address, size["denies"], size["rounds"], numbers, say),
                "peak_mib": process.memory(service.pid, "VmHWM"),
            }
    return found


def _reads(address, seconds, say):
    """One after the other, evenly: what one reader waits for. A minute has what is read again each minute."""
    rows = {}
    say(f"reads of the console and the API, for {seconds} s")
    with Visitors("reads", address, 8, *READS.values()) as visitors:
        time.sleep(seconds)
    for name, path in READS.items():
        one = visitors.found[path]
        _all_answered(path, one["statuses"])
        rows[name] = {"bytes": one["bytes"], **_quantiles(one["took"])}
    say(f"*Now*, for {seconds} s")
    with Visitors("reads", address, 10, NOW) as visitors:
        time.sleep(seconds)
    one = visitors.found[NOW]
    _all_answered(NOW, one["statuses"])
    rows["*Now*"] = {"bytes": one["bytes"], **_quantiles(one["took"])}
    return rows


def _pages(service, stand, address, seconds, numbers, say):
    """Processor time of the service, as a share of a core, by what happens and whether somebody looks."""
    share = {}
    for name, thefts in (("idle", False), ("a theft a second", True)):
        for pages in (0, PAGES):
            say(f"{pages} open pages, {name}, for {seconds} s")
            with Visitors("pages", address, pages) if pages else contextlib.nullcontext() as visitors:
                time.sleep(OPENED if pages else 1)
                used, begun = process.cpu_of_all(service.pid), time.monotonic()
                while (passed := time.monotonic() - begun) < seconds:
                    if thefts:
                        stand.events(next(numbers), 1)
                    time.sleep(1 - passed % 1)
                used, took = process.cpu_of_all(service.pid) - used, time.monotonic() - begun
            share.setdefault(name, {})[str(pages)] = used / took
            if pages:
                seen = visitors.found
                share[name] |= {
                    "streams": seen["streams"],
                    "events": seen["events"],
                    "loads": seen["loads"],
                    "statuses": seen["statuses"],
                    **{f"load_{quantile}": value for quantile, value in _quantiles(seen["took"]).items()},
                }
            time.sleep(2)
    return {"count": PAGES, "seconds": seconds, "share": share}


def _beside(service, stand, address, denies, rounds, numbers, say):
    """A new deny with readers beside it and without, in turn."""
    found, medians, asked = {"quiet": [], "beside": []}, {"quiet": [], "beside": []}, []
    cpu = {"quiet": [], "beside": []}
    for number in range(max(2, rounds)):
        for name in sorted(found, reverse=number % 2 == 1):
            say(f"{denies} denies, {name}, round {number + 1}")
            some = lambda: [theft(stand, next(numbers)) for _ in range(denies)]
            used, begun = process.cpu_of_all(service.pid), time.monotonic()
            if name == "quiet":
                thefts = some()
            else:
                with Visitors("reads", address, PER_SECOND, *READS.values()) as visitors:
                    time.sleep(2)
                    thefts = some()
                asked.append(visitors.found)
            cpu[name].append((process.cpu_of_all(service.pid) - used) / (time.monotonic() - begun))
            found[name] += thefts
            medians[name].append(spreads(thefts))
    took = [one for round_ in asked for path in round_.values() for one in path["took"]]
    statuses = {}
    for path in (path for round_ in asked for path in round_.values()):
        for status, count in path["statuses"].items():
            statuses[status] = statuses.get(status, 0) + count
    return {
        "per_second": PER_SECOND,
        "denies": {name: {**spreads(thefts), "medians": medians[name]} for name, thefts in found.items()},
        "cores": {name: process.median(all) for name, all in cpu.items()},
        "reads": _quantiles(took),
        "statuses": statuses,
    }


class Visitors:
    """They ask from `with` to its end, from a process of their own."""

    def __init__(self, *words):
        self._words = [str(word) for word in words]

    def __enter__(self):
        command = [sys.executable, str(Path(__file__).with_name("visitors.py")), *self._words]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return self

    def __exit__(self, *_):
        printed, _ = self._process.communicate("")
        self.found = json.loads(printed)


def _quantiles(took):
    took = sorted(took)
    at = lambda part: took[min(len(took) - 1, int(part * len(took)))]
    return {"count": len(took), "median": process.median(took), "p95": at(0.95), "most": took[-1]}


def _all_answered(path, statuses):
    if set(statuses) != {"200"}:
        raise process.Failed(f"{path}: {statuses}")


def _free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def _answers(address):
    try:
        urllib.request.urlopen(f"http://{address}/healthz").close()
    except OSError:
        return False
    return True


def _took(address, path):
    begun = time.monotonic()
    with urllib.request.urlopen(f"http://{address}{path}") as answer:
        answer.read()
    return time.monotonic() - begun
