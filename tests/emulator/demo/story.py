"""What the demo prints: numbered steps, short sentences, and checks that end it."""
import os
import re
import shutil
import textwrap
from typing import Iterable, List, Optional, TextIO

WIDEST = 100
# Width of what stands before a program's output.
MARGIN = 5
RESET, BOLD, DIM, RED, GREEN = "\033[0m", "\033[1m", "\033[2m", "\033[31m", "\033[32m"


class Unexpected(Exception):
    """Something did not go as the demo says it goes."""


def columns() -> int:
    """How wide the story is told."""
    return max(60, min(WIDEST, shutil.get_terminal_size((WIDEST, 24)).columns))


class Story:
    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._colour = out.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        self._width = columns()
        self._step = 0
        self._title = "the beginning"

    @property
    def position(self) -> str:
        return f"step {self._step} ({self._title})" if self._step else self._title

    def title(self, text: str) -> None:
        self._line()
        self._line(self._styled(BOLD, text))

    def step(self, title: str) -> None:
        self._step += 1
        self._title = title
        self._line()
        self._line(self._styled(BOLD, f"{self._step}. {title}"))

    def say(self, text: str) -> None:
        self._wrapped(text, "   ")

    def part(self, text: str) -> None:
        """Begins another part of a step."""
        self._line()
        self.say(text)

    def heading(self, text: str) -> None:
        self._line()
        self._line(self._styled(BOLD, text))

    def item(self, text: str) -> None:
        self._wrapped(f"- {text}", "   ", "     ")

    def call(self, name: str, allowed: bool, good: bool, answer: str) -> None:
        """A call and its answer; `good` is whether we like it."""
        verdict = self._styled(GREEN if good else RED, "ALLOWED" if allowed else "DENIED ")
        lines = textwrap.wrap(answer, self._width - 35) or [""]
        self._line(f"   {name:<22} {verdict}  {lines[0]}")
        for line in lines[1:]:
            self._line(" " * 35 + line)

    def command(self, text: str) -> None:
        self._line()
        self._line(self._styled(BOLD, f"   $ {text}"))

    def output(self, text: str) -> None:
        """A program's output as it is, except that long lines are broken."""
        for line in text.rstrip("\n").split("\n"):
            pieces = _broken(line, self._width - MARGIN)
            for piece in pieces:
                self._line(f"   {self._styled(DIM, '|')} {piece}".rstrip())

    def rows(self, rows: Iterable[Iterable[str]]) -> None:
        rows = [list(row) for row in rows]
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
        for row in rows:
            start = "   " + "".join(f"{cell:<{width}}  " for cell, width in zip(row, widths))
            self._wrapped(start + row[-1], "", " " * len(start))

    def plain(self, text: str) -> None:
        """Lines to copy: neither indented nor broken."""
        self._line(text)

    def check(self, holds: bool, claim: str, instead: Optional[str] = None) -> None:
        """Ends the demo if `holds` is false, with what was found instead."""
        if not holds:
            raise Unexpected(f"expected: {claim}" + (f"\nfound:    {instead}" if instead else ""))
        self.ok(claim)

    def ok(self, claim: str) -> None:
        """Says what was found to hold."""
        self._wrapped(f"ok  {claim}", "   ", "       ", mark="ok")

    def failed(self, text: str) -> None:
        self._line()
        self._line(self._styled(RED, f"FAILED in {self.position}"))
        self._line(textwrap.indent(text.rstrip(), "   "))

    def _wrapped(self, text: str, indent: str, hanging: Optional[str] = None, mark: str = "") -> None:
        wrapped = textwrap.fill(
            text,
            self._width,
            initial_indent=indent,
            subsequent_indent=indent if hanging is None else hanging,
            break_long_words=False,
            break_on_hyphens=False,
            replace_whitespace=False,
        )
        if mark:
            wrapped = wrapped.replace(mark, self._styled(GREEN, mark), 1)
        self._line(wrapped)

    def _styled(self, style: str, text: str) -> str:
        return f"{style}{text}{RESET}" if self._colour else text

    def _line(self, text: str = "") -> None:
        print(text, file=self._out, flush=True)


def _broken(line: str, width: int) -> List[str]:
    """The line in pieces, broken at spaces and after commas: policies have no spaces."""
    hanging = " " * (len(line) - len(line.lstrip()) + 4)
    pieces = [""]
    for part in re.split(r"(?<=[ ,])(?=[^ ])", line):
        if len(pieces[-1]) + len(part.rstrip()) > width and pieces[-1].strip():
            pieces.append(hanging)
        pieces[-1] += part
    return pieces
