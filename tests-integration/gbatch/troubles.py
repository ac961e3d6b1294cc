"""Trouble of all kinds with the emulated services, as somebody's chance has it."""

from __future__ import annotations

from random import Random

from .batch import BatchEmulator
from .gcsfuse import Gcsfuse
from .storage import StorageEmulator

__all__ = ["Troubles"]

_CODES = "UNAVAILABLE DEADLINE_EXCEEDED RESOURCE_EXHAUSTED INTERNAL".split()
_CALLS = "CreateJob GetJob ListTasks ListJobs CancelJob".split()


class Troubles:
    """What can be made to go wrong once."""

    def __init__(
        self, batch: BatchEmulator, storage: StorageEmulator, mount: Gcsfuse | None = None
    ) -> None:
        self._batch, self._storage, self._mount = batch, storage, mount

    def lose_machine(self, chance: Random) -> None:
        """End the next tasks as the loss of their machines does, before or after they have begun."""
        code = chance.choice([50001, 50002, 50003, 50006])
        after = chance.choice([0.0, 0.05, 0.2, 0.4])
        self._batch.strike_next(chance.randint(1, 3), code, after=after)

    def lose_answer(self, chance: Random) -> None:
        """Have the service do what it is asked for next, and not say so."""
        self._batch.fault("CreateJob|CancelJob", chance.choice(_CODES[:2]), applied=True)

    def fail_call(self, chance: Random) -> None:
        """Have the service refuse the next calls of a method."""
        call, code = chance.choice(_CALLS), chance.choice(_CODES)
        self._batch.fault(call, code, count=chance.randint(1, 3))

    def fail_bucket(self, chance: Random) -> None:
        """Have one of the next requests to the bucket fail."""
        kind = chance.choice(["status", "reset", "lost", "cut"])
        self._storage.fault(kind, skip=chance.randint(0, 10))  # type: ignore[arg-type]  # one of them

    def delay_bucket(self, chance: Random) -> None:
        """Have the bucket show late what tasks write, or at once again."""
        self._storage.delay_files(chance.choice([0.0, 0.2, 1.0]))

    def fail_mount(self, chance: Random) -> None:
        """Have one of the next files that tasks write not reach the bucket."""
        if self._mount is not None:
            error = chance.choice(["EIO", "ESTALE"])
            empty = chance.random() < 0.5
            self._mount.fail_uploads(error, r"job\.|events", empty=empty)
