"""How the mount behaves: told when it is started, and changed while it runs."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

__all__ = ["Settings", "UploadFault"]


@dataclass(slots=True)
class UploadFault:
    """Has the next `count` uploads of objects whose name matches fail, as the close that does them."""

    error: str = "EIO"
    pattern: str = ""
    count: int = 1
    empty: bool = False
    """Whether an empty object is left behind."""

    def meets(self, name: str) -> bool:
        if self.count and re.search(self.pattern, name):
            self.count -= 1
            return True
        return False


@dataclass(slots=True)
class Settings:
    """All times are in seconds."""

    stat_ttl: float = 0.0
    """For so long what is known of a file is not asked for again."""
    negative_ttl: float = 0.0
    """For so long that there was no file is not, either."""
    list_ttl: float = 0.0
    """For so long a folder's listing is kept."""
    upload_time: float = 0.0
    """What each upload takes, which a close waits for."""
    rename_time: float = 0.0
    """What passes between a rename's copy and its removal of the old object."""
    create_empty: bool = False
    """Whether a file is an empty object as soon as it is opened to be made."""
    implicit_dirs: bool = True
    """Whether a folder is there as soon as an object is in it, also if nobody has made it."""
    file_mode: int = 0o644
    dir_mode: int = 0o755
    uid: int = 0
    gid: int = 0
    faults: list[UploadFault] = field(default_factory=list)

    @classmethod
    def usual(cls) -> Self:
        """Return gcsfuse's own defaults, of what is imitated."""
        return cls(stat_ttl=60.0, negative_ttl=5.0)

    def change(self, values: Mapping[str, Any]) -> None:
        """Take values by name; faults come as mappings."""
        for name, value in values.items():
            if name == "faults":
                value = [UploadFault(**fault) for fault in value]
            setattr(self, name, value)

    def to_json(self) -> str:
        return json.dumps(asdict(self))
