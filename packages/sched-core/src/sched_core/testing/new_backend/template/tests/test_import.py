"""A pipeline that imports the package gets names, and nothing else."""

from __future__ import annotations

from sched_core.testing.importing import side_effects


def test_an_import_does_nothing_else() -> None:
    assert side_effects("sched_template") == []
