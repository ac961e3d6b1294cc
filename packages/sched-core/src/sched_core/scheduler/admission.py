"""What a machine has to give, and what of it is taken: cores, memory and graphics cards."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..errors import OptionError
from ..model.resources import Resources, format_memory

__all__ = ["CARDS", "Admission", "Grant", "Machine"]

CARDS = "CUDA_VISIBLE_DEVICES"


@dataclass(frozen=True, slots=True)
class Machine:
    """What jobs may use of one machine."""

    cpus: float
    memory: int
    gpus: tuple[str, ...]
    name: str = "this machine"
    scheduler: str = "local"
    no_cards: str = ""
    """What to do where it has graphics cards that are not seen."""

    def check(self, wanted: Resources) -> None:
        """Refuse what can never be given. Raises OptionError."""
        if wanted.disk is not None:
            raise OptionError(
                f"the scheduler {self.scheduler} cannot promise disk space: leave disk out"
            )
        for what, have in (
            ("cpus", self.cpus),
            ("memory", self.memory),
            ("gpus", len(self.gpus)),
        ):
            amount = getattr(wanted, what)
            if amount is not None and amount > have:
                raise OptionError(self._refusal(what, amount, have))

    def _refusal(self, what: str, amount: float, have: float) -> str:
        if what == "memory":
            asked, there = format_memory(int(amount)), format_memory(int(have))
        else:
            asked, there = f"{amount:g}", f"{have:g}"
        words = f"a job asks for {what}={asked}; {self.name} has {there}"
        return f"{words}: {self.no_cards}" if what == "gpus" and self.no_cards else words


@dataclass(frozen=True, slots=True)
class Grant:
    """What one job holds."""

    cpus: float = 0
    memory: int = 0
    gpus: tuple[str, ...] | None = None
    """None where the job did not ask: then it sees what the driver sees."""

    def exports(self) -> str:
        """Return what the job's environment must say about it, as a slot takes it."""
        return "" if self.gpus is None else f"{CARDS}={','.join(self.gpus)}"


NOTHING = Grant()


@dataclass(slots=True)
class Admission:
    """Gives out what the machine has; a job that asks for nothing always gets it."""

    machine: Machine
    _cpus: float = 0
    _memory: int = 0
    _gpus: set[str] = field(default_factory=set)

    def admit(self, wanted: Resources) -> Grant | None:
        """Take what the job needs, None while others hold it."""
        if wanted.cpus is None and wanted.memory is None and wanted.gpus is None:
            return NOTHING
        cpus, memory = wanted.cpus or 0, wanted.memory or 0
        free = [card for card in self.machine.gpus if card not in self._gpus]
        if (
            self._cpus + cpus > self.machine.cpus
            or self._memory + memory > self.machine.memory
            or (wanted.gpus or 0) > len(free)
        ):
            return None
        gpus = None if wanted.gpus is None else tuple(free[: wanted.gpus])
        self._cpus += cpus
        self._memory += memory
        self._gpus.update(gpus or ())
        return Grant(cpus, memory, gpus)

    def hold(self, wanted: Resources, cards: str | None) -> Grant:
        """Count what a job of an earlier driver holds, even where that is more than there is.

        `cards` are those that it sees; where nobody can tell, it is all of them.
        """
        gpus = self.machine.gpus if cards is None else tuple(cards.split(","))
        grant = Grant(wanted.cpus or 0, wanted.memory or 0, gpus if wanted.gpus else None)
        self._cpus += grant.cpus
        self._memory += grant.memory
        self._gpus.update(grant.gpus or ())
        return grant

    def give_back(self, grant: Grant) -> None:
        """Let others have what a job held."""
        self._cpus -= grant.cpus
        self._memory -= grant.memory
        self._gpus.difference_update(grant.gpus or ())
