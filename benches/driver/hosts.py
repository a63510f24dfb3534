"""Two hosts that share a log: how soon another leads, and how soon a new one has read it all."""

import contextlib
import json
import os
import signal
import subprocess
import time

import process
from home import Home, environment
from process import spread
from service import until
from stand import Stand

LATENCY = 20
# A host has seen the lease of the other one, and is on its way.
SETTLING = 5
FOLLOWS = "Follows the log"


def takeover(tools, table, put, runs, say):
    """From the end of the one that leads to the lead of the other, and to the deny of what was stolen just then."""
    rows = {}
    for name, number in (("killed", signal.SIGKILL), ("stopped", signal.SIGTERM)):
        say(f"a leader is {name}")
        rows[name] = [_taken_over(tools, table, put, number) for _ in range(runs)]
    return {name: {field: spread([one[field] for one in of]) for field in of[0]} for name, of in rows.items()}


def _taken_over(tools, table, put, number):
    more = f'poll_interval = "1h"\n{table}'
    with contextlib.ExitStack() as stack:
        stand = stack.enter_context(Stand(tools.stand, LATENCY, 10, of_tables=put))
        first, second = (stack.enter_context(Home(tools.binary, more=more)) for _ in range(2))
        leader = stack.enter_context(_running(first, stand))
        until(lambda: _role(first) == "leader", 60)
        polls = lambda: stand.operations().get("ListFindings", {}).get("count", 0)
        until(lambda: polls() >= stand.regions, 60)
        # All hosts sign with one key.
        until(lambda: os.path.exists(first.file("ledger.key")), 60)
        _copy(first.file("ledger.key"), second.file("ledger.key"))
        stack.enter_context(_running(second, stand))
        until(lambda: _role(second) == "follower", 60)
        time.sleep(SETTLING)
        begun = time.time()
        leader.send_signal(number)
        stand.thefts(first.file("findings.jsonl"), 0, 1)
        until(lambda: _role(second) == "leader", 60, 0.01)
        led = time.time() - begun
        until(lambda: "PutRolePolicy" in stand.account(0), 60, 0.01)
        return {"leads": led, "denied": stand.account(0)["PutRolePolicy"]["answered"] / 1e6 - begun}


@contextlib.contextmanager
def _running(home, stand):
    service = home.service(stand.url)
    try:
        yield service
    finally:
        service.kill()
        service.wait()


def _copy(there, here):
    with open(there, "rb") as source, open(here, "wb", opener=lambda name, flags: os.open(name, flags, 0o600)) as to:
        to.write(source.read())


def _role(home):
    """What it publishes beside its ledger."""
    try:
        with open(home.file("ledger.db.live"), encoding="utf-8") as file:
            log = json.load(file)["log"] or {}
    except (OSError, ValueError, KeyError):
        return None
    # The first look of a follower comes before it knows who leads.
    return log.get("role") if log.get("role") != "follower" or log.get("leader") else None


def replay(tools, table, put, entries, thefts, runs, say):
    """A new host reads two logs: one as it was written by many denies, and a longer one that was published."""
    rows = {}
    with Stand(tools.stand, 0, thefts + 1, of_tables=put) as stand:
        with Home(tools.binary, more=table) as home:
            say(f"{thefts} denies, for their log")
            home.handle(stand, 0, thefts)
        rows["written"] = _replayed(tools, table, stand, runs, say)
    with Stand(tools.stand, 0, 1, of_tables=put) as stand, Home(tools.binary, more=table) as home:
        say(f"a ledger of {entries} entries is published")
        command = [tools.ledger, "make", str(entries), home.file("ledger.db")]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        rows["published"] = {"publish_s": home.rescind(stand.url, "ledger", "publish")["took"]}
        rows["published"] |= _replayed(tools, table, stand, runs, say)
    return rows


def _replayed(tools, table, stand, runs, say):
    say("new hosts read it")
    took, rebuilt, cpu, peak = [], [], [], []
    for _ in range(runs):
        with Home(tools.binary, more=table) as home:
            began = time.time()
            service = subprocess.Popen(
                [tools.binary, "run"],
                cwd=home.path,
                env=environment(stand.url),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
            # Then it has read all that there was.
            line = service.stdout.readline()
            took.append(time.time() - began)
            cpu.append(process.cpu(service.pid))
            peak.append(process.memory(service.pid, "VmHWM"))
            service.kill()
            service.wait()
            service.stdout.close()
            if not line.startswith(FOLLOWS):
                raise process.Failed(f"a new host says {line!r}")
            entries = home.entries()
        with Home(tools.binary, more=table) as home:
            rebuilt.append(home.rescind(stand.url, "ledger", "rebuild", "--from-log")["took"])
    puts = stand.puts()
    return {
        "entries": entries,
        "items": len(puts),
        "took": spread(took),
        "cpu": spread(cpu),
        "rebuild": spread(rebuilt),
        "entries_a_second": entries / process.median(took),
        "peak_mib": max(peak),
    }
