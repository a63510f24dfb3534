"""Does what docs/quick-start.md says, command by command, against the emulated organization of `make demo-up`."""
import re
import shutil
import subprocess
import unittest
from pathlib import Path
from typing import List, NamedTuple

from demo_up import DemoUp

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "quick-start.md"
OUT = ROOT / "demo-out"


class Step(NamedTuple):
    command: str
    # Texts that its output has, in this order.
    output: List[str]


def steps() -> List[Step]:
    found: List[Step] = []
    for block in re.findall(r"^```console\n(.*?)^```$", PAGE.read_text(), re.M | re.S):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append(Step(line[2:], []))
            elif line:
                found[-1].output.append(line)
    return found


class QuickStart(unittest.TestCase):
    def setUp(self) -> None:
        # What a reader makes on the way.
        shutil.rmtree(OUT / "first", ignore_errors=True)
        self.demo = DemoUp(OUT)
        self.addCleanup(self.demo.stop)

    def test_each_command_does_what_the_page_says(self):
        written = steps()
        self.assertGreater(len(written), 8)
        # One shell for all, as a reader has it. After each command a line with its code.
        mark = "=== done"
        script = "\n".join(f"{step.command}\necho '{mark}' $?" for step in written)
        done = subprocess.run(
            ["bash", "-c", script], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600
        )
        parts = re.split(rf"^{mark} (\d+)\n", done.stdout, flags=re.M)
        outputs, codes = parts[0::2], parts[1::2]
        self.assertEqual(len(codes), len(written), done.stdout)
        for step, output, code in zip(written, outputs, codes):
            with self.subTest(command=step.command):
                self.assertEqual(code, "0", output)
                rest = output
                for text in step.output:
                    self.assertIn(text, rest, f"the page says so; it was:\n{output}")
                    rest = rest[rest.index(text) + len(text) :]
        for report in (OUT / "first" / "report.html", OUT / "report.html"):
            self.assertIn("</html>", report.read_text())


if __name__ == "__main__":
    unittest.main()
