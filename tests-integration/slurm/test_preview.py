from __future__ import annotations

from ..clusters.preview import Previews


class TestPreviews(Previews):
    """A submission, before and after."""
