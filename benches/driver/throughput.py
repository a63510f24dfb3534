"""Many findings at once, each in an account of its own."""

from deny import baseline
from home import FIRST_OF_FINDING, Home
from stand import ROUND_TRIPS, Stand

LATENCY = 50


def measure(tools, sizes, widths, say):
    rows = []
    for count in sizes:
        for width in widths:
            say(f"{count} findings, {width} at once")
            rows.append(_rescind(tools, count, width))
    return rows


def _rescind(tools, count, width):
    with Home(tools.binary, width) as home:
        # The organization is read before: what is measured is the findings.
        with Stand(tools.stand, 0, count + 1) as stand:
            home.handle(stand, count)
        with Stand(tools.stand, LATENCY, count + 1) as stand:
            before = stand.cpu()
            measured, calls = home.handle(stand, 0, count)
            stub = stand.cpu() - before
            spans = stand.spans("AssumeRole", "PutRolePolicy")
            bound = stand.bare(count, width)
        size = home.ledger_size()
    begun = min(calls[name]["first"] for name in FIRST_OF_FINDING if name in calls) / 1e6
    entered = calls["AssumeRole"]["first"] / 1e6
    denied = calls["PutRolePolicy"]["last"] / 1e6
    cpu = measured["user"] + measured["system"]
    return {
        "findings": count,
        "width": width,
        "theory": -(-count // width) * ROUND_TRIPS * LATENCY / 1000,
        "bound": bound,
        "denied": denied - begun,
        "denied_since_first_entry": denied - entered,
        "proved": measured["began"] + measured["took"] - begun,
        "whole": measured["took"],
        "remedy_median_ms": spans[len(spans) // 2],
        "remedy_most_ms": spans[-1],
        "cpu_ms_each": cpu / count * 1000,
        "system_ms_each": measured["system"] / count * 1000,
        "cpu_cores": cpu / measured["took"],
        "stub_cpu_cores": stub / measured["took"],
        "peak_mib": measured["peak"],
        "ledger_bytes": size,
        "calls": calls,
    }


def baselines(tools, runs, say):
    """`runs`: how many findings with how many threads."""
    rows = []
    for count, threads in runs:
        say(f"the baseline: {count} findings, {threads} thread(s)")
        with Stand(tools.stand, LATENCY, count) as stand:
            words = ("--role", "Remediation", "--threads", str(threads))
            times, measured, calls, _ = baseline(tools, stand, 0, count, *words)
            bound = stand.bare(count, threads)
        rows.append(
            {
                "findings": count,
                "threads": threads,
                "bound": bound,
                "denied": times["denied"] - times["finding"],
                "whole": times["denied"],
                "cpu_ms_each": (measured["user"] + measured["system"]) / count * 1000,
                "peak_mib": measured["peak"],
                "calls": calls,
            }
        )
    return rows
