"""Runs a command whose tests need many emulators, and gives them one each in a few milliseconds.

    python forkserver.py COMMAND [ARGUMENT ...]

An emulator that starts by itself spends half a second on imports. Here they are done once: for each connection to the
socket that RESCIND_EMULATORS names, a process is forked. It says its address as ``python -m emulated_org`` does, and
ends with the connection. The exit code is the command's.
"""
import gc
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
from pathlib import Path

from emulated_org.isolation import use_no_real_credentials

use_no_real_credentials()

from emulated_org.server import Server  # noqa: E402, moto reads the environment when it is imported
from moto.moto_api._internal import mock_random  # noqa: E402


def main() -> int:
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory(prefix="rescind-") as directory:
        address = Path(directory, "emulators")
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(address))
        listener.listen(128)
        ours, theirs = socket.socketpair()
        forked(serve, listener, theirs, not_theirs=ours)
        theirs.close()
        listener.close()
        # The command gets an interrupt as well, and this ends when it does.
        signal.signal(signal.SIGINT, lambda *_: None)
        done = subprocess.run(sys.argv[1:], env={**os.environ, "RESCIND_EMULATORS": str(address)}, check=False)
        ours.close()
    return done.returncode if done.returncode >= 0 else 128 - done.returncode


def forked(work, *sockets: socket.socket, not_theirs: socket.socket) -> None:
    """Does this work in a process of its own, which ends with it."""
    if os.fork() == 0:
        try:
            not_theirs.close()
            work(*sockets)
        except BaseException:
            traceback.print_exc()
        finally:
            # Threads may hang in a fault, and what the parent has to clean up is not this process's.
            os._exit(0)


def serve(listener: socket.socket, command: socket.socket) -> None:
    """An emulator for each connection, until the command ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
    gc.freeze()  # what is imported stays shared memory
    while command not in select.select([listener, command], [], [])[0]:
        connection, _ = listener.accept()
        forked(emulate, connection, not_theirs=listener)
        connection.close()


def emulate(connection: socket.socket) -> None:
    mock_random.seed()
    server = Server()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    connection.sendall(f"listening on {server.url}\n".encode())
    while connection.recv(4096):
        pass


if __name__ == "__main__":
    sys.exit(main())
