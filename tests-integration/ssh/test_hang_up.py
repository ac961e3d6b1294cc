"""The driver's terminal is gone: jobs on hosts go on."""

from __future__ import annotations

from pathlib import Path

from ..hangups import hang_up_and_attach
from .hosts import Lab


async def test_jobs_on_hosts_go_on(sharing: Lab, tmp_path: Path) -> None:
    await hang_up_and_attach(tmp_path, "-s", "ssh", "-o", "servers=h1,h2")
