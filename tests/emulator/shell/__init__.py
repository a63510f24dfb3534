"""Runs commands of the AWS CLI against the emulator: `python -m shell --help`.

It is for tests of the commands that rescind prints. It does what the AWS CLI, version 2, does with a command that
stands in a script, as far as botocore's models say it, and refuses what the CLI or the script would refuse. The CLI
itself is not needed.

    line        what a shell makes of a line
    command     what the CLI makes of it: the service, the operation, its parameters
    values      one value on the command line
    outcome     runs it; the answer and the exit status
"""
