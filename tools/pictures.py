"""Make the pictures of docs/pictures anew: `python3 tools/dev.py run docs:pictures [NAME]...`.

The report and `sched top` show runs that never were, so that they are the same each time; the terminal is a real one,
whose commands are executed.
"""

import importlib
import os
import random
import re
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs" / "pictures"
TESTS = ROOT / "packages" / "sched-meta"


def report() -> None:
    """What `sched report` writes, in light and in dark, as a browser shows it."""
    from sched_meta.htmlreport import read_report, render_report
    from sched_meta.reading.runfolder import RunFolder

    sys.path.insert(0, str(TESTS))
    browser, runs = (importlib.import_module(f"tests.{name}") for name in ("browser", "reportruns"))
    with tempfile.TemporaryDirectory() as folder:
        run = runs.write(runs.cluster_run(180, nodes=3), Path(folder, "align"))
        file = Path(folder, "report.html")
        file.write_text(render_report(read_report(RunFolder(run)).called("align")))
        with browser.browser(Path(folder, "profile")) as page:
            for theme in ("light", "dark"):
                page.open(file, width=1080, height=1400, dark=theme == "dark")
                end = page.value("element('timeline-canvas').getBoundingClientRect().bottom")
                clip = {"x": 0, "y": 0, "width": 1080, "height": end + 24}
                (PICTURES / f"report-{theme}.png").write_bytes(page.picture(clip=clip))


def top() -> None:
    """What `sched top` shows on a terminal of 80 columns."""
    import asyncio

    asyncio.run(_top())


async def _top() -> None:
    from sched_meta.reading.runfolder import RunFolder
    from sched_meta.top.app import TopApp
    from sched_meta.top.runscreen import RunScreen

    sys.path.insert(0, str(TESTS))
    picture = importlib.import_module("tests.topruns").picture()

    class Still(RunScreen):
        def begin_to_look(self) -> None:
            self.seen(picture)

    app = TopApp(None)
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(Still(RunFolder("sched-runs/align-1")))
        await pilot.pause()
        await pilot.pause(0.5)
        drawn = app.export_screenshot(title="sched top align-1")
    # Viewers have a font of their own; what they load from elsewhere is nobody's business here.
    drawn = re.sub(r"@font-face \{.*?\}\s*", "", drawn, flags=re.DOTALL)
    drawn = re.sub(r"terminal-\d+", "terminal", drawn)
    (PICTURES / "top.svg").write_text(drawn)


COLUMNS = 80
TYPED = [
    "sched run -w pack -j 4 -- xz -9k {} ::: logs/*.log",
    "sched logs pack failed --stderr",
    "rm logs/day-17.log.xz",
    "sched retry pack",
    "sched status pack",
]


def terminal() -> None:
    """A real run on a terminal: one of its jobs fails, and is run again."""
    sys.path.insert(0, str(ROOT))
    recording, animation = (
        importlib.import_module(f"tools.docs.{name}") for name in ("recording", "animation")
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "work")
        _write_logs(folder / "logs")
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        environment = {**os.environ, "HOME": name, "PATH": path}
        frames = recording.record(TYPED, folder, environment, columns=COLUMNS)
    title = f"A terminal: {'; '.join(TYPED)}"
    drawn = animation.animated(animation.fewer(frames), COLUMNS, title)
    (PICTURES / "terminal.svg").write_text(drawn)


def _write_logs(folder: Path) -> None:
    """Files that take a moment to compress, and what is in the way of one."""
    numbers = random.Random(1)
    folder.mkdir(parents=True)
    for day in range(1, 25):
        lines = (f"{numbers.random():.9f} GET /{numbers.randrange(10**6)}\n" for _ in range(25_000))
        (folder / f"day-{day:02}.log").write_text("".join(lines))
    (folder / "day-17.log.xz").write_bytes(b"")


MAKERS = {"report": report, "terminal": terminal, "top": top}


def main(names: list[str]) -> None:
    """Make those that are named, or all."""
    PICTURES.mkdir(exist_ok=True)
    for name in names or MAKERS:
        if name not in MAKERS:
            sys.exit(f"there is no picture {name!r}; there are {', '.join(MAKERS)}")
        MAKERS[name]()


if __name__ == "__main__":
    main(sys.argv[1:])
