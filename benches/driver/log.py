"""With the log in a table at 5 ms a put, against the local log: one deny, many denies at once."""

import time

from home import FIRST_OF_FINDING, Home
from process import median, spread
from service import EVENTS, Service, spreads, theft
from stand import Stand

import hosts

# Of a put, in milliseconds.
PUT = 5
LATENCY = 50
WIDTH = 32
# What a deny may wait for in the log.
PUTS = 3
TABLE = 'ledger = { table = "rescind-log", lease = "10s" }\n'
LOGS = {"local": "", "table": TABLE}


def measure(tools, size, say):
    found = {"put_ms": PUT, "deny": [_deny(tools, latency, size["runs"], say) for latency in (0, 20)]}
    found["throughput"] = _throughput(tools, size["log_thefts"], size["rounds"], say)
    found["idle"] = _idle(tools, size["idle"], say)
    found["takeover"] = hosts.takeover(tools, TABLE, PUT, size["rounds"], say)
    found["replay"] = hosts.replay(tools, TABLE, PUT, size["replayed"], size["log_thefts"], size["rounds"], say)
    return found


def _deny(tools, latency, runs, say):
    """Both services run all the time, and take thefts in turn."""
    say(f"time to deny at {latency} ms a call, a put of {PUT} ms")
    with Stand(tools.stand, latency, runs + 1, of_tables=PUT) as local, Home(tools.binary, more=EVENTS % "") as home:
        with Stand(tools.stand, latency, runs + 1, of_tables=PUT) as table:
            with Home(tools.binary, more=EVENTS % TABLE) as other, Service(home, local), Service(other, table):
                found, bounds, bare_puts, puts = {"local": [], "table": []}, [], [], []
                for number in range(runs + 1):
                    one = theft(local, number)
                    put, other_one = _put_meanwhile(table, number)
                    # The first one opens connections.
                    if number:
                        found["local"].append(one)
                        found["table"].append(other_one)
                        bare_puts.append(table.bare_puts(PUTS))
                        bounds.append(table.bare(1, 1) + bare_puts[-1])
                        puts.append(put)
    return {
        "latency_ms": latency,
        "bound": spread(bounds),
        "puts_bound": spread(bare_puts),
        "local": spreads(found["local"]),
        "table": spreads(found["table"]),
        "more_s": spread([a["event"] - b["event"] for a, b in zip(found["table"], found["local"])]),
        "puts": {name: spread([one[name] for one in puts]) for name in puts[0]},
    }


def _put_meanwhile(table, number):
    """A theft, and what was put between its event and its deny, and until its proof."""
    table.reset()
    one = theft(table, number)
    found = table.account(number)
    entered, denied = (found[name][end] for name, end in (("AssumeRole", "first"), ("PutRolePolicy", "answered")))
    before = [put for put in table.puts() if put[1] <= denied]
    return {
        "before_the_deny": len(before),
        "from_assume_role": sum(put[0] >= entered for put in before),
        "units": units(before),
    }, one


def _idle(tools, seconds, say):
    """What a leader puts that has nothing to do but to poll."""
    say(f"an idle leader, for {seconds} s")
    with Stand(tools.stand, LATENCY, 1, of_tables=PUT) as stand:
        with Home(tools.binary, more=f'poll_interval = "5s"\n{TABLE}') as home, Service(home, stand):
            stand.reset()
            time.sleep(seconds)
            puts = stand.puts()
            calls = stand.operations()
    polls = calls["ListFindings"]["count"]
    return {
        "seconds": seconds,
        "regions": stand.regions,
        "polls": polls,
        "puts": len(puts),
        "units": units(puts),
        "renewals": calls["PutItem"]["count"] - len(puts),
    }


def units(puts):
    """Write units: 1 KB each. A body is some hundred bytes more than its item, whose payload is in base64."""
    return sum(-(-(put[2] - 300) * 3 // 4 // 1024) for put in puts)


def _throughput(tools, count, rounds, say):
    rows = {name: [] for name in LOGS}
    for number in range(rounds):
        for name in list(LOGS)[:: 1 if number % 2 == 0 else -1]:
            say(f"{count} findings, {WIDTH} at once, {name}")
            rows[name].append(_burst(tools, LOGS[name], count))
    whole = {name: {field: median([row[field] for row in of]) for field in of[0]} for name, of in rows.items()}
    return {"findings": count, "latency_ms": LATENCY, "width": WIDTH, "runs": rows, **whole}


def _burst(tools, log, count):
    with Home(tools.binary, WIDTH, more=log) as home, Stand(tools.stand, LATENCY, count + 1, of_tables=PUT) as stand:
        # The organization is read before: what is measured is the findings.
        home.handle(stand, count)
        before = stand.cpu()
        measured, calls = home.handle(stand, 0, count)
        stub = stand.cpu() - before
        puts = stand.puts()
        entries = home.entries()
        bound = stand.bare(count, WIDTH)
    begun = min(calls[name]["first"] for name in FIRST_OF_FINDING if name in calls) / 1e6
    denied = calls["PutRolePolicy"]["last"] / 1e6
    return {
        "bound": bound,
        "denied": denied - begun,
        "denies_a_second": count / (denied - begun),
        "proved": measured["began"] + measured["took"] - begun,
        "entries": entries,
        "entries_a_second": entries / (measured["began"] + measured["took"] - begun),
        "puts": len(puts),
        "put_bytes": sum(put[2] for put in puts),
        "units": units(puts),
        "cpu_ms_each": (measured["user"] + measured["system"]) / count * 1000,
        "stub_cpu_cores": stub / measured["took"],
        "peak_mib": measured["peak"],
    }
