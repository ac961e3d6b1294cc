from __future__ import annotations

import pytest

from sched_core.text.usage import Usage, parse_usage, usage_of_claim

BEFORE = ["0m0.001s 0m0.002s", "0m1.000s 0m0.500s"]
AFTER = ["0m0.009s 0m0.009s", "1m2.250s 0m0.750s"]


def test_what_children_have_used_since_the_claim_counts() -> None:
    used = usage_of_claim([*BEFORE, "P 1 2", *AFTER, "E 0 - 5.0"])
    assert used == Usage(61.25, 0.25)
    assert used.cpu == 61.5


def test_a_container_tells_for_itself() -> None:
    inside = ["0m0.100s 0m0.100s", "0m7.000s 0m0.500s"]
    lines = [*BEFORE, "P 1 2", "I", "M 4096", *inside, "C 0 -", *AFTER, "E 0 - 5.0"]
    assert usage_of_claim(lines) == Usage(7.0, 0.5, 4096)


def test_the_client_of_a_container_says_nothing_about_it() -> None:
    assert usage_of_claim([*BEFORE, "P 1 2", "I", *AFTER, "E 137 LOST 5.0"]) == Usage()


@pytest.mark.parametrize("lines", [[], BEFORE, [*BEFORE, AFTER[0]], ["C 0 -"], ["I", "C 0 -"]])
def test_what_was_not_written_is_not_known(lines: list[str]) -> None:
    assert usage_of_claim(lines).cpu is None


def test_a_slot_says_the_same_in_one_word() -> None:
    word = f"{BEFORE[1]}/{AFTER[1]}".replace(" ", ":")
    assert parse_usage(word) == Usage(61.25, 0.25)
    assert parse_usage(f"{word}/4096") == Usage(61.25, 0.25, 4096)
    assert parse_usage(word.replace(".", ",")) == Usage(61.25, 0.25)


@pytest.mark.parametrize("word", ["", "/", "P:1/2", "0m1.000s:0m0.500s/E:0", "//x"])
def test_a_word_that_says_nothing(word: str) -> None:
    assert parse_usage(word) == Usage()
