"""Which files the secrets of very many jobs get."""

from __future__ import annotations

from pathlib import Path

import pytest

from sched_core import Secret
from sched_core.lifecycle.secrets import Secrets

from ..backend import session_scheduler


class Counted(set[str]):
    """A set that counts how often it is asked."""

    asked = 0

    def __contains__(self, item: object) -> bool:
        Counted.asked += 1
        return super().__contains__(item)


def test_a_value_for_each_of_many_jobs_costs_a_look_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scheduler = session_scheduler()(tmp_path)
    secrets = Secrets(scheduler.session)
    monkeypatch.setattr(secrets, "_taken", Counted())
    names = []
    for index in range(1000):
        job = scheduler.new_job(index, ["true"], {"TOKEN": Secret(f"value {index}")})
        names.append(secrets.settle(job)["TOKEN"])
    assert len(set(names)) == 1000
    assert Counted.asked <= 1000
