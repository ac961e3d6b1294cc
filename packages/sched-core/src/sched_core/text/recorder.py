"""The recorder that all wrappers of a run share, as a file of its own."""

from __future__ import annotations

from functools import cache
from hashlib import sha256

from .script import recorder_text

__all__ = ["recorder_name"]


@cache
def recorder_name() -> str:
    """Name the recorder's file by its content: a running bash never sees another one."""
    return f"recorder-{sha256(recorder_text()).hexdigest()[:12]}.bash"
