"""What a POSIX shell makes of a script of simple commands: words. Everything else of its language is refused."""
import shlex
from typing import Iterator, List, Tuple

OPERATORS = "();<>|&"
PATTERNS = "*?"
SUBSTITUTIONS = "$`"


class Misspelled(Exception):
    """The shell or the AWS CLI would not take it."""


def commands(text: str) -> Iterator[str]:
    """The lines that are commands; one that ends with a backslash goes on in the next."""
    begun = ""
    for line in text.splitlines():
        line = begun + line.strip()
        if begun == "" and line.startswith("#"):
            continue
        if line.endswith("\\"):
            begun = line[:-1]
        elif line:
            begun = ""
            yield line
    if begun:
        yield begun.strip()


def words(line: str) -> List[str]:
    for character, is_quoted in _seen(line):
        if character in SUBSTITUTIONS:
            raise Misspelled(f"{character}: a variable or a substitution, which nothing is here to fill in")
        if character in PATTERNS and not is_quoted:
            raise Misspelled(f"{character}: a pattern without quotes, which a shell may fill in")
        if character in OPERATORS and not is_quoted:
            raise Misspelled(f"{character}: only simple commands are run")
    try:
        return shlex.split(line)
    except ValueError as error:
        raise Misspelled(f"{error}") from None


def _seen(line: str) -> Iterator[Tuple[str, bool]]:
    """The characters in which a shell sees more than themselves, and whether they stand in double quotes."""
    quote, characters = "", iter(line)
    for character in characters:
        if quote == "'":
            quote = "" if character == "'" else quote
        elif character == "\\":
            next(characters, "")
        elif character == quote:
            quote = ""
        elif not quote and character in "'\"":
            quote = character
        else:
            yield character, bool(quote)
