"""Who works in the made-up company: names, departments, titles, and the SCIM documents for them. Pure."""

from dataclasses import dataclass, replace
from random import Random
from typing import Any

from scim_app.directory.kinds import ENTERPRISE

_CORE = "urn:ietf:params:scim:schemas:core:2.0:User"

_GIVEN = [
    "Ada",
    "Ben",
    "Chloé",
    "Dmitri",
    "Elena",
    "Farid",
    "Grace",
    "Hiro",
    "Inés",
    "Jonas",
    "Katarzyna",
    "Liam",
    "Maya",
    "Noah",
    "Olivia",
    "Pedro",
    "Quinn",
    "Rosa",
    "Søren",
    "Tomás",
    "Uma",
    "Viktor",
    "Wen",
    "Ximena",
    "Yusuf",
    "Zoë",
    "Aisha",
    "Bruno",
    "Carmen",
    "David",
    "Esther",
    "Felix",
    "Giulia",
    "Hannah",
    "Ivan",
    "Julia",
    "Kofi",
    "Leila",
    "Marta",
    "Nikhil",
    "Oscar",
    "Priya",
    "Rafael",
    "Sofia",
    "Theo",
    "Ursula",
    "Valentina",
    "Walter",
    "Yara",
    "Zain",
]
_FAMILY = [
    "Almeida",
    "Becker",
    "Costa",
    "Dubois",
    "Eriksen",
    "Fischer",
    "García",
    "Haddad",
    "Ivanova",
    "Jensen",
    "Kowalski",
    "Lindqvist",
    "Moreau",
    "Nakamura",
    "O'Neill",
    "Patel",
    "Quispe",
    "Rossi",
    "Schneider",
    "Tanaka",
    "Ueda",
    "Vargas",
    "Weber",
    "Xu",
    "Yılmaz",
    "Zhang",
    "Andersson",
    "Bianchi",
    "Carter",
    "Díaz",
    "Evans",
    "Ferrari",
    "Gupta",
    "Hughes",
    "Ito",
    "Johnson",
    "Kim",
    "López",
    "Müller",
    "Nguyen",
    "Okafor",
    "Popescu",
    "Reyes",
    "Silva",
    "Taylor",
    "Umar",
    "Virtanen",
    "Williams",
    "Young",
    "Ziegler",
]

DEPARTMENTS = ("Data Platform", "Analytics", "Finance", "Marketing", "Operations", "Security", "Product", "Research")
_TITLES = ("Engineer", "Analyst", "Specialist", "Manager", "Lead")


@dataclass(frozen=True, slots=True)
class Person:
    """A made-up person; `number` is unique in the company and never changes."""

    number: int
    given: str
    family: str
    department: str
    title: str
    contractor: bool

    @property
    def user_name(self) -> str:
        """The sign-in address."""
        plain = f"{self.given}.{self.family}".lower().replace("'", "")
        return f"{plain}.{self.number}@example.com"

    def document(self, **attributes: Any) -> dict[str, Any]:
        """Return the SCIM document that an identity provider pushes for this person."""
        return {
            "schemas": [_CORE, ENTERPRISE],
            "userName": self.user_name,
            "externalId": f"00u{self.number:09d}",
            "active": True,
            "displayName": f"{self.given} {self.family}",
            "name": {"givenName": self.given, "familyName": self.family},
            "emails": [{"value": self.user_name, "primary": True, "type": "work"}],
            "title": self.title,
            "userType": "Contractor" if self.contractor else "Employee",
            ENTERPRISE: {"department": self.department, "employeeNumber": str(self.number)},
            **attributes,
        }

    def moved(self, rng: Random) -> "Person":
        """Return the person in another department."""
        others = [name for name in DEPARTMENTS if name != self.department]
        return replace(self, department=rng.choice(others), title=rng.choice(_TITLES))


def person(number: int, rng: Random) -> Person:
    """Return a new person."""
    given, family = rng.choice(_GIVEN), rng.choice(_FAMILY)
    return Person(number, given, family, rng.choice(DEPARTMENTS), rng.choice(_TITLES), rng.random() < 0.12)
