"""Things that a test makes by name. No two of one kind have the same, in the whole emulator."""
from typing import Dict, Generic, Iterator, Optional, TypeVar

Thing = TypeVar("Thing")


class Named(Generic[Thing]):
    """`kind` is what one of them is called, `path` where the control interface makes it."""

    def __init__(self, kind: str, path: str) -> None:
        self._kind = kind
        self._path = path
        self._things: Dict[str, Thing] = {}

    def __iter__(self) -> Iterator[Thing]:
        return iter(list(self._things.values()))

    def add(self, name: str, thing: Thing) -> Thing:
        if name in self._things:
            raise ValueError(f"there is a {self._kind} {name} already")
        self._things[name] = thing
        return thing

    def named(self, name: str) -> Thing:
        """For the control interface: ValueError if there is none."""
        if name not in self._things:
            raise ValueError(f"there is no {self._kind} {name}: make it with POST {self._path}")
        return self._things[name]

    def find(self, name: str) -> Optional[Thing]:
        return self._things.get(name)

    def clear(self) -> None:
        self._things.clear()
