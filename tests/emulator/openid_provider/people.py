"""Who can log in."""
from dataclasses import dataclass
from typing import Dict, FrozenSet


@dataclass(frozen=True)
class Person:
    subject: str
    name: str
    # What `[[web.access]]` of the demo makes of the group.
    role: str
    may: str

    @property
    def group(self) -> str:
        return f"{self.role}s"

    def claims(self, scopes: FrozenSet[str]) -> Dict[str, object]:
        """What an ID token says of them, by the scopes that were asked for."""
        claims: Dict[str, object] = {"sub": self.subject}
        if "profile" in scopes:
            claims.update(name=self.name, groups=[self.group])
        return claims


VERA = Person("vera", "Vera", "viewer", "reads, and changes nothing")
ANNA = Person("anna", "Anna", "approver", "also approves and rejects")
OLGA = Person("olga", "Olga", "operator", "also orders revocations, and releases them")
PEOPLE = {person.subject: person for person in (VERA, ANNA, OLGA)}
# Who somebody is that has not chosen.
DEFAULT = ANNA
