"""A real Chromium without a window, told what to do by its DevTools protocol over two pipes."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from .program import PATIENCE

__all__ = ["CHROMIUM", "Page", "browser"]

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
_OPTIONS = (
    "--headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run"
    " --disable-background-networking --disable-component-update --disable-extensions"
    " --force-device-scale-factor=1 --hide-scrollbars --remote-debugging-pipe about:blank"
).split()


class Page:
    """One page; remembers what it asked the network for, and what went wrong in it."""

    def __init__(self, write: int, read: int) -> None:
        self.requests: list[str] = []
        self.problems: list[str] = []
        self._write, self._read = write, read
        self._buffer = b""
        self._number = 0
        self._session: str | None = None
        self._loaded = False

    def attach(self) -> None:
        target = self("Target.createTarget", url="about:blank")["targetId"]
        attached = self("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "DOM"):
            self(f"{domain}.enable")

    def __call__(self, method: str, **params: object) -> dict[str, Any]:
        """Call a method of the protocol, and return its result."""
        self._number += 1
        message: dict[str, object] = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                result: dict[str, Any] = answer["result"]
                return result

    def _next(self) -> dict[str, Any]:
        until = time.monotonic() + PATIENCE
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._read], [], [], max(0.0, until - time.monotonic()))
            assert ready, "Chromium does not answer"
            piece = os.read(self._read, 1 << 16)
            assert piece, "Chromium has ended"
            self._buffer += piece
        text, _, self._buffer = self._buffer.partition(b"\0")
        message: dict[str, Any] = json.loads(text)
        self._note(message.get("method"), message.get("params", {}))
        return message

    def _note(self, method: str | None, params: dict[str, Any]) -> None:
        match method:
            case "Page.loadEventFired":
                self._loaded = True
            case "Network.requestWillBeSent":
                self.requests.append(params["request"]["url"])
            case "Runtime.exceptionThrown":
                self.problems.append(str(params["exceptionDetails"]))
            case "Log.entryAdded":
                self.problems.append(str(params["entry"]))
            case "Runtime.consoleAPICalled" if params["type"] in ("error", "warning"):
                self.problems.append(str(params))

    def open(
        self, path: Path, *, width: int = 1280, height: int = 1000, dark: bool = False
    ) -> None:
        """Show a file, and wait until its scripts have run."""
        theme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self("Emulation.setEmulatedMedia", features=[theme])
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self("Emulation.setDeviceMetricsOverride", **size)
        self._loaded = False
        self.requests.clear()
        self("Page.navigate", url=path.absolute().as_uri())
        while not self._loaded:
            self._next()

    def value(self, expression: str) -> Any:
        """What a JavaScript expression is."""
        answer = self("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def text(self, selector: str) -> str:
        """What one reads of an element."""
        return str(self.value(f"document.querySelector({json.dumps(selector)}).innerText"))

    def picture(self, *, whole: bool = False, clip: dict[str, float] | None = None) -> bytes:
        """The page as PNG, as far as it is seen, or all of it."""
        options: dict[str, object] = {"clip": {**clip, "scale": 1}} if clip else {}
        taken = self("Page.captureScreenshot", captureBeyondViewport=whole, **options)
        return base64.b64decode(taken["data"])


@contextmanager
def browser(profile: Path) -> Iterator[Page]:
    """Start a browser of its own, with that folder for its profile, and end it."""
    assert CHROMIUM
    (in_read, in_write), (out_read, out_write) = os.pipe(), os.pipe()
    # It reads from 3 and writes to 4, which are somebody else's here.
    theirs = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (in_read, out_write)]
    for end in (in_read, out_write):
        os.close(end)
    command = f'exec "$@" 3<&{theirs[0]} 4>&{theirs[1]} {theirs[0]}<&- {theirs[1]}>&-'
    process = subprocess.Popen(
        ["bash", "-c", command, "bash", CHROMIUM, f"--user-data-dir={profile}", *_OPTIONS],
        pass_fds=theirs,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    for end in theirs:
        os.close(end)
    try:
        page = Page(in_write, out_read)
        page.attach()
        yield page
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for end in (in_write, out_read):
            os.close(end)
