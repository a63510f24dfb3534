"""Runs the tests beside it, and names what was not tested and why. Called by run.py."""
import sys
import unittest
from pathlib import Path


def main() -> int:
    here = str(Path(__file__).resolve().parent)
    program = unittest.main(
        module=None,
        argv=["unittest", *(sys.argv[1:] or ["discover", "-s", here, "-t", here])],
        exit=False,
    )
    result = program.result
    for test, why in result.skipped:
        print(f"NOT TESTED: {test.id()}: {why}")
    if result.testsRun == 0:
        print("No test was run.")
        return 1
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
