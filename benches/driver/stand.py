"""The stub of AWS, as a process of its own: `benches/stand.rs`."""

import json
import subprocess
import urllib.request

# Of a remediation, until the deny is in place.
ROUND_TRIPS = 3


class Stand:
    """Serves from `with` to its end. Each call takes so many milliseconds."""

    def __init__(self, program, latency, accounts, regions=2, of_tables=None):
        """`of_tables` is the latency of DynamoDB, if it is another."""
        self.program, self.latency, self.accounts, self.regions = program, latency, accounts, regions
        self.of_tables = latency if of_tables is None else of_tables

    def __enter__(self):
        self.process = subprocess.Popen(
            [self.program, "serve", *map(str, (self.latency, self.accounts, self.regions, self.of_tables))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.url = self.process.stdout.readline().strip()
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()

    def _open(self, page):
        return urllib.request.urlopen(f"{self.url}/stub/{page}")

    def operations(self):
        """What was called since the last reset: count, bytes; when the first call came and was answered, and when the
        last one was answered, in microseconds."""
        with self._open("operations") as answer:
            return json.load(answer)

    def account(self, number):
        """The same for one member account."""
        with self._open(f"accounts/{200_000_000_000 + number:012}") as answer:
            return json.load(answer)

    def spans(self, first, last):
        """For each account the milliseconds from the first call of one operation to the last of another."""
        spans = []
        with self._open("accounts") as answer:
            for line in answer:
                calls = json.loads(line)["operations"]
                if first in calls and last in calls:
                    spans.append((calls[last]["last"] - calls[first]["first"]) / 1000)
        return sorted(spans)

    def events(self, first, count):
        """The same thefts as events in the queue."""
        self._open(f"events/{first}/{count}").close()

    def trail(self, first, count, events, opens=False):
        """CloudTrail has so many events of the thieves in these accounts; the newest one may open a session in the
        account that is `count` behind."""
        self._open(f"trail/{first}/{first + count}/{events}/{'opens' if opens else 'looks'}").close()

    def trail_read(self):
        """What was read of it: pages, events, throttled calls; when the first page was asked for and the last one was
        there, in microseconds."""
        with self._open("trail") as answer:
            return json.load(answer)

    def reset(self):
        self._open("reset").close()

    def thefts(self, path, first, count):
        """Writes findings about a stolen session in each of so many accounts."""
        with self._open(f"thefts/{first}/{count}") as answer, open(path, "wb") as file:
            while piece := answer.read(1 << 16):
                file.write(piece)

    def bare(self, chains, clients):
        """The seconds that bare clients take for so many chains of three calls."""
        command = [self.program, "bare", self.url, str(chains), str(ROUND_TRIPS), str(clients)]
        return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    def bare_puts(self, count):
        """The same for so many puts of an item, one after the other."""
        command = [self.program, "puts", self.url, str(count)]
        return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    def puts(self):
        """Each put of an item of the log since the last reset: when its request was there and its answer ready, in
        microseconds, and the bytes of its body. The renewals of a lease are not among them."""
        with self._open("puts") as answer:
            return json.load(answer)

    def cpu(self):
        """The processor time that the stub took so far, in seconds."""
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / 100
