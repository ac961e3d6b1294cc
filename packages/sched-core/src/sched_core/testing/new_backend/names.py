"""What a new package is called. Pure, but for the look at what is installed."""

from __future__ import annotations

import keyword
import re
from dataclasses import dataclass
from importlib.metadata import entry_points
from importlib.util import find_spec
from typing import Self

from ...errors import OptionError

__all__ = ["Names"]

_SHAPE = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", re.ASCII)
_LONGEST = 24
"""Characters: with more of them, lines of code that hold the name would be too long."""
_OF_SCHED = frozenset("container core gbatch hpc local meta sge slurm ssh".split())
"""What the packages and schedulers of the project are called, installed or not."""


@dataclass(frozen=True, slots=True)
class Names:
    """How a package, and what is in it, is called after its scheduler, such as "my-engine"."""

    scheduler: str
    """What users type after -s."""

    @classmethod
    def check(cls, scheduler: str) -> Self:
        """Return the names that follow from one that is typed. Raises OptionError."""
        names = cls(scheduler)
        for problem in names._problems():
            raise OptionError(f"NAME {scheduler!r}: {problem}")
        return names

    @property
    def package(self) -> str:
        """The package, as pip knows it."""
        return f"sched-{self.scheduler}"

    @property
    def module(self) -> str:
        """What is imported."""
        return self.package.replace("-", "_")

    @property
    def words(self) -> str:
        """What names of classes begin with."""
        return "".join(word.capitalize() for word in self.scheduler.split("-"))

    def apply(self, text: str) -> str:
        """Return text of the template under this name."""
        new = {"sched_template": self.module, "Template": self.words, "template": self.scheduler}
        # All at once: a name may hold the word itself, as in my-template.
        return re.sub("|".join(new), lambda found: new[found[0]], text)

    def _problems(self) -> list[str]:
        name, found = self.scheduler, []
        if not _SHAPE.fullmatch(name) or len(name) > _LONGEST:
            most = f"at most {_LONGEST} lowercase letters, digits and single dashes"
            found.append(f"give {most}, beginning with a letter, as in my-engine")
        elif name.startswith("sched-"):
            found.append(f"leave out sched-, which the package gets by itself: {name[6:]}")
        elif keyword.iskeyword(name) or keyword.issoftkeyword(name):
            found.append("it is a keyword of Python; take another")
        elif name in _OF_SCHED or name in entry_points(group="sched.schedulers").names:
            found.append("sched has a scheduler or package of that name; take another")
        elif find_spec(self.module) is not None:
            found.append(f"a module {self.module} is installed; take another")
        return found
