from __future__ import annotations

from .contract_rig import BucketContract


class TestGbatch(BucketContract):
    backends = ("asyncio",)
