"""A pipeline of pipen, as its users write them; one line more has it run by sched.

python pipeline.py [SCHEDULER [OPTION=VALUE]...]
"""

import sys

import sched_pipen
from pipen import Pipen, Proc

sched_pipen.use()


class Numbers(Proc):
    """Write numbers to a file each."""

    input = "count:var"
    input_data = (3, 5, 8)
    output = "numbers:file:{{in.count}}.txt"
    script = "seq {{in.count}} > {{out.numbers}}"


class Squares(Proc):
    """Square each number; the first attempt of a job fails."""

    requires = Numbers
    input = "numbers:file"
    output = "squares:file:{{in.numbers.stem}}.squares"
    error_strategy = "retry"
    num_retries = 1
    script = """
        if (( SCHED_ATTEMPT == 1 )); then echo "not yet" >&2; exit 3; fi
        while read -r number; do echo $((number * number)); done < {{in.numbers}} > {{out.squares}}
    """


class Sum(Proc):
    """Add up all squares."""

    requires = Squares
    input = "squares:files"
    input_data = lambda numbers: [list(numbers.squares)]  # noqa: E731  # as pipen's users write it
    output = "sum:file:sum.txt"
    script = """
        total=0
        for file in {{in.squares | join: " "}}; do
            while read -r number; do ((total += number)); done < "$file"
        done
        echo $total > {{out.sum}}
    """


class Squared(Pipen):
    """Sums of squares."""

    starts = Numbers
    outdir = "results"


if __name__ == "__main__":
    scheduler, *options = sys.argv[1:] or ["local"]
    given = dict(option.split("=", 1) for option in options)
    pipeline = Squared(scheduler=scheduler, scheduler_opts=given, forks=4, plugins=[])
    sys.exit(not pipeline.run())
