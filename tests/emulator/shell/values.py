"""What the words behind an option stand for, by the model of its parameter."""
import base64
import binascii
import json
from pathlib import Path
from typing import List

from .line import Misspelled

NUMBERS = {"integer": int, "long": int, "float": float, "double": float}


def value_of(shape, words: List[str]) -> object:
    """A list takes any number of words, or one that is JSON; everything else takes one."""
    if shape.type_name == "list" and not (len(words) == 1 and words[0].lstrip().startswith("[")):
        if not words:
            raise Misspelled("expected at least one argument")
        return [_single(shape.member, word) for word in words]
    if len(words) != 1:
        raise Misspelled(f"expected one argument, not {len(words)}")
    return _single(shape, words[0])


def _single(shape, word: str) -> object:
    kind = shape.type_name
    if kind == "blob" and word.startswith("fileb://"):
        return _file(word[len("fileb://") :]).read_bytes()
    if word.startswith("file://"):
        word = _file(word[len("file://") :]).read_text(encoding="utf-8")
    if kind in ("structure", "map", "list"):
        return _nested(shape, word)
    if kind in NUMBERS:
        try:
            return NUMBERS[kind](word)
        except ValueError:
            raise Misspelled(f"{word} is no number") from None
    if kind == "boolean":
        return _boolean(word)
    if kind == "blob":
        try:
            return base64.b64decode(word, validate=True)
        except binascii.Error:
            raise Misspelled("a blob is base64") from None
    return word


def _nested(shape, word: str) -> object:
    """JSON, or for a structure without structures in it the CLI's own ``Key=a,Value=b``."""
    if word.lstrip().startswith(("{", "[")):
        try:
            return _typed(shape, json.loads(word))
        except ValueError:
            raise Misspelled(f"invalid JSON: {word}") from None
    if shape.type_name == "list":
        return [_single(shape.member, word)]
    fields: dict = {}
    name = ""
    for part in word.split(","):
        key, is_pair, value = part.partition("=")
        if is_pair:
            name = key
            fields[name] = [value]
        elif name:
            fields[name].append(part)
        else:
            raise Misspelled(f"neither JSON nor Key=Value: {word}")
    return {name: _field(shape, name, values) for name, values in fields.items()}


def _field(shape, name: str, values: List[str]) -> object:
    if shape.type_name == "map":
        return value_of(shape.value, values)
    if name not in shape.members:
        raise Misspelled(f"unknown parameter: {name}, it is one of {', '.join(shape.members)}")
    return value_of(shape.members[name], values)


def _typed(shape, value: object) -> object:
    """Blobs in JSON are base64. Whatever does not fit the model is refused by botocore."""
    if shape.type_name == "structure" and isinstance(value, dict):
        members = shape.members
        return {name: _typed(members[name], one) if name in members else one for name, one in value.items()}
    if shape.type_name == "map" and isinstance(value, dict):
        return {name: _typed(shape.value, one) for name, one in value.items()}
    if shape.type_name == "list" and isinstance(value, list):
        return [_typed(shape.member, one) for one in value]
    return _single(shape, value) if shape.type_name == "blob" and isinstance(value, str) else value


def _boolean(word: str) -> bool:
    if word.lower() not in ("true", "false"):
        raise Misspelled(f"{word} is neither true nor false")
    return word.lower() == "true"


def _file(path: str) -> Path:
    if not Path(path).is_file():
        raise Misspelled(f"unable to load {path}")
    return Path(path)
