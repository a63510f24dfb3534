"""``python -m demo``: see `make help` for the ways of running it."""
import argparse
import fcntl
import io
import os
import shutil
import sys
import traceback
from contextlib import contextmanager
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError
from emulated_org.client import EmulatorError

from . import failover
from .isolated import LOG, ROOT, Rescind, forget_proxies, from_root
from .main_job import play
from .standing import stand
from .story import Story, Unexpected


def main() -> int:
    parser = argparse.ArgumentParser(prog="demo", description=__doc__)
    parser.add_argument("--rescind", type=Path, default=ROOT / "target/debug/rescind", help="the binary")
    parser.add_argument("--out", type=Path, default=ROOT / "demo-out", help="emptied, and written to")
    parser.add_argument("--up", action="store_true", help="leave the theft as it stands, and keep running")
    parser.add_argument("--hosts", action="store_true", help="three hosts, of which one dies")
    parser.add_argument("--quiet", action="store_true", help="print only what fails")
    arguments = parser.parse_args()
    sys.stdout.reconfigure(errors="replace")
    forget_proxies()
    output = io.StringIO() if arguments.quiet else sys.stdout
    story = Story(output)
    directory = arguments.out.absolute()
    rescind = Rescind(arguments.rescind.absolute(), directory / "rescind.toml")
    try:
        with emptied(directory):
            scenario(arguments)(story, rescind, directory)
    except KeyboardInterrupt:
        print("\nInterrupted.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader of the story went away (`| head`).
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (Unexpected, EmulatorError, ClientError, BotoCoreError, OSError) as error:
        story.failed(str(error))
    except Exception:
        story.failed(traceback.format_exc())
    else:
        return 0
    if arguments.quiet:
        print(output.getvalue())
    return 1


def scenario(arguments: argparse.Namespace):
    if arguments.hosts:
        return failover.play
    return stand if arguments.up else play


@contextmanager
def emptied(directory: Path):
    """The folder without what an earlier demo left, for this process alone."""
    directory.mkdir(exist_ok=True)
    handle = os.open(directory, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Unexpected(f"another demo is using {from_root(directory)}: end it first (Ctrl-C)") from None
        entries = list(directory.iterdir())
        if entries and not (directory / LOG).exists():
            raise Unexpected(f"{from_root(directory)} holds something else than a demo: it is not emptied")
        for entry in entries:
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()
        yield
    finally:
        os.close(handle)


if __name__ == "__main__":
    sys.exit(main())
