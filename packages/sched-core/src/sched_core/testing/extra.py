"""What `pip install sched-core` leaves out, since only tests need it."""

from __future__ import annotations

from importlib import import_module

__all__ = ["require"]


def require(module: str) -> None:
    """Import a module that `sched-core[testing]` brings. Raises ImportError, which names that."""
    try:
        import_module(module)
    except ModuleNotFoundError as error:
        raise ImportError(
            f"sched_core.testing needs {module} here: pip install 'sched-core[testing]'"
        ) from error
