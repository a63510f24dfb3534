"""What README.md shows of `make demo` is what it prints on a terminal of 80 columns, in that order.

Ids, times and paths differ from run to run. `…` is for lines that were left out.
"""
import os
import re
import subprocess
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "target" / "demo-readme"
COLUMNS = 80


def comparable(line: str) -> str:
    line = re.sub(r"\br-[0-9a-f]{24}\b", "r-ID", line)
    line = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ", "TIME", line)
    return re.sub(r"^   \$ \S+ -c \S+ ", "   $ rescind ", line)


def shown() -> list[str]:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return re.search(r"^```\n\$ make demo\n(.*?)^```$", text, re.M | re.S)[1].splitlines()


def printed() -> list[str]:
    binary = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug" / "rescind"
    return subprocess.run(
        [
            os.environ["RESCIND_EMULATOR_PYTHON"], "-m", "demo",
            "--rescind", os.environ.get("RESCIND_BINARY", str(binary)), "--out", str(OUT),
        ],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "tests" / "emulator"), "COLUMNS": str(COLUMNS)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()


class Readme(unittest.TestCase):
    def test_the_demo_prints_what_is_shown(self) -> None:
        left = [comparable(line) for line in printed()]
        gap = False
        for line in shown():
            if line == "…":
                gap = True
                continue
            wanted = comparable(line)
            self.assertIn(wanted, left, "the demo does not print it, or not here")
            at = left.index(wanted)
            self.assertTrue(gap or at == 0, f"lines are left out before {line!r} without a …")
            left, gap = left[at + 1:], False
        self.assertEqual(bool(left), gap, "a … at the end, where lines are left out there")

    def test_it_fits_a_terminal(self) -> None:
        self.assertEqual([], [line for line in shown() if len(line) > COLUMNS])


if __name__ == "__main__":
    unittest.main()
