"""How long a thief has a working credential after the first put: against the program, and against a deny that is
written once.

    python benches/containment --binary target/release/rescind [--delays 0,4] [--only rescind,inline]

Needs the Python environment of the emulated organization. Prints one JSON line for each fight; progress on stderr.
"""

import argparse
import json
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed

import world  # noqa: F401  finds the emulator's packages
from defenders import DEFENDERS
from fight import fight

# After how many seconds IAM enforces a change; for how many seconds after the first put it is fought. Beyond the two
# minutes of the quarantine, so that what comes after it is seen.
DELAYS = {0: 150, 4: 150, 30: 240}
THIEVES = ("iam", "none")


def main():
    parser = argparse.ArgumentParser(prog="containment", description=__doc__)
    parser.add_argument("--binary", required=True, help="rescind")
    parser.add_argument("--only", type=lambda text: text.split(","), default=list(DEFENDERS))
    parser.add_argument("--delays", type=lambda text: [int(one) for one in text.split(",")], default=list(DELAYS))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--at-once", type=int, default=2 * (os.cpu_count() or 1), help="fights in real time")
    args = parser.parse_args()
    plans = [plan for way in args.only for plan in _plans(way, args.delays, args.seed)]
    # What runs in moved time takes all of a core: it would slow down those that fight in real time.
    moved = [plan for plan in plans if not DEFENDERS[plan["way"]].is_in_real_time]
    real = [plan for plan in plans if DEFENDERS[plan["way"]].is_in_real_time]
    failed = _fought(args.binary, moved, os.cpu_count() or 1) + _fought(args.binary, real, args.at_once)
    return 1 if failed else 0


def _plans(way, delays, seed):
    quarantines = (True, False) if way == "rescind" else (False,)
    for delay in delays:
        for thief in THIEVES:
            for seal in (True, False):
                for quarantine in quarantines:
                    yield {
                        "way": way,
                        "thief": thief,
                        "seal": seal,
                        "quarantine": quarantine,
                        "delay": delay,
                        "seed": seed,
                        "horizon": DELAYS[delay],
                    }


def _fought(binary, plans, at_once):
    """Prints each fight when it is over; how many did not come about."""
    failed = 0
    with ProcessPoolExecutor(at_once) as pool:
        begun = {pool.submit(fight, binary, plan): plan for plan in plans}
        for one in as_completed(begun):
            name = " ".join(f"{key}={value}" for key, value in begun[one].items())
            error = one.exception()
            if error:
                failed += 1
                _say(f"FAILED {name}: {error!r}")
                continue
            print(json.dumps(one.result()), flush=True)
            _say(name)
    return failed


def _say(text):
    print(f"{time.strftime('%H:%M:%S')}  {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
