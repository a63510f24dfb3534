"""Every command of rescind's in the documentation is one that the binary knows, with the options that it has.

The quick start is done command by command (test_quick_start.py). Other pages show commands for accounts, ids and
times that nobody has; of those each subcommand and option is looked for in `--help`.
"""
import functools
import os
import re
import shlex
import subprocess
import unittest
from pathlib import Path
from typing import Iterator, List, Optional, Set, Tuple

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug" / "rescind"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md"))]
# Whose options these would be, before ours.
BEFORE = re.compile(r"(?:^|[;&|(]\s*|\$\s+|sudo (?:-u rescind )?|--uid=rescind .*? )rescind(?= )")
FENCE = re.compile(r"^\s*```(\w*)")
# A detail type of EventBridge's.
NO_COMMANDS = {"revoked"}
INLINE = re.compile(r"`(rescind [^`\n]+)`")


@functools.lru_cache(maxsize=None)
def help_of(words: Tuple[str, ...]) -> Tuple[Set[str], Set[str]]:
    """The subcommands and the options of a command."""
    help_text = subprocess.run([BINARY, *words, "--help"], capture_output=True, text=True, check=True).stdout
    commands = re.search(r"^Commands:\n(.*?)(?:\n\n\S|\Z)", help_text, re.M | re.S)
    names = re.findall(r"^  ([a-z][\w-]*)", commands[1], re.M) if commands else []
    options = re.findall(r"^\s+(?:(-\w), )?(--[\w-]+)", help_text, re.M)
    return set(names), {one for pair in options for one in pair if one} | {"-h", "--help", "-V", "--version"}


def blocks(text: str) -> Iterator[List[str]]:
    """The lines of each block of commands: where some have a prompt, the others are output."""
    block: Optional[List[str]] = None
    for line in re.sub(r"\\\n\s*", " ", text).splitlines():
        fence = FENCE.match(line)
        if fence and block is None:
            language, block = fence[1], []
        elif fence:
            prompts = [one for one in block if one.lstrip().startswith("$ ")]
            if language in ("", "console", "sh", "bash"):
                yield prompts or block
            block = None
        elif block is not None:
            block.append(line)


def commands() -> Iterator[Tuple[str, str]]:
    for page in PAGES:
        text = page.read_text()
        where = str(page.relative_to(ROOT))
        for block in blocks(text):
            for line in block:
                for found in BEFORE.finditer(line):
                    yield where, line[found.end():].strip()
        for found in INLINE.findall(text):
            if found[len("rescind "):] not in NO_COMMANDS:
                yield where, found[len("rescind "):]


def words(command: str) -> List[str]:
    # A table writes alternatives as `one\\|other`: the first one is looked at.
    command = re.split(r"\s#\s|\s#$|\\\\?\||[;&|)>`]", command)[0]
    try:
        return shlex.split(command)
    except ValueError:
        return command.split()


def wrong(command: str) -> Optional[str]:
    """What the binary would not take of it."""
    path: Tuple[str, ...] = ()
    rest = words(command)
    # Options that stand before the command are those of all commands.
    while rest and rest[0].startswith("-"):
        if rest[0] not in help_of(())[1]:
            return f"there is no option {rest[0]}"
        rest = rest[2:] if rest[0] in ("-c", "--config", "-o", "--output", "--log", "--log-format") else rest[1:]
    # "rescind …" stands for any command.
    while rest and help_of(path)[0] and not rest[0].startswith(("-", "…")):
        if rest[0] not in help_of(path)[0]:
            return f"there is no command {' '.join([*path, rest[0]])}"
        path, rest = (*path, rest[0]), rest[1:]
    for word in rest:
        option = word.split("=")[0]
        if re.fullmatch(r"-[a-zA-Z]|--[\w-]+", option) and option not in help_of(path)[1]:
            return f"{' '.join(path)} has no option {option}"
    return None


class Commands(unittest.TestCase):
    def test_the_binary_knows_them(self) -> None:
        found = list(commands())
        self.assertGreater(len(found), 150, "they are not found any more")
        faults = [f"{where}: rescind {command}: {why}" for where, command in found if (why := wrong(command))]
        self.assertEqual([], faults, "\n" + "\n".join(faults))

    def test_what_it_does_not_know_is_named(self) -> None:
        self.assertEqual(wrong("release r-1 --by me --nonsense x"), "release has no option --nonsense")
        self.assertEqual(wrong("ledger verfy"), "there is no command ledger verfy")
        self.assertIsNone(wrong("--config x.toml approve ID --by NAME --reason TEXT   # then"))


if __name__ == "__main__":
    unittest.main()
