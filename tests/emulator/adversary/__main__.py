"""The adversary in real time, until it is asked to stop."""
import argparse
import json
import signal
import sys
import threading
import time
from contextlib import ExitStack

from emulated_org.client import Emulator

from .credentials import read_credentials
from .thief import KINDS, PROBE, SKILLS, Adversary


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m adversary", description=__doc__)
    parser.add_argument("--endpoint", required=True, help="of the emulator: http://127.0.0.1:PORT")
    parser.add_argument("--credentials", required=True, type=read_credentials, metavar="JSON",
                        help="access_key_id, secret_access_key and session_token, or a file with them")
    parser.add_argument("--account", required=True)
    parser.add_argument("--region", required=True)
    parser.add_argument("--seed", type=int, default=0, help="decides the order of the moves (0)")
    parser.add_argument("--every", type=float, default=0.5, metavar="SECONDS", help="between rounds (0.5)")
    parser.add_argument("--for", type=float, dest="seconds", metavar="SECONDS", help="until SIGTERM unless stated")
    parser.add_argument("--log", help="file for the lines, stdout unless stated")
    parser.add_argument("--skill", choices=SKILLS, default="iam", help="none only makes the harmless call")
    parser.add_argument("--kind", choices=KINDS, default="session")
    parser.add_argument("--chain", action="append", default=[], metavar="ARN", help="a role to assume; may be repeated")
    parser.add_argument("--probe", action="append", metavar="SERVICE:OPERATION",
                        help=f"the harmless call; of several, one has to work ({PROBE})")
    parser.add_argument("--clock", action="store_true", help="also log the emulator's time")
    options = parser.parse_args()

    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    with ExitStack() as stack:
        file = stack.enter_context(open(options.log, "w", encoding="utf-8")) if options.log else sys.stdout

        def log(line: dict) -> None:
            print(json.dumps(line), file=file, flush=True)

        try:
            adversary = Adversary(
                options.endpoint, options.credentials, options.account, options.region, options.seed, options.skill,
                options.kind, options.chain, options.probe or [PROBE], log,
            )
        except ValueError as error:
            parser.error(str(error))
        emulator = Emulator(options.endpoint) if options.clock else None
        _run(adversary, emulator, stopped, options.every, options.seconds)
        adversary.summary()
        adversary.close()
    return 0


def _run(adversary: Adversary, emulator, stopped: threading.Event, every: float, seconds) -> None:
    start = time.monotonic()
    due = start
    while not stopped.is_set() and (seconds is None or due < start + seconds):
        adversary.tick(emulator.get("clock")["now"] if emulator else None)
        due = max(due + every, time.monotonic())
        stopped.wait(due - time.monotonic())


if __name__ == "__main__":
    sys.exit(main())
