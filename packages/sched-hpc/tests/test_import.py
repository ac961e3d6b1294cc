from __future__ import annotations

import pytest

from sched_core.testing.importing import side_effects


@pytest.mark.witness("slurm", "sge", kind="unit")
def test_t44_an_import_does_nothing_else() -> None:
    assert side_effects("sched_hpc") == []
