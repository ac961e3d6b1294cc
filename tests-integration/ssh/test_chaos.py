"""Every job once, whatever happens to links and drivers."""

from __future__ import annotations

import os
import random
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import pytest

from .helpers import outcome, run_of, shell, until
from .hosts import Host, Lab
from .test_faults import COUNTED, started
from .test_resuming import driver

SHORT = COUNTED + "sleep 0.0$(($$ % 10))"


async def trouble(rng: random.Random, hosts: list[Host], over: anyio.Event) -> None:
    """Cut links and end connections at random."""
    while not over.is_set():
        host = rng.choice(hosts)
        if rng.random() < 0.6:
            with host.cut_off():
                await anyio.sleep(rng.uniform(0.1, 4))
        else:
            await anyio.to_thread.run_sync(partial(host.kill_sshd, listener=False))
        await anyio.sleep(rng.uniform(0.1, 1.5))


def runs(full: bool) -> range:
    return range(20 if full else 1)


@pytest.fixture(params=["shared", "apart"])
def hosts(request: pytest.FixtureRequest, lab: Lab, tmp_path: Path) -> list[Host]:
    """Two hosts, with the driver's disk and with their own."""
    shared: dict[str, Any] = {"shared": [tmp_path], "uid": os.geteuid()}
    options = shared if request.param == "shared" else {}
    return [lab.host(**options, MaxStartups="100") for _ in range(2)]


@pytest.mark.timeout(3600)
async def test_t04_once_each_with_random_cuts(
    hosts: list[Host], tmp_path: Path, full: bool
) -> None:
    count = 300 if full else 100
    for seed in runs(full):
        for host in hosts:
            (host.home / "started").write_text("")
            (host.home / "started").chmod(0o666)
        rng, over = random.Random(seed), anyio.Event()
        async with anyio.create_task_group() as group:
            group.start_soon(trouble, rng, hosts, over)
            async with run_of(tmp_path / f"run{seed}", "h1", "h2", forks=4, patience=300) as runner:
                await runner.feed_all([shell(SHORT)] * count)
                await runner.stop_feeding()
                jobs = runner.jobs
            over.set()
        assert Counter(map(outcome, jobs)) == {("FINISHED", 0, None): count}, f"seed {seed}"
        assert Counter(x for h in hosts for x in started(h)) == {str(n): 1 for n in range(count)}


@pytest.mark.timeout(3600)
async def test_t05_once_each_though_drivers_die(
    hosts: list[Host], tmp_path: Path, full: bool
) -> None:
    count = 300 if full else 60
    for seed in runs(full):
        for host in hosts:
            (host.home / "started").write_text("")
            (host.home / "started").chmod(0o666)
        rng = random.Random(seed)
        workdir = tmp_path / f"run{seed}"
        with driver(workdir, [shell(SHORT)] * count) as process:
            await until(lambda: any(map(started, hosts)))
            await anyio.sleep(rng.uniform(0, 1.5))
            process.kill()
            process.wait()
        async with run_of(workdir, "h1", "h2", forks=4, existing="resume", patience=300) as runner:
            if rng.random() < 0.5:
                await anyio.sleep(rng.uniform(0, 0.5))
            await runner.stop_feeding()
            jobs = runner.jobs
        assert Counter(map(outcome, jobs)) == {("FINISHED", 0, None): count}, f"seed {seed}"
        assert Counter(x for h in hosts for x in started(h)) == {str(n): 1 for n in range(count)}
