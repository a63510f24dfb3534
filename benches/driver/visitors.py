"""Who looks at the console and asks the API: a process of its own, so that its time is not the driver's.

    python3 benches/driver/visitors.py reads ADDRESS PER_SECOND PATH…
    python3 benches/driver/visitors.py pages ADDRESS COUNT

Goes on until its standard input ends, then prints what it saw as JSON. Each visitor has an address of its own on this
machine: 127.0.0.2 and on. The service limits what one address may ask.
"""

import asyncio
import collections
import json
import sys
import time

# What one address may ask in a second is more.
EACH_PER_SECOND = 10
# What the script of a page does: several entries in a row are one update, and a lost stream is opened again.
PAUSE = 0.4
AGAIN = 3
VISITORS = 250
# How long an answer is waited for at the end.
LONGEST = 30


class Visitor:
    """Somebody at an address of their own."""

    def __init__(self, address, number):
        self._host, _, port = address.partition(":")
        self._port = int(port)
        self._from = f"127.0.{number // VISITORS}.{2 + number % VISITORS}"

    async def open(self, path, more=""):
        reader, writer = await asyncio.open_connection(self._host, self._port, local_addr=(self._from, 0))
        request = f"GET {path} HTTP/1.1\r\nHost: {self._host}:{self._port}\r\n{more}\r\n"
        writer.write(request.encode())
        first = await reader.readline()
        if not first:
            raise ConnectionResetError
        status = int(first.split()[1])
        headers = {}
        while line := (await reader.readline()).strip():
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        return status, headers, reader, writer

    async def get(self, path):
        """The status, the number of bytes, and the seconds until all of it was there."""
        begun = time.monotonic()
        status, headers, reader, writer = await self.open(path, "Connection: close\r\n")
        body = await (reader.readexactly(int(headers["content-length"])) if "content-length" in headers else reader.read())
        took = time.monotonic() - begun
        writer.close()
        return status, len(body), took


class Reads:
    """So many reads a second, of all paths in turn, whether the ones before are answered or not."""

    def __init__(self, address, per_second, paths):
        self._pause, self._paths = 1 / per_second, paths
        self._visitors = [Visitor(address, number) for number in range(-(-per_second // EACH_PER_SECOND))]
        self._under_way = set()
        self.found = {path: {"took": [], "bytes": 0, "statuses": collections.Counter()} for path in paths}

    async def run(self):
        number, begun = 0, time.monotonic()
        while True:
            read = asyncio.create_task(self._one(number))
            self._under_way.add(read)
            read.add_done_callback(self._under_way.discard)
            number += 1
            await asyncio.sleep(max(0, begun + number * self._pause - time.monotonic()))

    async def end(self):
        """What was asked is waited for: a slow answer counts as well."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=LONGEST)
        self.found = {path: one for path, one in self.found.items() if one["took"] or one["statuses"]}

    async def _one(self, number):
        path = self._paths[number % len(self._paths)]
        one = self.found[path]
        try:
            status, one["bytes"], took = await self._visitors[number % len(self._visitors)].get(path)
        except (OSError, EOFError) as error:
            status, took = type(error).__name__, None
        one["statuses"][str(status)] += 1
        if took is not None:
            one["took"].append(took)


class Pages:
    """So many open pages, as the script of the console keeps them up to date."""

    def __init__(self, address, count):
        self._visitors = [Visitor(address, number) for number in range(count)]
        self._loads = set()
        self.found = {"streams": 0, "events": 0, "loads": 0, "took": [], "statuses": collections.Counter()}

    async def run(self):
        await asyncio.gather(*(self._page(visitor, number / len(self._visitors)) for number, visitor in enumerate(self._visitors)))

    async def end(self):
        pass

    async def _page(self, visitor, part):
        # Nobody opens all pages in the same moment.
        await asyncio.sleep(part * 10)
        await self._load(visitor)
        last, is_again = None, False
        while True:
            more = f"Last-Event-ID: {last}\r\n" if last else ""
            try:
                _, _, reader, writer = await visitor.open("/v1/events", f"Accept: text/event-stream\r\n{more}")
                # Once the stream is there again, the script brings the page up to date.
                again = asyncio.create_task(self._load(visitor)) if is_again else None
                is_again = True
                self.found["streams"] += 1
                last = await self._listen(visitor, reader, last)
                writer.close()
                if again:
                    await again
            except (OSError, EOFError):
                pass
            await asyncio.sleep(AGAIN)

    async def _listen(self, visitor, reader, last):
        update = None
        while line := await reader.readline():
            if line.startswith(b"id:"):
                last = line[3:].strip().decode()
            elif line.startswith(b"event:") and line[6:].strip() == b"changed":
                self.found["events"] += 1
                if update:
                    update.cancel()
                update = asyncio.create_task(self._later(visitor))
        return last

    async def _later(self, visitor):
        await asyncio.sleep(PAUSE)
        # What is under way is not given up.
        load = asyncio.create_task(self._load(visitor))
        self._loads.add(load)
        load.add_done_callback(self._loads.discard)

    async def _load(self, visitor):
        try:
            status, _, took = await visitor.get("/")
            self.found["took"].append(took)
        except (OSError, EOFError) as error:
            status = type(error).__name__
        self.found["loads"] += 1
        self.found["statuses"][str(status)] += 1


async def main(words):
    match words:
        case ["reads", address, per_second, *paths]:
            visitors = Reads(address, int(per_second), paths)
        case ["pages", address, count]:
            visitors = Pages(address, int(count))
        case _:
            sys.exit(__doc__)
    running = asyncio.create_task(visitors.run())
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    if running.done():
        running.result()
    running.cancel()
    await visitors.end()
    print(json.dumps(visitors.found))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
