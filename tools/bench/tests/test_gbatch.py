from __future__ import annotations

from dataclasses import replace

import pytest

from ..contest import Entry, Sample
from ..gbatch import Rig, _own
from ..sizes import FULL, SMOKE


class Storage:
    url = "http://127.0.0.1:1"

    def requests(self) -> int:
        return 7


class Batch:
    address = "127.0.0.1:1"

    def calls(self) -> dict[str, int]:
        return {"CreateJob": 1}


def test_requests_to_the_bucket_stand_beside_the_calls() -> None:
    rig = Rig(Storage(), Batch())
    assert rig.calls() == {"CreateJob": 1}
    rig.requests = 7
    assert rig.calls() == {"CreateJob": 1, "requests to the bucket": 7}


def test_what_is_promised_of_the_driver_is_judged() -> None:
    ours = Entry("Runner", 1000, samples=[Sample(5.0, 1.5, {"CreateJob": 1})])
    whole, requests, made = _own(ours, [0.4], [0.4], FULL)
    assert whole.value == pytest.approx(1.9)
    assert (whole.verdict, requests.verdict, made.verdict) == ("met", "met", "met")
    twice = replace(ours.samples[0], calls={"CreateJob": 2})
    assert _own(replace(ours, samples=[twice]), [3.0], [1.0], FULL)[2].verdict == "not met"


def test_a_driver_that_failed_is_no_row() -> None:
    assert _own(Entry("Runner", 1000), [], [], SMOKE) == []
