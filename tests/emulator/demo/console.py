"""The console of `make demo-up`: a service, and people who log in to it without passwords."""
import re
import socket
import subprocess
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import Callable, Iterator

from openid_provider.people import PEOPLE

from .isolated import Rescind, from_root
from .story import Unexpected

PATIENCE_SECONDS = 60
USUAL_PORT = 7434
WEB = """
# The demo's console. Its people log in at a provider of the demo, without
# passwords.
[web]
url = "{url}"

[web.oidc]
issuer = "{issuer}"
client_id = "rescind"
"""
ACCESS = """
[[web.access]]
role = "{role}"
groups = ["{group}"]
"""


def free_address() -> str:
    """The console's usual address, or another one where something answers there already."""
    for port in (USUAL_PORT, 0):
        with socket.socket() as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                tried.bind(("127.0.0.1", port))
                return f"127.0.0.1:{tried.getsockname()[1]}"
            except OSError:
                continue
    raise Unexpected("no port of 127.0.0.1 is free")


def let_people_in(config: Path, address: str, issuer: str) -> None:
    """The console answers at this address, and knows the people of this provider."""
    text, replaced = re.subn(r'(?m)^listen = ".*"$', f'listen = "{address}"', config.read_text())
    if replaced != 1:
        raise Unexpected(f"{from_root(config)} does not say where the console answers")
    grants = [ACCESS.format(role=person.role, group=person.group) for person in PEOPLE.values()]
    config.write_text(text + WEB.format(url=f"http://{address}", issuer=issuer) + "".join(grants))


@contextmanager
def service(rescind: Rescind, log: Path) -> Iterator[subprocess.Popen]:
    """`rescind run`, until the block ends."""
    with log.open("w") as output:
        process = rescind.start(output, "run", "--backlog")
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_until(is_so: Callable[[], bool], what: str, process: subprocess.Popen, log: Path) -> None:
    """Looks until something is so, as long as the service runs."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        if process.poll() is not None or time.monotonic() > end:
            raise Unexpected(f"expected: {what}\n{log.read_text()[-4000:]}")
        time.sleep(0.2)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False
