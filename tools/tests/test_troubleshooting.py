"""docs/troubleshooting.md has each message that users see, in the words of the sources."""

from __future__ import annotations

import re

from sched_core import Failure

from .messages import GAP, ROOT, all_texts, exceptions, shown, template

PAGE = (ROOT / "docs" / "troubleshooting.md").read_text()
ENTRY = re.compile(r"^(?:### |- )(?:`([^`]+)`|``(.+)``)$", re.MULTILINE)
NOT_FOR_USERS = {  # mistakes of who writes a command of sched, or a store
    "{} was not looked at yet",
    "an onlooker writes nothing of this kind",
}


def entries(page: str) -> list[str]:
    return [template((found[1] or found[2]).strip()) for found in ENTRY.finditer(page)]


def is_said(message: str) -> bool:
    """Whether the sources say it: in one text, or piece by piece where they put it together."""
    if any(message in text for text in all_texts()):
        return True
    pieces = [piece for piece in message.split(GAP) if re.search(r"\w\w.*\w\w", piece)]
    return bool(pieces) and all(any(piece in text for text in all_texts()) for piece in pieces)


def missing(page: str) -> frozenset[str]:
    return shown() - set(entries(page)) - NOT_FOR_USERS


def test_each_message_of_the_page_is_in_the_sources() -> None:
    assert not [message for message in entries(PAGE) if not is_said(message)]
    assert not is_said("{} is made of cheese")
    assert not is_said("{} {}; {}")


def test_each_message_of_the_sources_is_on_the_page() -> None:
    assert not missing(PAGE)


def test_a_message_that_the_page_lacks_is_found() -> None:
    assert len(shown()) > 350
    for one in (
        "{} holds no run: there is no {}",  # raised
        "{} cannot be asked, nothing changes: {}",  # a warning
        "it started, is gone, and left no record",  # why a job failed
        "there are none: set the sysctl user.max_user_namespaces",  # what a doctor finds
        "{} refuses the connection: does sshd run there, on that port?",  # made by a function
    ):
        without = "\n".join(line for line in PAGE.splitlines() if one not in entries(line))
        assert one in missing(without), one


def test_no_message_is_there_twice() -> None:
    found = entries(PAGE)
    assert not {message for message in found if found.count(message) > 1}


def test_each_exception_has_a_row() -> None:
    assert set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)) == exceptions()


def test_each_class_of_failure_is_named() -> None:
    words = re.findall(r"\b[A-Z_]{4,}\b", PAGE.partition("## Classes of failure")[2])
    assert set(words) == set(Failure.__members__)
