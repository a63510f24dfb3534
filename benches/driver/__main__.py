"""Figures of the whole program: the release binary against a stub of AWS.

    python3 benches/driver --binary target/release/rescind [--quick] [--only deny,idle]

Writes all raw figures as JSON, tables as Markdown, and charts as SVG. Only what is on this machine is called.
"""

import argparse
import json
import os
import sys
import time

import containment
import deny
import doctor
import growth
import idle
import log
import machine
import plot
import pursuit
import quarantine
import table
import throughput
import timeline
import web
from tools import ROOT, Tools

FULL = {
    "latencies": (0, 20, 100),
    "runs": 15,
    "sizes": (10, 100, 1000, 10_000),
    "widths": (8, 32, 128),
    "baselines": ((10, 1), (100, 1), (10, 32), (100, 32), (1000, 32), (10_000, 32)),
    "idle": 60,
    "organization": (10, 100, 1000, 10_000, 50_000),
    "ledger": (10_000, 100_000, 1_000_000),
    "opt_outs": (10, 100, 1000, 10_000, 100_000),
    "doctor": (100, 1000, 10_000),
    "revoked": 1000,
    "delays": (0, 4, 30),
    "trail": 50_000,
    "pursued": 100,
    "rounds": 5,
    "denies": 30,
    "log_thefts": 2_000,
    "replayed": 500_000,
    "web_ledger": (1_000_000, 10_000),
    "web_seconds": 130,
}
QUICK = {
    "latencies": (0, 20),
    "runs": 5,
    "sizes": (10, 100),
    "widths": (8, 32, 128),
    "baselines": ((10, 1), (100, 32)),
    "idle": 5,
    "organization": (10, 1000),
    "ledger": (10_000,),
    "opt_outs": (10, 1000),
    "doctor": (100,),
    "revoked": 100,
    "delays": (0, 4),
    "trail": 2_000,
    "pursued": 100,
    "rounds": 1,
    "denies": 10,
    "log_thefts": 200,
    "replayed": 20_000,
    "web_ledger": (100_000, 1_000),
    "web_seconds": 20,
}
MEASURES = {
    "containment": lambda tools, size, say: containment.measure(tools, size["delays"], say),
    "deny": lambda tools, size, say: deny.measure(tools, size["latencies"], size["runs"], say),
    "quarantine": lambda tools, size, say: quarantine.measure(
        tools, size["latencies"], size["runs"], size["revoked"], say
    ),
    "pursuit": lambda tools, size, say: pursuit.measure(
        tools, size["trail"], size["pursued"], size["rounds"], size["denies"], size["runs"], say
    ),
    "throughput": lambda tools, size, say: throughput.measure(tools, size["sizes"], size["widths"], say),
    "baselines": lambda tools, size, say: throughput.baselines(tools, size["baselines"], say),
    "idle": lambda tools, size, say: idle.measure(tools, size["idle"], say),
    "organization": lambda tools, size, say: growth.organization(tools, size["organization"], say),
    "ledger": lambda tools, size, say: growth.ledger(tools, size["ledger"], say),
    "opt_outs": lambda tools, size, say: growth.opt_outs(tools, size["opt_outs"], say),
    "log": lambda tools, size, say: log.measure(tools, size, say),
    "web": lambda tools, size, say: web.measure(tools, size, say),
    "doctor": lambda tools, size, say: doctor.measure(tools, size["doctor"], say),
}


def main():
    args = _arguments()
    size = QUICK if args.quick else FULL
    if args.largest:
        size = {**size, "ledger": (*size["ledger"], 10_000_000)}
    tools = Tools(args.binary, args.stand, args.ledger, args.python, args.emulator_python)
    found = {
        "version": tools.version(),
        "binary_bytes": os.path.getsize(tools.binary),
        "machine": machine.describe(),
        "load": {},
    }
    for name in args.only or MEASURES:
        before = machine.load()[0]
        found[name] = MEASURES[name](tools, size, _say)
        found["load"][name] = {"before": before, "after": machine.load()[0]}
        # What was measured is not lost when something later fails.
        _write(args.out, found)
    if args.charts:
        _draw(args.charts, found)
    print(_head(found) + "\n" + table.write(found))


def _arguments():
    parser = argparse.ArgumentParser(prog="driver")
    parser.add_argument("--binary", required=True, help="the release binary")
    parser.add_argument("--quick", action="store_true", help="small sizes: some minutes")
    parser.add_argument("--only", type=lambda text: text.split(","), help=f"some of {','.join(MEASURES)}")
    parser.add_argument("--largest", action="store_true", help="a ledger of ten million entries too: 11 GB of disk")
    parser.add_argument("--out", default=str(ROOT / "target" / "bench"), help="where figures go")
    parser.add_argument("--charts", help="where charts go: docs/performance")
    parser.add_argument("--stand", help="the stub; else cargo makes it")
    parser.add_argument("--ledger", help="the ledger's benchmark; else cargo makes it")
    parser.add_argument("--python", help="a Python with the baseline's packages; else one is made")
    parser.add_argument("--emulator-python", help="a Python with the emulated organization's packages; else one is made")
    args = parser.parse_args()
    unknown = set(args.only or ()) - set(MEASURES)
    if unknown:
        parser.error(f"no such measure: {', '.join(sorted(unknown))}")
    return args


def _say(text):
    print(f"{time.strftime('%H:%M:%S')}  {text}", file=sys.stderr, flush=True)


def _head(found):
    one = found["machine"]
    mib = found["binary_bytes"] / 2**20
    loads = [load for both in found["load"].values() for load in both.values()]
    return (
        f"{found['version']}, a binary of {mib:.1f} MiB. {one['cores']} cores ({one['processor']}, "
        f"{one['architecture']}), {one['memory_gib']} GiB, {one['kernel']}, Python {one['python']}. "
        f"Load averages before and after the measures: {min(loads):.1f} to {max(loads):.1f}.\n"
    )


def _write(directory, found):
    os.makedirs(directory, exist_ok=True)
    with open(os.path.join(directory, "figures.json"), "w", encoding="utf-8") as file:
        json.dump(found, file, indent=1)
    with open(os.path.join(directory, "tables.md"), "w", encoding="utf-8") as file:
        file.write(_head(found) + "\n" + table.write(found))


def _draw(directory, found):
    os.makedirs(directory, exist_ok=True)
    for name, title, key, more in CHARTS:
        rows = found.get(name, ())
        if len(rows) < 2:
            continue
        line = lambda field: [(row[key], row[field]) for row in rows]
        times = [("to the first call", line("start_s")), ("to the deny", line("deny_s"))]
        memory = [("a finding", line("peak_mib"))]
        times += [(label, line(field)) for label, field in more.get("times", ())]
        memory += [(label, line(field)) for label, field in more.get("memory", ())]
        unit = key.replace("_", "-")
        panels = [("seconds", unit, times), ("MiB at the most", unit, memory)]
        plot.write(os.path.join(directory, f"{name.replace('_', '-')}.svg"), title, panels)
    fights = found.get("containment", ())
    if fights:
        timeline.write(os.path.join(directory, "containment.svg"), fights)
        with open(os.path.join(directory, "containment.json"), "w", encoding="utf-8") as file:
            json.dump(fights, file, indent=1)
    rows = found.get("throughput", ())
    if rows:
        _draw_throughput(os.path.join(directory, "throughput.svg"), rows)


CHARTS = (
    (
        "organization",
        "One finding, by the size of the organization",
        "accounts",
        {
            "times": [("to read the organization", "read_s")],
            "memory": [("while the organization is read", "read_peak_mib")],
        },
    ),
    (
        "ledger",
        "One finding, by the length of the ledger",
        "entries",
        {"times": [("ledger verify", "verify_s")], "memory": [("ledger verify", "verify_peak_mib")]},
    ),
    ("opt_outs", "One finding, by the number of opt-outs", "opt_outs", {}),
)


def _draw_throughput(path, rows):
    widths = sorted({row["width"] for row in rows})
    of = lambda width, field: [(row["findings"], row[field]) for row in rows if row["width"] == width]
    times = [(f"{width} at once", of(width, "denied")) for width in widths]
    memory = [(f"{width} at once", of(width, "peak_mib")) for width in widths]
    title = "Many findings, 50 ms a call"
    plot.write(path, title, [("seconds to the last deny", "findings", times), ("MiB at the most", "findings", memory)])


if __name__ == "__main__":
    main()
