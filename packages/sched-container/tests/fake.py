"""A stand-in for Docker's client: a script that keeps what there is in a folder."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

__all__ = ["FakeDocker"]

_SCRIPT = Path(__file__).with_name("fake_docker.sh")


class FakeDocker:
    """A program `docker`, or of that name, in a folder; its daemon can be away."""

    def __init__(self, folder: Path, name: str = "docker") -> None:
        self.program = folder / name
        self._state = folder / f"{name}.d"
        for name in ("images", "registry"):
            (self._state / name).mkdir(parents=True)
        shutil.copy(_SCRIPT, self.program)
        self.program.chmod(0o755)
        self.have("img")
        self.info(MemoryLimit=True, CpuCfsQuota=True, SecurityOptions=["name=seccomp"])

    def have(self, image: str) -> None:
        (self._state / "images" / image).write_text("1")

    def offer(self, image: str) -> None:
        """Have an image in the registry."""
        (self._state / "registry" / image).write_text("1")

    def info(self, **fields: Any) -> None:
        (self._state / "info").write_text(json.dumps(fields))

    def be(self, what: str, *, still: bool = True) -> None:
        """Be "down", or only "down_for_runs", or "deaf" to what containers write, or have the registry
        be "unreached"; or no longer.
        """
        if still:
            (self._state / what).touch()
        else:
            (self._state / what).unlink()

    def calls(self, *words: str) -> list[str]:
        """Return what was asked for with these words first."""
        said = (self._state / "calls").read_text().splitlines()
        return [line for line in said if line.startswith(" ".join(words))]
