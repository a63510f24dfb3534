"""IAM condition blocks: which operators hold for a request's context."""
import base64
import ipaddress
import re
from datetime import datetime, timezone
from functools import lru_cache
from typing import Callable, Dict, List, Mapping, Pattern

from ..errors import NotEmulated
from ..times import parse_time

# Condition keys are case-insensitive, so contexts are keyed in lower case.
Context = Mapping[str, List[str]]
Test = Callable[[str, str], bool]

VARIABLE = re.compile(r"\$\{([^}]+)\}")
LITERALS = {"*": "*", "?": "?", "$": "$"}


@lru_cache(maxsize=4096)
def _glob(pattern: str, ignore_case: bool) -> Pattern[str]:
    translated = "".join({"*": ".*", "?": "."}.get(char, re.escape(char)) for char in pattern)
    return re.compile(translated, re.DOTALL | (re.IGNORECASE if ignore_case else 0))


def wildcard_match(pattern: str, text: str, ignore_case: bool = False) -> bool:
    """IAM's wildcards: ``*`` any text, ``?`` one character, nothing else special."""
    return _glob(pattern, ignore_case).fullmatch(text) is not None


def as_list(value) -> list:
    return value if isinstance(value, list) else [value]


def as_text(value) -> str:
    """Policies may state booleans and numbers as JSON values: compare as IAM does."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def parse_date(text: str) -> datetime:
    """A date as policies state it: ISO 8601, or seconds since the epoch."""
    if re.fullmatch(r"\d+", text):
        return datetime.fromtimestamp(int(text), timezone.utc)
    return parse_time(text)


def _arn_like(have: str, want: str) -> bool:
    have_parts, want_parts = have.split(":", 5), want.split(":", 5)
    if len(have_parts) != 6 or len(want_parts) != 6:
        return False
    return all(wildcard_match(pattern, part) for part, pattern in zip(have_parts, want_parts))


def _dates(compare: Callable[[datetime, datetime], bool]) -> Test:
    return lambda have, want: compare(parse_date(have), parse_date(want))


def _numbers(compare: Callable[[float, float], bool]) -> Test:
    return lambda have, want: compare(float(have), float(want))


def _in_network(have: str, want: str) -> bool:
    return ipaddress.ip_address(have) in ipaddress.ip_network(want, strict=False)


def _orderings(prefix: str, build: Callable[[Callable], Test]) -> Dict[str, Test]:
    return {
        prefix + "Equals": build(lambda have, want: have == want),
        prefix + "LessThan": build(lambda have, want: have < want),
        prefix + "LessThanEquals": build(lambda have, want: have <= want),
        prefix + "GreaterThan": build(lambda have, want: have > want),
        prefix + "GreaterThanEquals": build(lambda have, want: have >= want),
    }


OPERATORS: Dict[str, Test] = {
    "StringEquals": lambda have, want: have == want,
    "StringEqualsIgnoreCase": lambda have, want: have.lower() == want.lower(),
    "StringLike": lambda have, want: wildcard_match(want, have),
    "ArnEquals": _arn_like,
    "ArnLike": _arn_like,
    "Bool": lambda have, want: have.lower() == want.lower(),
    "IpAddress": _in_network,
    "BinaryEquals": lambda have, want: base64.b64decode(have) == base64.b64decode(want),
    **_orderings("Date", _dates),
    **_orderings("Numeric", _numbers),
}

NEGATIONS: Dict[str, str] = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
    "NotIpAddress": "IpAddress",
    "DateNotEquals": "DateEquals",
    "NumericNotEquals": "NumericEquals",
}


def substitute(text: str, context: Context) -> str:
    """Fills in policy variables; one without a value stays and so matches nothing."""

    def value_of(match) -> str:
        name, _, default = match.group(1).partition(",")
        name = name.strip()
        if name in LITERALS:
            return LITERALS[name]
        values = context.get(name.lower())
        if values:
            return values[0]
        return default.strip().strip("'") if default else match.group(0)

    return VARIABLE.sub(value_of, text) if "${" in text else text


def conditions_hold(block: Mapping, context: Context) -> bool:
    """True when every operator of a Condition block holds."""
    for operator, keys in (block or {}).items():
        for key, wanted in keys.items():
            values = [substitute(as_text(want), context) for want in as_list(wanted)]
            if not _operator_holds(operator, context.get(key.lower()), values):
                return False
    return True


def _operator_holds(operator: str, have, wanted: List[str]) -> bool:
    quantifier, _, name = operator.rpartition(":")
    if name == "Null":
        return (have is None) == (wanted[0].lower() == "true")
    if_exists = name.endswith("IfExists")
    if if_exists:
        name = name[: -len("IfExists")]
    negated = name in NEGATIONS
    test = OPERATORS.get(NEGATIONS.get(name, name))
    if test is None or quantifier not in ("", "ForAnyValue", "ForAllValues"):
        raise NotEmulated(f"the condition operator {operator}")
    if have is None:
        if quantifier == "ForAnyValue":
            return if_exists
        return if_exists or negated or quantifier == "ForAllValues"

    def matches(value: str) -> bool:
        return _any_passes(test, value, wanted) != negated

    if quantifier == "ForAnyValue":
        return any(matches(value) for value in have)
    if quantifier == "ForAllValues" or negated:
        return all(matches(value) for value in have)
    return any(matches(value) for value in have)


def _any_passes(test: Test, have: str, wanted: List[str]) -> bool:
    for want in wanted:
        try:
            if test(have, want):
                return True
        except ValueError:
            # A value of another type (say, a word where a date belongs) never matches.
            continue
    return False


def is_date_operator(operator: str) -> bool:
    return operator.rpartition(":")[2].startswith("Date")
