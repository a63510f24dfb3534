"""GuardDuty's finding criteria, over findings whose fields may have any type."""
from functools import lru_cache
from typing import Any, Iterable, List, Mapping, Optional

from ...times import parse_time

EQUAL = ("eq", "equals")
NOT_EQUAL = ("neq", "notEquals")
COMPARISONS = {
    "gt": lambda have, want: have > want,
    "greaterThan": lambda have, want: have > want,
    "gte": lambda have, want: have >= want,
    "greaterThanOrEqual": lambda have, want: have >= want,
    "lt": lambda have, want: have < want,
    "lessThan": lambda have, want: have < want,
    "lte": lambda have, want: have <= want,
    "lessThanOrEqual": lambda have, want: have <= want,
}


def attribute(finding: Mapping, dotted: str) -> Any:
    return _at(finding, dotted.split("."))


def _at(finding: Mapping, path: List[str]) -> Any:
    value: Any = finding
    for part in path:
        value = value.get(part) if isinstance(value, dict) else None
    return value


def matching(findings: Iterable[Mapping], criteria: Mapping[str, Mapping]) -> List[Mapping]:
    found = list(findings)
    for name, condition in criteria.items():
        path = name.split(".")
        found = [finding for finding in found if _matches(_at(finding, path), condition)]
    return found


def _matches(value: Any, condition: Mapping) -> bool:
    for name, wanted in condition.items():
        if name in EQUAL:
            if wanted and not _has_one_of(value, wanted):
                return False
        elif name in NOT_EQUAL:
            if wanted and _has_one_of(value, wanted):
                return False
        elif name in COMPARISONS:
            number = as_number(value)
            if number is None or not COMPARISONS[name](number, wanted):
                return False
    return True


def _has_one_of(value: Any, wanted: list) -> bool:
    if isinstance(value, list):
        return any(_text(item) in wanted for item in value)
    return _text(value) in wanted


def as_number(value: Any) -> Optional[float]:
    """A number as such, a time as milliseconds since the epoch, None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return value
    if not isinstance(value, str):
        return None
    return _milliseconds(value)


@lru_cache(maxsize=65536)
def _milliseconds(text: str) -> Optional[float]:
    """Every listing compares and sorts by the same times."""
    try:
        return parse_time(text).timestamp() * 1000
    except ValueError:
        return None


def sort_key(value: Any) -> tuple:
    """Orders values of any type: numbers and times first, then texts, then the rest."""
    number = as_number(value)
    if number is not None:
        return (0, number, "")
    if isinstance(value, str):
        return (1, 0, value)
    return (2, 0, "")


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
