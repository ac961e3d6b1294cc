"""`sched pack`."""

from __future__ import annotations

import click

__all__ = ["pack"]


_HELP = """Pack the files of jobs that have ended into archives, a few for a whole run.

\b
sched pack                    the newest run
sched pack RUN finished       only jobs that finished
sched unpack RUN              put the files back

Every command reads them as before, and packed jobs may be retried. The archives are zips in
RUN/.sched/packs: unzip -p RUN/.sched/packs/pack-1.*.zip 17/job.stdout. Files that sched did not
write stay where they are. Not while somebody drives the run.
"""


@click.command(help=_HELP)
@click.argument("run", required=False)
@click.argument("jobs", nargs=-1)
def pack(run: str | None, jobs: tuple[str, ...]) -> int:
    from ..keeping.telling import pack_run
    from ..reading.runfolder import existing_run

    return pack_run(existing_run(run), jobs)
