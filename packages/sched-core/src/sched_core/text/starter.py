"""What scripts have in common that start the wrapper of a job where the engine runs them."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

__all__ = ["starter_text"]


@cache
def starter_text() -> bytes:
    """Return bash functions that hand signals on to a job, and end what it leaves."""
    return files(__package__).joinpath("starter.bash").read_bytes() + b"\n"
