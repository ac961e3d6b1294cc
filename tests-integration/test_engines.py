from __future__ import annotations

import pytest

from .daemons import EngineMissing, need_programs
from .engines import or_skip


def start() -> None:
    with or_skip():
        need_programs(sh="dash", no_such_program="a-package", nor_this="another")


def test_an_engine_that_is_not_installed_is_skipped_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="apt-get install a-package another"):
        start()


def test_in_ci_it_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(EngineMissing, match="apt-get install a-package another"):
        start()
