"""Makes the Python environment of the emulated organization, or that of other requirements.

    python3 -I prepare.py DIRECTORY [REQUIREMENTS]

Uses the standard library only. Installs when the locked requirements or the
interpreter changed since the last time, and needs no network otherwise.
"""
import hashlib
import subprocess
import sys
from pathlib import Path

OLDEST_PYTHON = (3, 10)
REQUIREMENTS = Path(sys.argv[2] if len(sys.argv) > 2 else Path(__file__).parent.parent / "requirements.txt").resolve()


def main() -> None:
    if sys.version_info < OLDEST_PYTHON:
        sys.exit(f"Python 3.10 or later is needed, and this is {sys.version.split()[0]}: make PYTHON=python3.12 ...")
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        sys.exit("This Python cannot make virtual environments. On Debian and Ubuntu: apt install python3-venv")
    directory = Path(sys.argv[1]).absolute()
    stamp = directory / "installed"
    if stamp.is_file() and stamp.read_text() == _wanted(directory):
        return
    print(f"Installing the Python packages of {REQUIREMENTS.parent} (the first time, and when their lock changes) ...")
    if _version(directory) is None:
        _run(sys.executable, "-m", "venv", "--clear", str(directory))
    pip = [str(_python(directory)), "-m", "pip", "--disable-pip-version-check"]
    _run(*pip, "install", "--quiet", "--require-hashes", "-r", str(REQUIREMENTS))
    stamp.write_text(_wanted(directory))


def _wanted(directory: Path) -> str:
    """What the stamp says when all is in place: a changed interpreter finds no packages."""
    return f"{hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()} {_version(directory)}\n"


def _python(directory: Path) -> Path:
    return directory / "bin" / "python"


def _version(directory: Path):
    """The environment's Python version; None if there is no usable environment."""
    code = "import pip, sys; print(*sys.version_info[:2], sep='.')"
    try:
        asked = subprocess.run([str(_python(directory)), "-I", "-c", code], capture_output=True, text=True)
    except OSError:
        return None
    return asked.stdout.strip() if asked.returncode == 0 else None


def _run(*command: str) -> None:
    if subprocess.run(command).returncode != 0:
        sys.exit("Set-up failed: see above. It needs the network the first time, and can be repeated.")


if __name__ == "__main__":
    main()
