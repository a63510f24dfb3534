"""The programs that the driver needs; it builds what it is not given."""

import json
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BASELINE = ROOT / "benches" / "baseline"
PREPARE = ROOT / "tests" / "emulator" / "demo" / "prepare.py"


class Tools:
    def __init__(self, binary, stand, ledger, python, emulator_python):
        # To build the others puts a binary of another profile in its place.
        self._kept = tempfile.TemporaryDirectory(prefix="rescind-bench-")
        self.binary = shutil.copy(binary, self._kept.name)
        if not (stand and ledger):
            built = _built("stand", "ledger")
            stand, ledger = stand or built["stand"], ledger or built["ledger"]
        self.stand, self.ledger = str(Path(stand).resolve()), str(Path(ledger).resolve())
        # Not resolved: an environment's Python is a link to another one.
        self.python = str(Path(python or _environment()).absolute())
        self.baseline = str(BASELINE / "baseline.py")
        self._emulator_python = emulator_python

    def emulator_python(self):
        """The Python of the emulated organization, in the build directory unless it is given."""
        if not self._emulator_python:
            directory = ROOT / "target" / "emulator-venv"
            subprocess.run([sys.executable, "-I", PREPARE, directory], check=True, stdout=sys.stderr)
            self._emulator_python = directory / "bin" / "python"
        return str(Path(self._emulator_python).absolute())

    def version(self):
        return subprocess.run([self.binary, "--version"], check=True, capture_output=True, text=True).stdout.strip()


def _built(*names):
    command = ["cargo", "bench", "--locked", "--no-run", "--message-format=json"]
    command += [word for name in names for word in ("--bench", name)]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    messages = [json.loads(line) for line in done.stdout.splitlines()]
    programs = [one for one in messages if one.get("executable") and one["target"]["name"] in names]
    return {one["target"]["name"]: one["executable"] for one in programs}


def _environment():
    """The baseline's Python, in the build directory."""
    directory = ROOT / "target" / "baseline-venv"
    python = directory / "bin" / "python"
    if subprocess.run([python, "-c", "import boto3"], capture_output=True).returncode if python.exists() else 1:
        print("Installing the baseline's Python packages ...", file=sys.stderr)
        venv.create(directory, with_pip=True, clear=True)
        pip = [python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--require-hashes"]
        subprocess.run([*pip, "-r", BASELINE / "requirements.txt"], check=True)
    return python
