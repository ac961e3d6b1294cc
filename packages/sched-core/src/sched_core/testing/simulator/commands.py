"""The commands of a simulation whose host is not one's own."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

import anyio

from .driver import SimulatedDriver
from .scenario import Scenario

__all__ = ["LIMITS", "Commands"]

LIMITS = (8.0, 30.0, 60.0)
"""The seconds that attempts of limited jobs have, one after the other."""
_LIMITED_EACH = 5
"""Among how many jobs one is limited."""


class Commands:
    """Commands drawn from the scenario's seed: how long each runs, and what it ends with."""

    def __init__(self, scenario: Scenario) -> None:
        """Draw them."""
        self._dice = Random(f"{scenario.seed}/commands")
        numbers = range(2, scenario.jobs, _LIMITED_EACH) if scenario.limited else ()
        self.limits: Mapping[int, tuple[float, ...]] = dict.fromkeys(numbers, LIMITS)
        self._commands = [self._command(number) for number in range(scenario.jobs)]

    def _command(self, number: int) -> list[str]:
        seconds = self._dice.choice((0.0, 0.1, 1.0, 5.0, 20.0))
        codes = self._dice.choice(("0", "0", "0", "1,0", "1,1,0", "3"))
        if number in self.limits:
            seconds = self._dice.choice((5.0, 20.0, 90.0))
        return [f"job-{number}", f"{seconds:g}", codes]

    async def run(self, driver: SimulatedDriver) -> None:
        """Feed all of them, as a user does who types the same command again."""
        async with driver.runner(error_strategy="retry", num_retries=2) as runner:
            pause = self._dice.choice((0.0, 0.0, 0.5, 3.0))
            for number, command in enumerate(self._commands):
                limits = self.limits.get(number)
                await runner.feed(command, resources={"time": limits} if limits else None)
                if pause:
                    await anyio.sleep(pause)
