from __future__ import annotations

from ..clusters.chunks import Chunks


class TestChunks(Chunks):
    """Several jobs in one task of the real Grid Engine."""
