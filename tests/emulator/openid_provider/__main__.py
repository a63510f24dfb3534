"""``python -m openid_provider --console http://127.0.0.1:7434``: serves until stdin ends.

The first line on stdout is ``listening on ISSUER``. The client's id is ``rescind``, and it has no secret.
"""
import argparse
import sys

from .server import serving


def main() -> None:
    parser = argparse.ArgumentParser(prog="openid_provider", description=__doc__)
    parser.add_argument("--console", default="http://127.0.0.1:7434", help="the console's `url`, without / at the end")
    parser.add_argument("--port", type=int, default=0)
    arguments = parser.parse_args()
    with serving(arguments.console, arguments.port) as issuer:
        print(f"listening on {issuer}", flush=True)
        while sys.stdin.buffer.read(4096):
            pass


if __name__ == "__main__":
    main()
