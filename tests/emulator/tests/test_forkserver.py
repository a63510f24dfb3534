"""Emulators that are forked: each for itself, as long as somebody wants it."""
import os
import socket
import subprocess
import sys
import unittest

from emulated_org.client import Emulator

from .support import ROOT

COMMAND = [sys.executable, "forkserver.py", sys.executable, "-c"]


def now(emulator: Emulator) -> str:
    return emulator.get("clock")["now"]


class ForkServer(unittest.TestCase):
    def test_each_connection_has_an_emulator_of_its_own_that_ends_with_it(self):
        # The command waits for its standard input, and this is the test it runs.
        script = "import os, sys; print(os.environ['RESCIND_EMULATORS'], flush=True); sys.stdin.read(); sys.exit(7)"
        server = subprocess.Popen(
            [*COMMAND, script], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        with server:
            address = server.stdout.readline().strip()
            connections = [socket.socket(socket.AF_UNIX) for _ in range(2)]
            emulators = []
            for connection in connections:
                connection.connect(address)
                with connection.makefile() as said:
                    emulators.append(Emulator(said.readline().strip().rpartition(" ")[2]))
            first, second = emulators
            first.advance_clock(3600)
            self.assertGreater(now(first), now(second))
            connections[0].close()
            with self.assertRaises(OSError):
                while True:
                    now(first)
            now(second)
            server.stdin.close()
            self.assertEqual(server.wait(timeout=20), 7)
            self.assertFalse(os.path.exists(address))
            now(second)
            connections[1].close()

    def test_a_command_that_is_killed_has_the_exit_code_that_a_shell_gives(self):
        killed = subprocess.run([*COMMAND, "import os; os.kill(os.getpid(), 9)"], cwd=ROOT, check=False)
        self.assertEqual(killed.returncode, 137)
