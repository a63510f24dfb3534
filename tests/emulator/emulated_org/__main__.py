"""``python -m emulated_org``: serves until it is killed or, on request, stdin ends."""
import argparse
import os
import sys
import threading


def main() -> None:
    parser = argparse.ArgumentParser(prog="emulated_org", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 (the default) picks a free port")
    parser.add_argument(
        "--exit-with-stdin",
        action="store_true",
        help="exit when stdin reaches EOF, so that a test that dies takes its emulator along",
    )
    arguments = parser.parse_args()
    from .isolation import use_no_real_credentials

    use_no_real_credentials()
    from .server import Server

    server = Server(arguments.port)
    if arguments.exit_with_stdin:
        threading.Thread(target=_exit_with_stdin, daemon=True).start()
    print(f"listening on {server.url}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        sys.exit(130)


def _exit_with_stdin() -> None:
    while sys.stdin.buffer.read(4096):
        pass
    # Threads may hang in a fault: leave without waiting for them.
    os._exit(0)


if __name__ == "__main__":
    main()
