"""Instructions that decoding, deciding and appending take, against those that are kept.

    python3 benches/instructions          fails when one takes more than is kept, by the tolerance
    python3 benches/instructions --keep   keeps what is counted now

The benchmark `instructions` is built in the debug profile, as the tests are: its counts are several times those of a
release, and grow with the same work. Each work is done a few times and many times under callgrind; the difference,
divided, is what one takes, without the start.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

KEPT = Path(__file__).with_name("kept.json")
TIMES = {"decode": (20, 220), "triage": (20, 220), "append": (10, 110)}
# Random seeds of hash maps, and the moment at which threads wake each other, are in the counts.
TOLERANCE = 0.10


def built() -> str:
    command = ["cargo", "build", "--locked", "--bench", "instructions", "--message-format=json-render-diagnostics"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, cwd=Path(__file__).parents[2])
    made = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return next(one["executable"] for one in made if one.get("executable") and one["target"]["name"] == "instructions")


def counted(program: str, work: str, times: int) -> int:
    with tempfile.TemporaryDirectory() as scratch:
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={scratch}/out", program, work, str(times)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        found = re.search(r"Collected\s*:\s*(\d+)", done.stderr)
        if done.returncode or not found:
            sys.exit(f"{' '.join(command)} failed:\n{done.stderr}")
        return int(found[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", help="the benchmark; else cargo makes it")
    parser.add_argument("--keep", action="store_true", help="keep what is counted now")
    asked = parser.parse_args()
    if not shutil.which("valgrind"):
        sys.exit("valgrind is needed")
    program = asked.program or built()
    kept = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    found, worse = {}, []
    for work, (few, many) in TIMES.items():
        each = (counted(program, work, many) - counted(program, work, few)) // (many - few)
        found[work] = each
        before = kept.get("instructions", {}).get(work)
        change = f"{(each - before) / before:+.1%} of {before:,} that are kept" if before else "none is kept"
        print(f"{work:8} {each:>12,} instructions each; {change}")
        if before and each > before * (1 + TOLERANCE):
            worse.append(work)
        if before and each < before * (1 - TOLERANCE):
            print(f"{work:8} takes much less: keep it with --keep, so that it stays so")
    if asked.keep:
        KEPT.write_text(json.dumps({"profile": "dev", "instructions": found}, indent=2) + "\n")
    elif worse:
        sys.exit(f"more instructions than are kept, by more than {TOLERANCE:.0%}: {', '.join(worse)}. "
                 "If it has to be so, say why in the commit and keep them with --keep.")


if __name__ == "__main__":
    main()
