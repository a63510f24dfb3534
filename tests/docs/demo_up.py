"""`make demo-up` without make: its set-up is done already where tests run."""
import os
import signal
import subprocess
import threading
from pathlib import Path
from typing import List

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 300
READY = "Running until you press Ctrl-C."


class DemoUp:
    """The demo in a folder, once it has printed all that it says at first."""

    def __init__(self, out: Path) -> None:
        python = os.environ["RESCIND_EMULATOR_PYTHON"]
        built = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug" / "rescind"
        binary = os.environ.get("RESCIND_BINARY", str(built))
        self._process = subprocess.Popen(
            [python, "-m", "demo", "--rescind", binary, "--up", "--out", str(out)],
            cwd=ROOT,
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT / "tests" / "emulator"),
                "PYTHONUNBUFFERED": "1",
                # As wide as the narrowest terminals are.
                "COLUMNS": "80",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        # Whatever it should print and does not: the test ends.
        self._end = threading.Timer(PATIENCE_SECONDS, self._process.kill)
        self._end.daemon = True
        self._end.start()
        self.lines: List[str] = []
        while READY not in self.next_line():
            pass

    def next_line(self) -> str:
        line = self._process.stdout.readline()
        if not line:
            raise AssertionError("the demo ended:\n" + "\n".join(self.lines))
        self.lines.append(line.rstrip("\n"))
        return line

    def stop(self) -> None:
        self._end.cancel()
        self._process.send_signal(signal.SIGINT)
        self._process.communicate(timeout=90)
