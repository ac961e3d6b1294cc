"""What is said where something is missing."""

from collections.abc import Callable

__all__ = ["message_of"]


def message_of(kind: type[Exception], call: Callable[[], object]) -> str:
    """Return the message of the error that a call has to raise."""
    try:
        call()
    except kind as error:
        return str(error)
    raise AssertionError(f"no {kind.__name__}: nothing is missing")
