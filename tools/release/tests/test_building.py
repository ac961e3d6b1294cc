from __future__ import annotations

import pytest

from ..building import for_index

README = """\
See [how it works](../../docs/how.md#life), [itself](README.md), [elsewhere](https://example.org/x)
and [below](#below).

```md
[not a link](../x.md)
```

<picture>
<source media="(dark)" srcset="../../docs/dark.svg">
<img src="../../docs/top.svg" alt="the screen">
</picture>
"""


def test_links_of_a_readme_lead_to_the_commit_that_was_released() -> None:
    seen = for_index(README, "packages/sched-x", "https://host/owner/name/{view}/c0ffee")
    assert (
        seen
        == """\
See [how it works](https://host/owner/name/blob/c0ffee/docs/how.md#life), \
[itself](https://host/owner/name/blob/c0ffee/packages/sched-x/README.md), [elsewhere](https://example.org/x)
and [below](#below).

```md
[not a link](../x.md)
```

<picture>
<source media="(dark)" srcset="https://host/owner/name/raw/c0ffee/docs/dark.svg">
<img src="https://host/owner/name/raw/c0ffee/docs/top.svg" alt="the screen">
</picture>
"""
    )


def test_a_readme_from_nowhere_has_no_links_that_break() -> None:
    seen = for_index(README, "packages/sched-x", None)
    assert seen.startswith("See how it works, itself, [elsewhere](https://example.org/x)\n")
    assert "[not a link](../x.md)" in seen
    assert "docs/" not in seen


@pytest.mark.parametrize("address", [None, "https://host/{view}/c0ffee"])
def test_what_holds_anywhere_stays(address: str | None) -> None:
    assert for_index("A [b](#c) `d`.\n", "packages/x", address) == "A [b](#c) `d`.\n"
