"""Container engines: daemons, clients, recorders and containers die."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from ..faults import Fault, NotNow
from ..plan import Size
from ..processes import end_all, name_of, with_words
from ..rig import CannotStart, Rig, Start, claims_of
from .engines import engine_class, started
from .local import is_alive, kill_recorder

__all__ = ["apptainer", "docker", "podman"]


def _of(kind: str) -> Start:
    @contextmanager
    def start(root: Path) -> Iterator[Rig]:
        tree, marks = root / "image", root / "marks"
        for folder in (root / "containers", marks):
            folder.mkdir()
        try:
            engine_class("containers.image:make_tree")(tree)
        except engine_class("daemons:EngineMissing") as error:
            raise CannotStart(str(error)) from None
        make = partial(engine_class(f"containers.machines:{kind}"), root / "containers", tree)
        with started(make) as engine:
            yield Rig(
                "container",
                Size(100, 4, 40.0),
                {**os.environ, **engine.env},
                options={**engine.options, "volumes": [f"{marks}:{marks}"]},
                faults=partial(_faults, engine, root),
                left=lambda run: [f"container {one}" for one in engine.left()],
                elsewhere=False,
            )

    return start


def _faults(engine: Any, root: Path, run: Path) -> Mapping[str, Fault]:
    found = {
        "recorder killed": Fault(partial(kill_recorder, run), loses=True),
        "client killed": Fault(partial(_kill_client, run), loses=True),
    }
    if engine.name != "apptainer":
        found["container killed"] = Fault(partial(_kill_container, engine), loses=True)
    if engine.name == "podman":
        found["conmon killed"] = Fault(partial(_kill_watcher, root), loses=True)
    if engine.name == "docker":
        found["dockerd killed"] = Fault(partial(_kill_daemon, engine), (0.2, 5.0), loses=True)
    return found


def _kill_client(run: Path, chance: Random) -> None:
    claims = [claim for *_, claim in claims_of(run) if claim.rc is None]
    if not (living := [c for c in claims if is_alive(c.leader, c.leader_start)]):
        raise NotNow
    with contextlib.suppress(ProcessLookupError):
        os.kill(chance.choice(living).leader or 0, signal.SIGKILL)


def _kill_container(engine: Any, chance: Random) -> None:
    if not (running := engine.run("ps", "-q").split()):
        raise NotNow
    engine.run("kill", chance.choice(running))


def _kill_watcher(root: Path, chance: Random) -> None:
    """Kill what keeps a container."""
    watchers = [one for one in with_words(f"{root}/") if name_of(one.pid) == "conmon"]
    if not watchers:
        raise NotNow
    end_all([chance.choice(watchers)])


def _kill_daemon(engine: Any, chance: Random) -> Callable[[], None]:
    engine.daemon.kill()
    restart: Callable[[], None] = engine.restart
    return restart


docker, podman, apptainer = _of("Docker"), _of("Podman"), _of("Apptainer")
