"""The recorder that all wrappers of a run share, as a file of its own."""

from __future__ import annotations

from functools import cache
from hashlib import sha256

from .script import recorder_text

__all__ = ["NOT_OURS", "NOT_SET_UP", "recorder_name"]

NOT_OURS = 121
"""Exit status of a wrapper whose attempt somebody else has claimed."""
NOT_SET_UP = 122
"""Exit status of a wrapper that could not set its job up, or not record it."""


@cache
def recorder_name() -> str:
    """Name the recorder's file by its content: a running bash never sees another one."""
    return f"recorder-{sha256(recorder_text()).hexdigest()[:12]}.bash"
