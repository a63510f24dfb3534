"""Every target of the Makefile gives the shell what it can read: a comma or a quote in the wrong place splits a stage."""
import re
import subprocess
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class Make(unittest.TestCase):
    def test_each_target_is_a_script_that_a_shell_reads(self):
        targets = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
        for target in targets.group(1).split():
            # "-n" prints the commands and runs none, but for those that are makes themselves.
            script = subprocess.run(
                ["make", "-n", "--no-print-directory", target], cwd=ROOT, capture_output=True, text=True, check=True
            ).stdout
            read = subprocess.run(["sh", "-n"], input=script, capture_output=True, text=True)
            self.assertEqual(0, read.returncode, f"make {target}: {read.stderr}")


if __name__ == "__main__":
    unittest.main()
