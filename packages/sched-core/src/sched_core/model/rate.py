"""How often an engine may be asked, as people write it."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from ..errors import OptionError

__all__ = ["Rate"]

_UNITS = {"s": 1.0, "min": 60.0, "h": 3600.0}
_FORM = re.compile(
    r"(?P<calls>[0-9]{1,9}(?:\.[0-9]{1,9})?)(?:/(?P<unit>s|min|h))?(?::(?P<burst>[0-9]{1,9}))?"
)
_BURST_SECONDS = 5.0
_EXAMPLES = "write for example 5 (calls a second), '30/min', or '5/s:20' (20 of them at once)"


@dataclass(frozen=True, slots=True)
class Rate:
    """Calls a second in the long run, and how many at once after a rest."""

    per_second: float
    burst: int

    @classmethod
    def from_value(cls, value: object, name: str = "engine_rate") -> Rate:
        """Read a number of calls a second, or a text such as "30/min" or "5/s:20".

        Where the burst is not given, it is what comes in five seconds, at least 1. Raises
        OptionError, which calls the value `name`.
        """
        known = isinstance(value, int | float | str) and not isinstance(value, bool)
        match = _FORM.fullmatch(str(value).strip()) if known else None
        if match is None:
            raise OptionError(f"{name} {value!r} is no rate; {_EXAMPLES}")
        per_second = float(match["calls"]) / _UNITS[match["unit"] or "s"]
        usual = max(1, math.ceil(per_second * _BURST_SECONDS))
        burst = usual if match["burst"] is None else int(match["burst"])
        if per_second <= 0 or burst < 1:
            raise OptionError(f"{name} {value!r} must be above 0; {_EXAMPLES}")
        return cls(per_second, burst)

    def __str__(self) -> str:
        for unit, seconds in _UNITS.items():
            number = self.per_second * seconds
            if abs(number - round(number)) < 1e-9 * number:
                return f"{round(number)}/{unit}:{self.burst}"
        return f"{self.per_second:.9f}/s:{self.burst}"
