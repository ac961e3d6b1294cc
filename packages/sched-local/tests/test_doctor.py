"""What `sched doctor local` tells of this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from sched_local import LocalScheduler


async def findings(folder: Path) -> dict[str, tuple[bool | None, str]]:
    found = await LocalScheduler(folder / "run").doctor()
    return {name: (verdict, detail) for name, verdict, detail in found}


@pytest.mark.anyio
async def test_what_jobs_may_ask_for_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-a,GPU-b")
    found = await findings(tmp_path)
    assert found["cores"][1].endswith(" usable")
    assert "iB to be shared out among jobs that ask for it" in found["memory"][1]
    assert found["graphics cards"] == (True, "GPU-a, GPU-b")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.anyio
async def test_cards_that_are_not_seen_can_be_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    found = await findings(tmp_path)
    assert found["graphics cards"][1].startswith("none are seen; name the cards that it has by")
