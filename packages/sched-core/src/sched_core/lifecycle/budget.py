"""Taking one's turn: all drivers of a user on a machine share what an engine can bear."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext, suppress

import anyio

from ..errors import EngineUnavailable
from ..model.rate import Rate
from ..ports import MemoryTokens, Ports, Tokens
from ..text.tokens import Token, choose_token, old_names, pause_after, pauses_in

__all__ = ["Budget"]

_PATIENCE = 5.0
"""Seconds of a pause that a call waits for; after a longer one it is tried again."""
_LONG = 5.0
"""Seconds of waiting for one's turn that are worth a word."""
_REMOVED_AT_ONCE = 64
_STEP = 0.2
"""Seconds after which a patient call looks whether it is still wanted."""


class Budget:
    """The calls that may be made to one endpoint.

    Each call takes a token first. Those that are `patient` (submissions) leave the later half of
    them to those that are not: questions, and kills, for which somebody waits.
    """

    def __init__(
        self,
        ports: Ports,
        endpoint: str,
        rate: Rate,
        warn: Callable[[str], None],
        closing: Callable[[], bool] = lambda: False,
    ) -> None:
        """Share the calls to `endpoint` with whoever names it alike; the first word of it is its kind.

        Once `closing` is true nobody wants the patient calls any more that still wait.
        """
        self.endpoint = endpoint
        self.rate = rate
        self._ports = ports
        self._warn = warn
        self._closing = closing
        self._tokens: Tokens = ports.tokens(endpoint)
        self._series = f"call-{rate.per_second:.6g}-{rate.burst}"
        # One at a time: else a driver with many submissions would be ahead of others.
        self._line = anyio.Lock()
        self._line_of_threads = threading.Lock()
        self._poll: Token | None = None

    async def take(self, *, patient: bool = False) -> None:
        """Wait for the turn of one call. Raises EngineUnavailable where the engine has asked for a long
        pause, or the run ends before the turn of a patient call.
        """
        async with self._line if patient else nullcontext():
            turns = self._turns(patient)
            while (wait := await self._ports.offload(next, turns, None)) is not None:
                await self._ports.sleep(wait)

    def take_blocking(self, *, patient: bool = False) -> None:
        """Do what `take` does, in a worker thread."""
        with self._line_of_threads if patient else nullcontext():
            for wait in self._turns(patient):
                time.sleep(wait)

    def _turns(self, patient: bool) -> Iterator[float]:
        """Say for how many seconds a turn has to be waited for, until one has come. Blocks."""
        kept = self.rate.burst // 2 if patient else 0
        while True:
            self._check_wanted(patient)
            token = self._next_turn(kept)
            now = self._ports.monotonic()
            if token.at <= now < token.until:
                return
            while (left := token.at - self._ports.monotonic()) > 0:
                self._check_wanted(patient)
                yield min(left, _STEP) if patient else left
            if self._holds(token):
                return

    def _check_wanted(self, patient: bool) -> None:
        if patient and self._closing():
            raise EngineUnavailable(f"the run ends before {self._kind} may be called again")

    async def may_poll(self, interval: float) -> bool:
        """Tell whether it is this driver's turn to ask about all of its jobs.

        All drivers together ask once an interval, in turn, so that each asks the more rarely the more
        of them there are. Where False is returned the turn is kept: ask again soon.
        """
        rate = Rate(1 / interval, 2)
        now = self._ports.monotonic()
        if self._poll is None or now >= self._poll.until:
            series = f"poll-{interval:.6g}"
            self._poll = await self._ports.offload(self._reserve, series, rate, 0)
        if self._ports.monotonic() < self._poll.at:
            return False
        self._poll = None
        return True

    async def complain(self, began: float, retry_after: float | None = None) -> None:
        """Note that the engine has too much to do, as it said to a call that began then: all drivers
        pause, and call more rarely for the next minute.
        """
        await self._ports.offload(self.complain_blocking, began, retry_after)

    def complain_blocking(self, began: float, retry_after: float | None = None) -> None:
        """Do what `complain` does, in a worker thread."""
        names, now = self._names(), self._ports.monotonic()
        pause = pause_after(names, now, began, retry_after)
        if pause is not None:
            self._warn(f"{self._kind} has too much to do: all drivers of yours call it more rarely")
            self._try(pause.name)

    async def findings(self) -> list[tuple[str, bool | None, str]]:
        """Return what `doctor` says of the budget."""
        return [("engine_rate", *await self._ports.offload(self.describe))]

    def describe(self) -> tuple[bool | None, str]:
        """Return, for a person, how often the engine is asked at most, and whether that is less now;
        None beside it where it is, or cannot be shared. Blocks.
        """
        names, now = self._names(), self._ports.monotonic()
        text = f"{self.rate}, of all drivers of yours on this machine together"
        if isinstance(self._tokens, MemoryTokens):
            return None, f"{self.rate}, of each driver: their folder cannot be used"
        pauses = pauses_in(names, now)
        if not pauses:
            return True, text
        left, ago = max(0.0, pauses[-1].until - now), max(0.0, now - pauses[-1].since)
        held = f"nobody calls for {left:.0f} s" if left else "they call more rarely"
        return None, f"{text}; it had too much to do {ago:.0f} s ago: {held}"

    # --- tokens ----------------------------------------------------------------------------------

    def _reserve(self, series: str, rate: Rate, kept: int) -> Token:
        """Take the next token. Blocks."""
        missed: list[str] = []  # a listing may be late
        while True:
            names, now = self._names() + missed, self._ports.monotonic()
            if len(names) > rate.burst + _REMOVED_AT_ONCE:
                with suppress(OSError):
                    self._tokens.remove(old_names(names, series, rate, now))
            token = choose_token(names, series, rate, now, kept)
            # The process may have stood still: a token that is old is nobody's, and may be removed.
            if self._try(token.name) and self._ports.monotonic() < token.until:
                return token
            missed.append(token.name)

    def _next_turn(self, kept: int) -> Token:
        """Take the next token for a call, and say where that is far away. Blocks."""
        token = self._reserve(self._series, self.rate, kept)
        if token.at - self._ports.monotonic() > _LONG:
            self._refuse_in_pause()
            self._warn(
                f"calls of {self._kind} wait for their turn, as there are many of them: engine_rate is "
                f"{self.rate}, for all drivers of yours together"
            )
        return token

    def _refuse_in_pause(self) -> None:
        now = self._ports.monotonic()
        pauses = pauses_in(self._names(), now)
        if pauses and (left := pauses[-1].until - now) > _PATIENCE:
            raise EngineUnavailable(
                f"{self._kind} has too much to do, and is left alone for a while", retry_after=left
            )

    def _holds(self, token: Token) -> bool:
        """Tell whether a token that was waited for still counts: no pause has come meanwhile. Blocks."""
        names, now = self._names(), self._ports.monotonic()
        pauses = pauses_in(names, now)
        return now < token.until and not (pauses and token.at < pauses[-1].until)

    # --- the store -------------------------------------------------------------------------------

    def _names(self) -> list[str]:
        try:
            return list(self._tokens.names())
        except OSError as error:
            self._go_alone(error)
            return list(self._tokens.names())

    def _try(self, name: str) -> bool:
        try:
            return self._tokens.take(name)
        except OSError as error:
            self._go_alone(error)
            return self._tokens.take(name)

    def _go_alone(self, error: OSError) -> None:
        """Keep the budget for this process alone: no job may fail for it."""
        self._warn(f"calls of {self._kind} are not shared out with other drivers of yours: {error}")
        self._tokens = MemoryTokens()

    @property
    def _kind(self) -> str:
        return self.endpoint.partition(" ")[0]
