from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sched_core.text.claim import (
    Claim,
    claim_name,
    parse_claim,
    parse_claim_name,
    render_fence,
)

HEAD = b"4711_3 1 node7 1d7a-boot 4700 123456 1795352061.524429\n"
BODY = (
    b"0m0.001s 0m0.002s\n0m1.000s 0m0.500s\n"
    b"P 4712 123457\nX\nT\n"
    b"0m0.009s 0m0.009s\n1m2.250s 0m0.750s\n"
    b"G TERM\nE 143 TIMEOUT 1795352071.5\n"
)


def test_a_whole_claim_is_read() -> None:
    assert parse_claim(HEAD + BODY) == Claim(
        jid="4711_3",
        restart=1,
        host="node7",
        boot_id="1d7a-boot",
        pid=4700,
        start=123456,
        claimed=1795352061.524429,
        leader=4712,
        leader_start=123457,
        set_up=True,
        timed_out=True,
        signal="TERM",
        rc=143,
        failure="TIMEOUT",
        ended=1795352071.5,
        user_cpu=61.25,
        system_cpu=0.25,
    )


def test_a_success_has_no_class_of_failure() -> None:
    claim = parse_claim(HEAD + b"P 4712 123457\nE 0 - 1795352071.5\n")
    assert (claim.rc, claim.failure, claim.user_cpu) == (0, None, None)


def test_a_comma_is_a_point_where_the_locale_says_so() -> None:
    claim = parse_claim(HEAD + BODY.replace(b".", b",").replace(b"071,5", b"071.5"))
    assert (claim.user_cpu, claim.system_cpu) == (61.25, 0.25)


@given(st.integers(0, len(HEAD + BODY)))
def test_every_line_cut_short_says_nothing(length: int) -> None:
    whole = HEAD + BODY
    cut = whole[:length]
    assert parse_claim(cut) == parse_claim(cut[: cut.rfind(b"\n") + 1])
    assert parse_claim(cut).complete == (length >= len(HEAD))
    assert (parse_claim(cut).rc == 143) == (length == len(whole))


@given(st.binary())
def test_any_bytes_are_read(data: bytes) -> None:
    parse_claim(data)
    parse_claim(HEAD + data)


def test_a_fence_is_a_claim_that_nothing_can_have() -> None:
    claim = parse_claim(render_fence("here", "boot", 12, 34, 5.25))
    assert claim.is_fence
    assert claim.complete
    assert (claim.host, claim.boot_id, claim.pid, claim.start) == ("here", "boot", 12, 34)
    assert not parse_claim(HEAD).is_fence


@pytest.mark.parametrize("length", [6, 20])
def test_a_fence_that_was_cut_short_is_one(length: int) -> None:
    fence = render_fence("host", "boot", 12, 34, 1000.0)[:length]

    assert parse_claim(fence).is_fence
    assert not parse_claim(fence).complete


@given(st.integers(0), st.integers(0))
def test_names_are_read_back(attempt: int, restart: int) -> None:
    assert parse_claim_name(claim_name(attempt, restart)) == (attempt, restart)


def test_other_names_are_no_claims() -> None:
    for name in ("job.claim", "job.claim.", "job.claim.1.r0", "job.claim.01", "job.claim.1.r1.x"):
        assert parse_claim_name(name) is None
