"""The report's page in a real Chromium."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sched_core.model.failure import Failure
from sched_core.model.status import JobStatus
from sched_meta.htmlreport import read_report, render_report
from sched_meta.reading.runfolder import RunFolder

from .browser import CHROMIUM, Page, browser
from .program import needs
from .reportruns import Story, cluster_run, write

pytestmark = pytest.mark.once

TEMPTING = (
    "</script><script>document.title='taken'</script>",
    "<img src=x onerror=\"document.title='taken'\">",
    "'\"><b onmouseover=alert(1)>",
    "\u202egnp.exe",
    "\x1b[31mred\x07 \x00".replace("\x00", ""),
    "{{ 7 * 7 }} $title &amp; \u2028",
    "caf\udce9",
)


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    if CHROMIUM is None:
        needs("chromium")
    with browser(tmp_path_factory.mktemp("profile")) as page:
        yield page


@pytest.fixture
def page(chromium: Page) -> Iterator[Page]:
    """Whatever a test does: nothing goes wrong in the page, and nothing is asked for but itself."""
    chromium.problems.clear()
    yield chromium
    assert chromium.problems == []
    assert all(url.startswith("file://") for url in chromium.requests)
    assert len(chromium.requests) == 1


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of 10,000 jobs."""
    return render(cluster_run(10_000, nodes=40, slots=8), tmp_path_factory.mktemp("large"))


def render(story: Story, folder: Path) -> Path:
    file = folder / "report.html"
    file.write_text(render_report(read_report(RunFolder(write(story, folder / "run1")))))
    return file


def rows(page: Page, table: str = "#jobs-table") -> list[str]:
    """What the rows of a table say, cell by cell."""
    script = f"[...document.querySelectorAll('{table} tbody tr')].map((row) => row.innerText)"
    found: list[str] = page.value(script)
    return found


def nodes(page: Page) -> int:
    return int(page.value("document.querySelectorAll('*').length"))


def colours(page: Page) -> int:
    """How many colours there are in the timeline."""
    return int(
        page.value(
            "(() => { const c = element('timeline-canvas');"
            " const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
            " return new Set(new Uint32Array(d.buffer)).size; })()"
        )
    )


def type_into(page: Page, selector: str, text: str) -> None:
    page.value(
        f"(() => {{ const field = document.querySelector('{selector}'); field.value = {json.dumps(text)};"
        " field.dispatchEvent(new Event('input')); field.dispatchEvent(new Event('change')); })()"
    )


def click(page: Page, selector: str) -> None:
    page.value(f"document.querySelector({json.dumps(selector)}).click()")


def test_small_run(page: Page, tmp_path: Path) -> None:
    story = Story()
    for index in range(10):
        story.job(index, ["work", str(index)], name=f"name{index}")
        story.attempt(index, index, index + 2.5, host="n1", cpu=2.0, max_rss=1 << 20)
    page.open(render(story, tmp_path))
    assert page.text("h1") == "run1"
    assert page.text(".counts").split() == ["finished", "10"]
    assert page.text("#jobs-shown") == "10 jobs"
    assert len(rows(page)) == 10
    assert rows(page)[3].split() == "3 name3 finished n1 3s 2.5s 2s 1 MiB work 3".split()
    label = page.value("element('timeline-canvas').getAttribute('aria-label')")
    assert label == "Timeline of 10 attempts on 1 host, in 3 rows, over 12s"
    assert colours(page) > 3


def test_large_run_is_of_bounded_size(page: Page, large: Path) -> None:
    assert large.stat().st_size < 3_000_000
    page.open(large)
    assert page.text("#jobs-shown") == "the first 1,000 of 10,000 jobs"
    assert len(rows(page)) == 1000
    assert nodes(page) < 20_000
    assert page.value("data.attempts.job.length") == page.value("data.totalAttempts") > 10_000
    assert colours(page) > 3


def test_light_and_dark(page: Page, large: Path) -> None:
    pictures = []
    for dark in (False, True):
        page.open(large, dark=dark)
        pictures.append(page.picture())
        assert colours(page) > 3
    light, dark_one = pictures
    assert light != dark_one
    assert min(map(len, pictures)) > 20_000, "it is blank"


CONTRAST = """
(() => {
  const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
  const pixel = (colours) => {
    for (const colour of colours) { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); }
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = (colours) => pixel(colours).slice(0, 3).map((c) => c / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (node) => (node ? [...behind(node.parentElement), getComputedStyle(node).backgroundColor] : ['white']);
  const faint = new Set();
  for (const node of document.querySelectorAll('body *')) {
    const own = [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim());
    if (!own || !node.checkVisibility() || node.closest('script, svg, option')) continue;
    const back = behind(node);
    const [a, b] = [light(back), light([...back, getComputedStyle(node).color])].sort((p, q) => p - q);
    if ((b + 0.05) / (a + 0.05) < 4.5) faint.add(`${node.tagName} ${node.className}: ${node.textContent.slice(0, 40)}`);
  }
  return [...faint];
})()
"""


@pytest.mark.parametrize("dark", [False, True])
def test_words_stand_out_from_what_is_behind_them(page: Page, large: Path, dark: bool) -> None:
    page.open(large, dark=dark)
    assert page.value(CONTRAST) == []
    page.value(
        "document.querySelector('h1').style.color = getComputedStyle(document.body).backgroundColor"
    )
    assert page.value(CONTRAST) == ["H1 : run1"]


def test_who_hears_the_page_gets_it_too(page: Page, large: Path) -> None:
    """What has a role has a name; tables have heads; each thing is reached by keyboard."""
    page.open(large)
    unnamed = "[...document.querySelectorAll('button, select, input, [role=img], [role=group], canvas, [role=region]')].filter((n) => !(n.ariaLabel || n.getAttribute('aria-labelledby') || n.innerText || n.closest('label')))"
    assert page.value(f"{unnamed}.map((n) => n.outerHTML)") == []
    headless = "[...document.querySelectorAll('table')].filter((t) => !t.querySelector('thead th[scope=col]') || t.querySelector('tbody tr:not(:has(th[scope=row]))'))"
    assert page.value(f"{headless}.length") == 0
    assert page.value("document.querySelectorAll('h1').length") == 1
    assert page.value("document.documentElement.lang") == "en"
    scrolled = "[...document.querySelectorAll('.scroll')].filter((n) => n.tabIndex < 0).length"
    assert page.value(scrolled) == 0


@pytest.mark.full
def test_of_100_000_jobs(page: Page, tmp_path: Path) -> None:
    file = render(cluster_run(100_000, nodes=40, slots=8), tmp_path)
    assert file.stat().st_size < 8_000_000
    page.open(file)
    assert page.text("#jobs-shown") == "the first 1,000 of 20,000 jobs"
    assert "Of 100,000 jobs the 20,000 that failed or took longest" in page.text("#jobs")
    assert nodes(page) < 20_000
    assert colours(page) > 3


def test_jobs_are_found_and_sorted(page: Page, large: Path) -> None:
    page.open(large)
    type_into(page, "#jobs-find", "SAMPLE4711")
    assert page.text("#jobs-shown") == "1 job"
    assert "sample4711" in rows(page)[0]
    type_into(page, "#jobs-find", "")
    failed = page.value("data.jobs.state.filter((s) => data.states[s] === 'failed').length")
    type_into(page, "#jobs-state", str(page.value("data.states.indexOf('failed')")))
    assert page.text("#jobs-shown") == f"{failed} jobs"
    assert all("failed" in row for row in rows(page))
    type_into(page, "#jobs-state", "-1")
    ran = "[...document.querySelectorAll('#jobs-table th')].find((th) => th.innerText === 'ran')"
    page.value(f"{ran}.firstChild.click()")
    assert page.value(f"{ran}.getAttribute('aria-sort')") == "descending"
    longest = page.value("span(Math.max(...data.jobs.wall))")
    assert longest in rows(page)[0].split("\t")


def test_timeline_answers_to_keys(page: Page, large: Path) -> None:
    page.open(large)
    for key in ["n", "n", "+", "ArrowRight", "p", "-", "0"]:
        page.value(
            "element('timeline-canvas').dispatchEvent("
            f"new KeyboardEvent('keydown', {{ key: '{key}', bubbles: true, cancelable: true }}))"
        )
    said = page.text("#timeline-job")
    assert "finished on node" in said or "failed on node" in said or "retried on node" in said
    assert "ran " in said


def test_timeline_tells_what_is_pointed_at(page: Page, tmp_path: Path) -> None:
    story = Story()
    story.job(0, ["first", "<b>"])
    story.attempt(0, 1.0, 11.0, host="n1")
    page.open(render(story, tmp_path))
    page.value("element('timeline-canvas').scrollIntoView({ behavior: 'instant' })")
    box = "(({ x, y, width }) => [x, y, width])(element('timeline-canvas').getBoundingClientRect())"
    x, y, width = page.value(box)
    page("Input.dispatchMouseEvent", type="mouseMoved", x=x + width / 2, y=y + 8)
    assert page.text("#timeline-tip").startswith("job 0: first '<b>'\nfinished on n1\nfrom ")
    # A stretch that is dragged over fills the width.
    for what, at in (("mousePressed", 0.5), ("mouseMoved", 0.6), ("mouseReleased", 0.7)):
        page(
            "Input.dispatchMouseEvent",
            type=what,
            x=x + width * at,
            y=y + 8,
            button="left",
            buttons=1,
            clickCount=1,
        )
    shown = page.value("drawnTimeline.to - drawnTimeline.from")
    assert 0 < shown < 11_000 * 0.3


def test_by_job_shows_waiting_and_retries(page: Page, tmp_path: Path) -> None:
    story = Story()
    story.job(0, ["a"])
    out: dict[str, Any] = {"failure": Failure.OUT_OF_MEMORY, "rc": 137, "will_retry": True}
    story.attempt(0, 1.0, 2.0, host="n1", **out)
    story.move(0, JobStatus.QUEUED, 3.0, attempt=2)
    story.attempt(0, 4.0, 6.0, number=2, host="n2")
    story.job(1, ["b"])
    page.open(render(story, tmp_path))
    click(page, "#by-job")
    assert page.value("element('by-job').getAttribute('aria-pressed')") == "true"
    assert page.text("#retries table tbody").split("\t")[-1].startswith("1: OUT_OF_MEMORY rc 137")
    states = page.value("data.attempts.state.map((s) => data.states[s])")
    assert states == ["retried", "finished", "waiting"]
    assert "The run has not ended" in page.text("header")


@pytest.mark.parametrize("width", [360, 768, 1600])
def test_nothing_is_cut_off_on_a_screen(page: Page, large: Path, width: int) -> None:
    page.open(large, width=width)
    assert page.value("document.documentElement.scrollWidth") <= width


def test_words_of_jobs_stay_words(page: Page, tmp_path: Path) -> None:
    story = Story()
    for index, text in enumerate(TEMPTING):
        story.job(index, ["echo", text], name=text)
        state: dict[str, Any] = {"rc": 1, "failure": Failure.EXIT, "reason": text}
        story.attempt(index, 0.0, 1.0, host=text, **state)
        story.stderr[index] = text.encode(errors="surrogateescape") + b"\xff\xfe\n"
    file = render(story, tmp_path / "<b>'\"&")
    page.open(file)
    assert page.value("document.title") == "run1 - sched report"
    assert page.value("document.querySelectorAll('script').length") == 2
    assert page.value("document.querySelectorAll('img, b[onmouseover]').length") == 0
    assert rows(page)[0].startswith(f"0\t{TEMPTING[0]}\tfailed")
    everything = file.read_text()
    assert everything.isascii()
    assert "taken'</script>" not in everything
    for turning in ("\u202e", "\x1b", "\\u202e", "\\u001b", "\\udc"):
        assert turning not in everything


def test_scripts_of_others_are_refused(chromium: Page, tmp_path: Path) -> None:
    """Even if something slipped through, the page's own policy would stop it."""
    story = Story()
    story.job(0, ["a"])
    file = render(story, tmp_path)
    slipped = (
        "<script>document.title='taken'</script><img src=http://127.0.0.1:9/x><style>b{}</style>"
    )
    file.write_text(file.read_text().replace("<main>", f"<main>{slipped}"))
    chromium.problems.clear()
    chromium.open(file)
    assert chromium.value("document.title") == "run1 - sched report"
    assert len(chromium.problems) == 3, "each is reported"
    assert all("Content Security Policy" in problem for problem in chromium.problems)


def test_a_run_that_has_only_begun(page: Page, tmp_path: Path) -> None:
    page.open(render(Story(), tmp_path))
    assert page.text("#jobs-shown") == "0 jobs"
    assert "No job has been started." in page.text("#timeline")
