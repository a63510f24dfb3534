"""Commands of the AWS CLI from stdin, a line each; lines that begin with # are skipped. Prints a line of JSON for each:
the command, the exit status as the CLI has it, and the answer or the error. Exits with the first status that is not 0.
"""
import argparse
import json
import sys

from adversary.credentials import read_credentials

from .line import commands
from .outcome import WORKED, Shell, check


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m shell", description=__doc__)
    parser.add_argument("--check", action="store_true", help="only whether the CLI would take them: nothing is run")
    parser.add_argument("--endpoint", help="of the emulator: http://127.0.0.1:PORT")
    parser.add_argument("--credentials", type=read_credentials, metavar="JSON",
                        help="access_key_id, secret_access_key and session_token, or a file with them")
    parser.add_argument("--profile", action="append", nargs=2, default=[], metavar=("NAME", "JSON"),
                        help="credentials for commands with --profile NAME; may be repeated")
    parser.add_argument("--region", help="for commands without one, which otherwise fail as they do without a setting")
    options = parser.parse_args()
    if not options.check and not (options.endpoint and options.credentials):
        parser.error("--endpoint and --credentials are missing")
    try:
        credentials = {name: read_credentials(text) for name, text in options.profile}
        run = check
        if not options.check:
            run = Shell(options.endpoint, {"default": options.credentials, **credentials}, options.region).run
    except ValueError as error:
        parser.error(str(error))
    status = WORKED
    for line in commands(sys.stdin.read()):
        outcome = run(line)
        print(json.dumps(outcome), flush=True)
        status = status or outcome["status"]
    return status


if __name__ == "__main__":
    sys.exit(main())
