"""A recorded terminal as a picture."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from ..animation import animated, fewer
from ..recording import Frame, Span

FIRST = (Span("$ ", "green", bold=True), Span("a <b> &"))
SECOND = (Span("done", "ff0000"),)


def test_moments_and_repetitions_are_left_out_but_their_time_is_not() -> None:
    frames = [
        Frame((FIRST,), 0.2),
        Frame((SECOND,), 0.1),
        Frame((FIRST,), 0.5),
        Frame((SECOND,), 0.3),
    ]
    kept = fewer(frames)
    assert [frame.lines for frame in kept] == [(FIRST,), (SECOND,)]
    assert [round(frame.seconds, 3) for frame in kept] == [0.8, 0.3]


def test_the_picture_has_each_line_once_and_ends_with_the_last_frame() -> None:
    frames = [Frame((FIRST, ()), 1), Frame((FIRST, SECOND), 3)]
    picture = ET.fromstring(animated(frames, 80, "A <terminal>"))
    assert picture.get("aria-label") == "A <terminal>"
    texts = ["".join(found.itertext()) for found in picture.findall(".//{*}text")]
    assert texts == ["$ a <b> &", "done"]
    assert len(picture.findall(".//{*}use")) == 3
    (style,) = picture.findall(".//{*}style")
    assert "25.00% { transform: translateY(-44px) }" in str(style.text)
    assert "#roll { transform: translateY(-44px);" in str(style.text)
