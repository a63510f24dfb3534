"""Runs the tests of policies/deployment, in an environment that it makes for them.

    python3 tests/deployment/run.py [arguments of unittest]

The environment lies in target/deployment-venv. It is made when it is not there and when
requirements.txt or the interpreter changed, and needs the network only then. A test for which a
tool is missing is skipped, and named at the end.
"""
import hashlib
import os
import subprocess
import sys
from pathlib import Path

OLDEST_PYTHON = (3, 10)
HERE = Path(__file__).resolve().parent
VENV = HERE.parents[1] / "target" / "deployment-venv"
REQUIREMENTS = HERE / "requirements.txt"


def main() -> int:
    if sys.version_info < OLDEST_PYTHON:
        sys.exit(f"Python 3.10 or later is needed, and this is {sys.version.split()[0]}")
    python = VENV / "bin" / "python"
    wanted = f"{hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()} {sys.version}\n"
    stamp = VENV / "installed"
    if not (python.exists() and stamp.is_file() and stamp.read_text() == wanted):
        print("Installing the Python packages of the deployment's tests ...", flush=True)
        run(sys.executable, "-m", "venv", "--clear", str(VENV))
        run(str(python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet",
            "--require-hashes", "-r", str(REQUIREMENTS))
        stamp.write_text(wanted)
    return subprocess.run([str(python), str(HERE / "report.py"), *sys.argv[1:]], cwd=HERE, env=environment()).returncode


def environment() -> dict:
    """Without the AWS configuration of whoever runs it: nothing here may reach AWS."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return kept | {"AWS_EC2_METADATA_DISABLED": "true", "PYTHONDONTWRITEBYTECODE": "1"}


def run(*command: str) -> None:
    if subprocess.run(command).returncode != 0:
        sys.exit("Set-up failed: see above. It needs the network the first time, and can be repeated.")


if __name__ == "__main__":
    sys.exit(main())
