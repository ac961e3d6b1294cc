"""What users of other tools suffer from, in short, and the public issues that told so."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["PAINS", "Pain"]


class Pain(NamedTuple):
    """One pain: its number, what a test of it shows, and where users met it (`repository#issue`)."""

    number: int
    says: str
    seen: str = ""


PAINS = tuple(
    Pain(number, *words)
    for number, words in enumerate(
        (
            (
                "A question about jobs that fails or gets no answer changes no state and starts nothing twice; it is asked again, later and later, with a warning",
                "nextflow#2696",
            ),
            (
                "An empty answer of an engine that says success is no news",
                "nextflow#1045, aiida-core#4326",
            ),
            (
                "A thousand active jobs are one question an interval, and at most two tools at a time",
                "submitit#1759, snakemake-executor-plugin-slurm#467",
            ),
            (
                "A submission that was taken though its answer was lost is found by its id, adopted, and not repeated",
                "nextflow#970, nextflow#981",
            ),
            (
                "A driver killed at any point around a submission is followed by one that has the job run exactly once",
                "executorlib#721",
            ),
            (
                "A job that ends before its submission returns, between two questions, or is forgotten before the first ends right and never hangs",
                "parsl#1588, psij-python#401",
            ),
            (
                "A job that is cancelled while it waits, that the engine puts aside, or that fails without a task ends within two intervals",
                "pipen#4, nextflow#1480, nextflow#5550",
            ),
            (
                "Records that a shared disk shows late or empty are waited for; no success is taken for a failure",
                "snakemake#39",
            ),
            (
                "An accounting that is off, away, late or wrong makes no state wrong and lets nothing hang",
                "snakemake-executor-plugin-slurm#38, #207, aiida-core#4646",
            ),
            (
                "A job across midnight, a change of clocks or another time zone is found, and its times are right",
                "reframe#1083, ceems#432",
            ),
            (
                "What an engine preempts, loses with its node or starts again is no failure of the job and costs none of its retries",
                "snakemake-executor-plugin-slurm#109, #353",
            ),
            (
                "Every state of an engine is known in each spelling, and an unknown one is kept as unknown",
                "parsl#2255",
            ),
            (
                "Arguments reach the command byte for byte, whatever they hold",
                "aiida-core#648",
            ),
            (
                "Values of variables reach the job as they are, bad names are refused, and nothing of the engine around the driver leaks into what it submits",
                "submitit#1782, submitit#1814, spd#955",
            ),
            (
                "A work directory may have any name: spaces, quotes, line breaks, `%j`, bytes that are no text, very long",
                "psij-python#542",
            ),
            (
                "What a submission prints beside the id (banners, clusters, warnings) does not hide it; no id is a clear error",
                "snakemake-executor-plugin-slurm#157, sracha-rs#81",
            ),
            (
                "Large arrays are split by the site's rules and share one limit; queue limits count tasks; ranges of tasks are understood",
                "submitit#1624, nextflow#5920",
            ),
            (
                "A full queue is waited for; a submission that can never work fails at once",
                "reframe#1595, snakemake-executor-plugin-slurm#320",
            ),
            (
                "An engine that shows no job for a moment causes no new submission until that is confirmed",
                "parsl#2851",
            ),
            (
                "Thousands of kills are few calls, and each job gets its own outcome, even where some fail",
                "parsl#2232",
            ),
            (
                "Any job name becomes one that the engine takes: unique, and found again",
                "nipype#482, snakemake-executor-plugin-googlebatch#59",
            ),
            (
                "Long scripts and many arguments go by a file; what is too large for one request is split",
                "snakemake-executor-plugin-slurm#379, airrflow#242",
            ),
            ("Jobs keep flowing while more are fed, with a few places only",),
            (
                "Cancelling, time-outs and signals raise, end what runs by TERM, grace and KILL, record it, and leave the host's handlers as they were",
                "parsl#2174",
            ),
            (
                "A kill ends the whole tree, sessions of their own and deaf processes too, and is recorded",
                "psij-python#80, moby#22425",
            ),
            (
                "No container is left when its client is killed, is out of time or the engine is slow; files belong to the user",
                "moby#22425, HydroTuring#46",
            ),
            ("An old process id that now is another process is never taken for the job's",),
            ("A submit tool that leaves a child with its output open does not hold the driver",),
            (
                "After thousands of jobs there are no zombies, and no more threads and open files than before",
                "parsl#460, psij-python#502",
            ),
            (
                "A host gets one connection, few channels, and is not asked too often; cut connections come back, one-time passwords are never asked for unseen",
                "aiida-core#995, aiida-core#4288, jobflow-remote#58",
            ),
            (
                "A job on another host has its id at once, outlives the connection, can be killed and keeps its exit code, without a shared disk or Python there",
            ),
            (
                "Google Batch's reserved exit codes have their classes; a lost machine costs no retry and leaves a clean folder; Spot turns into standard",
                "nextflow#6779, nextflow#5141, nextflow#7396",
            ),
            (
                "A quota that is used up is shown and may have a deadline; calls that fail for a while fail no job",
                "nextflow#3061, nextflow#6878",
            ),
            (
                "Thousands of tasks are few jobs of the service, asked about page by page",
                "dsub#316, dsub#156",
            ),
            (
                "Logs that cannot be read for a while never change a result",
                "opentargets#4506, dsub#157",
            ),
            (
                "A copy to a mount that fails or arrives empty is repeated, and success is believed when all is there",
                "nextflow#6080, nextflow#3757, dsub#162, dsub#165",
            ),
            (
                "A job out of memory is recognised by whoever knows it, even where the command ended with 0",
                "nextflow#1285",
            ),
            (
                "A time limit ends a job by TERM first, is its own class, can be raised, and does not count the queue",
                "nextflow#1354, dsub#204",
            ),
            (
                "A full disk, a read-only or vanished folder still gets the job an end, and it is not the command's failure",
                "hyperqueue#764",
            ),
            (
                "What is stored of a run survives a kill in the middle, is read while it is written, and 100,000 jobs are listed at once",
                "parsl#1889, parsl#2127, skypilot#1509",
            ),
            (
                "A job has few files, and what is done can be packed",
                "hyperqueue#294",
            ),
            (
                "The end of a job is known as soon as it is there to be known",
                "psij-python#358",
            ),
            (
                "Secrets are in no argument, log or file that others read",
                "NeMo-Gym#2354, srunx#221",
            ),
            ("An import changes nothing of the process, takes no time and uses no network",),
            (
                "Retries have back-off, a budget of their own for each class, more resources where these lacked; their records are kept apart",
                "snakemake-executor-plugin-slurm#284",
            ),
            (
                "Units of memory are exact, and directives can be left out where a site refuses them",
                "dask-jobqueue#252, dask-jobqueue#238, dask-jobqueue#632",
            ),
            (
                "A step inside a job gets all of the job's cpus",
                "snakemake-executor-plugin-slurm#41",
            ),
            (
                "A driver works inside a job of the engine, without a terminal or a login, in a container, and as root",
                "snakemake-executor-plugin-slurm#450",
            ),
            (
                "A node on which one job after the other fails at once is left out, and the rest goes on",
                "snakemake-executor-plugin-slurm#411, hyperqueue#764",
            ),
            (
                "Whatever dies, who waits for a job gets an answer",
                "executorlib#1037, dask-jobqueue#643",
            ),
            (
                "Old and odd versions of an engine's tools are understood",
                "nextflow#316, snakemake-executor-plugin-slurm#326, parsl#3675",
            ),
            (
                "Grid Engine's accounting may be late, absent or broken, and its tools may fail, without a failure of the job",
                "radical.saga#200, COSMOS2#51",
            ),
            ("Hooks fire once each, in order, and one that raises loses no job",),
            ("Of two drivers of one run the second is refused, and one that died is followed",),
        ),
        start=1,
    )
)
