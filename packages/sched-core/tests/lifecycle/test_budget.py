"""The budget of calls: what many drivers do at once, dying and standing still wherever they are."""

from __future__ import annotations

import os
import random
import re
from collections.abc import Callable, Collection, Coroutine, Generator, Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import coroutine
from typing import Any, TypeVar, TypeVarTuple

import anyio
import anyio.to_thread
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sched_core import EngineUnavailable, OptionError
from sched_core.lifecycle.budget import Budget
from sched_core.model.rate import Rate
from sched_core.ports import MemoryTokens, SystemPorts, Tokens
from sched_core.ports.tokens import FolderTokens, tokens_folder

from ..backend import session_scheduler

PATIENCE = 100.0

T = TypeVar("T")
Args = TypeVarTuple("Args")

# --- any interleaving --------------------------------------------------------------------------------


class Broken(BaseException):
    """A driver was killed."""


@dataclass
class World:
    """A machine on which drivers take turns; `dice` decide what happens between any two steps."""

    dice: random.Random
    rate: Rate
    tokens: Tokens = field(default_factory=MemoryTokens)
    now: float = 1000.0
    calls: list[float] = field(default_factory=list)
    drivers: list[Driver] = field(default_factory=list)
    depth: int = 0

    def between(self) -> None:
        """Let others do something, or time pass, while a driver stands still in the middle of a step."""
        if self.depth >= 3:
            return
        self.depth += 1
        while self.dice.random() < 0.4:
            if self.dice.random() < 0.3:
                self.now += self.dice.choice([0.01, 0.3, 3.0, 100.0])
            else:
                self.dice.choice(self.drivers).step()
        self.depth -= 1


class Watched:
    """The tokens, as one driver sees them."""

    def __init__(self, world: World, driver: Driver) -> None:
        self._world, self._driver = world, driver

    def _stop(self) -> None:
        self._world.between()
        if self._driver.dead:
            raise Broken

    def names(self) -> Collection[str]:
        self._stop()
        found = list(self._world.tokens.names())
        self._stop()
        return found

    def take(self, name: str) -> bool:
        taken = self._world.tokens.take(name)
        self._stop()
        return taken

    def remove(self, names: Iterable[str]) -> None:
        for name in names:
            self._stop()
            self._world.tokens.remove([name])


@coroutine
def moment(wake_at: float) -> Generator[float, None, None]:
    yield wake_at


class Driver(SystemPorts):
    """The ports of one driver, and the driver, which calls the engine again and again."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world
        self.dead = self.busy = False
        self.wake_at = 0.0
        self.calls = 0
        self.budget = Budget(self, "engine", world.rate, lambda _: None)
        self._work: Coroutine[Any, Any, None] = self._call_often()

    def tokens(self, endpoint: str) -> Tokens:
        return Watched(self.world, self)

    def monotonic(self) -> float:
        return self.world.now

    async def sleep(self, seconds: float) -> None:
        await moment(self.world.now + seconds)

    async def offload(self, function: Callable[[*Args], T], *args: *Args) -> T:
        await moment(self.world.now)
        return function(*args)

    async def _call_often(self) -> None:
        while True:
            try:
                await self.budget.take()
            except EngineUnavailable as error:
                await self.sleep(error.retry_after or 0)
                continue
            self.world.calls.append(self.world.now)
            self.calls += 1
            if self.world.dice.random() < 0.02:
                await self.budget.complain(self.world.now)

    def step(self) -> None:
        """Go on until the next time that it waits for something; where it is in a step, not at all."""
        if self.dead or self.busy or self.world.now < self.wake_at:
            return
        self.busy = True
        try:
            self.wake_at = self._work.send(None)
        except Broken:
            self.dead = True
        self.busy = False

    def kill(self) -> None:
        """Die, at once or in the middle of a step."""
        self.dead = True
        if not self.busy:
            self._work.close()


def check_budget(world: World) -> None:
    """In no span of time are there more calls than the burst and the rate allow."""
    calls, rate = sorted(world.calls), world.rate
    for first, since in enumerate(calls):
        for count, until in enumerate(calls[first:], 1):
            # What was allowed may be used within a second.
            burst = max(rate.burst, rate.per_second)
            assert count <= burst + 1 + rate.per_second * (until - since) + 1e-6


@settings(deadline=None)
@given(
    st.integers(0, 2**32),
    st.sampled_from([Rate(10, 50), Rate(10, 5), Rate(0.5, 1), Rate(3, 2), Rate(100, 1)]),
    st.integers(1, 8),
)
def test_no_interleaving_exceeds_the_budget_or_stalls(seed: int, rate: Rate, count: int) -> None:
    world = World(random.Random(seed), rate)
    world.drivers = [Driver(world) for _ in range(count)]
    for _ in range(120):
        driver = world.dice.choice(world.drivers)
        if world.dice.random() < 0.02:
            driver.kill()
        driver.step()
        if world.dice.random() < 0.3:
            world.now += world.dice.random() * 3 / rate.per_second
    check_budget(world)
    # Whoever lives is served, whatever the others have left.
    for driver in [d for d in world.drivers if not d.dead]:
        served, patience = driver.calls, 400.0
        while driver.calls == served and not driver.dead:
            driver.step()
            world.now += 0.05 / rate.per_second
            patience -= 0.05 / rate.per_second
            assert patience > 0
    check_budget(world)
    for driver in world.drivers:
        driver.kill()


# --- the folder --------------------------------------------------------------------------------------


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


def folder(endpoint: str = "slurm /etc/slurm.conf") -> str:
    return tokens_folder(endpoint, SystemPorts().identity)


def test_a_token_is_taken_once(cache: Path) -> None:
    first, second = FolderTokens(folder()), FolderTokens(folder())
    assert first.take("call.1")
    assert not second.take("call.1")
    assert list(second.names()) == ["call.1"]
    second.remove(["call.1", "call.2"])
    assert first.names() == []


def test_only_the_user_reaches_the_folder_whatever_the_umask(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home/cache"))
    before = os.umask(0)
    try:
        FolderTokens(folder()).take("call.1")
    finally:
        os.umask(before)
    for path in [Path(folder()), *Path(folder()).parents]:
        if path == tmp_path:
            break
        assert path.stat().st_mode & 0o777 == 0o700
    assert Path(folder(), "call.1").stat().st_mode & 0o777 == 0o600


def test_each_endpoint_machine_and_boot_has_its_own(cache: Path) -> None:
    identity = SystemPorts().identity
    names = {folder(), folder("slurm /other"), folder("sge /etc/slurm.conf")}
    assert len(names) == 3
    assert identity.boot_id in folder()
    assert identity.host in folder()


def test_what_was_removed_is_made_again(cache: Path) -> None:
    tokens = FolderTokens(folder())
    tokens.take("call.1")
    os.unlink(f"{folder()}/call.1")
    os.rmdir(folder())
    assert tokens.names() == ()
    assert tokens.take("call.1")


def test_what_nobody_has_used_for_long_is_tidied_up(cache: Path) -> None:
    FolderTokens(folder()).take("call.1")
    boot = Path(folder()).parent
    host = boot.name.rpartition(".")[0]
    left = [Path(folder()), boot.with_name(f"{host}.other-boot"), boot.with_name("elsewhere.boot")]
    for path in left:
        path.mkdir(exist_ok=True)
        os.utime(path, (1, 1))
    FolderTokens(folder("slurm /other")).names()
    assert [path.exists() for path in left] == [False, False, True]


@pytest.mark.parametrize("what", ["readable", "link", "file"])
async def test_a_folder_that_others_reach_is_not_used(cache: Path, what: str) -> None:
    rates = cache / "sched" / "rates"
    rates.parent.mkdir()
    if what == "readable":
        rates.mkdir(mode=0o755)
    elif what == "link":
        (cache / "elsewhere").mkdir(mode=0o700)
        rates.symlink_to(cache / "elsewhere")
    else:
        rates.write_text("")
    said: list[str] = []
    budget = Budget(SystemPorts(), "slurm x", Rate(10, 2), said.append)
    for _ in range(3):
        await budget.take()
    (text,) = said
    assert text.startswith("calls of slurm are not shared out with other drivers of yours: ")
    assert budget.describe() == (None, "10/s:2, of each driver: their folder cannot be used")
    assert not (cache / "elsewhere").exists() or not list((cache / "elsewhere").iterdir())


async def test_somebody_else_s_cache_gets_nothing_of_ours(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 12345)
    said: list[str] = []
    await Budget(SystemPorts(), "slurm x", Rate(10, 2), said.append).take()
    (text,) = said
    assert text.endswith(f"drivers of yours: {cache} belongs to somebody else")
    assert list(cache.iterdir()) == []


async def test_without_a_home_a_driver_has_its_own_budget(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "~")  # what a user without HOME and account is told
    said: list[str] = []
    with anyio.fail_after(60):
        await Budget(SystemPorts(), "slurm x", Rate(10, 2), said.append).take()
    (text,) = said
    assert text.endswith("there is no home; set XDG_CACHE_HOME to a folder of yours")


# --- one driver and another --------------------------------------------------------------------------


async def test_drivers_pause_together(cache: Path) -> None:
    said: list[str] = []
    ports = SystemPorts()
    mine, other = (Budget(ports, "slurm x", Rate(10, 50), said.append) for _ in range(2))
    await mine.complain(ports.monotonic(), retry_after=60.0)
    assert said == ["slurm has too much to do: all drivers of yours call it more rarely"]
    with pytest.raises(EngineUnavailable, match="left alone for a while") as caught:
        await other.take()
    assert caught.value.retry_after is not None
    assert 5 < caught.value.retry_after < 60.01  # whole milliseconds
    verdict, text = other.describe()
    assert verdict is None
    assert re.search(r"it had too much to do \d+ s ago: nobody calls for \d+ s", text)


async def test_drivers_poll_in_turn(cache: Path) -> None:
    class Ports(SystemPorts):
        moment = 1000.0

        def monotonic(self) -> float:
            return self.moment

    ports = Ports()
    drivers = [Budget(ports, "slurm x", Rate(10, 50), print) for _ in range(8)]
    polls = [0] * 8
    for step in range(400):
        ports.moment = 1000.0 + step / 4
        for number, driver in enumerate(drivers):
            polls[number] += await driver.may_poll(2.0)
    assert sum(polls) <= 100 / 2 + 2
    assert min(polls) >= max(polls) - 1 >= 5


def test_drivers_get_the_same_share_however_many_calls_each_has() -> None:
    world = World(random.Random(1), Rate(10, 50))
    world.dice.random = lambda: 1.0  # type: ignore[method-assign]  # nothing happens in between
    world.drivers = [Driver(world) for _ in range(8)]
    for _ in range(4000):
        for driver in world.drivers:
            driver.step()
        world.now += 0.01
    check_budget(world)
    shares = [driver.calls for driver in world.drivers]
    assert sum(shares) >= 40 * 10
    assert max(shares) - min(shares) <= 1


class Late(MemoryTokens):
    """As a network's disk may be: it does not list what it has."""

    def names(self) -> Collection[str]:
        return []


async def test_a_listing_that_is_late_costs_no_call_and_no_time() -> None:
    tokens = Late()

    class Ports(SystemPorts):
        def tokens(self, endpoint: str) -> Tokens:
            return tokens

    drivers = [Budget(Ports(), "slurm x", Rate(0.01, 8), print) for _ in range(4)]
    with anyio.fail_after(60):
        for driver in drivers * 2:
            await driver.take()
    assert len(list(MemoryTokens.names(tokens))) == 8


@pytest.mark.parametrize("in_thread", [False, True])
async def test_what_waits_for_its_turn_does_not_keep_a_run_from_ending(
    cache: Path, in_thread: bool
) -> None:
    ending = anyio.Event()
    budget = Budget(SystemPorts(), "slurm x", Rate(0.001, 1), print, ending.is_set)
    refused: list[str] = []

    async def submit() -> None:
        try:
            await (anyio.to_thread.run_sync(blocking) if in_thread else budget.take(patient=True))
        except EngineUnavailable as error:
            refused.append(str(error))

    blocking = partial(budget.take_blocking, patient=True)
    await budget.take()
    with anyio.fail_after(PATIENCE):  # a turn comes after a quarter of an hour
        async with anyio.create_task_group() as group:
            group.start_soon(submit)
            group.start_soon(submit)
            ending.set()
    assert refused == ["the run ends before slurm may be called again"] * 2


async def test_any_backend_s_calls_can_be_limited(cache: Path, tmp_path: Path) -> None:
    class Shared(session_scheduler()):  # type: ignore[misc]  # the README's, known at run time
        usual_rate = "2/s"

        def endpoint(self) -> str:
            return "engine there"

    workdir = tmp_path / "run"
    scheduler = Shared(workdir, engine_rate="3/s:4")
    budget = scheduler.session.budget
    assert budget is not None
    assert budget.rate == Rate(3, 4)
    assert Shared(workdir, **scheduler.options()).engine_rate == budget.rate
    assert Shared(workdir).engine_rate == Rate(2, 10)
    with pytest.raises(OptionError, match="no option engine_rate"):
        session_scheduler()(workdir, engine_rate=1)
