#!/usr/bin/env bash
# Five thousand small files: compress each, and pack what the run has left into one archive.
set -euo pipefail
run=${1:-small-files-run}
count=${2:-5000}

mkdir -p files
seq -f 'files/%05.0f.txt' "$count" | while read -r name; do echo "$name" >"$name"; done

# the names come from a pipe: no line of a command could hold them all
find files -name '*.txt' | sort | sched run -w "$run" -- gzip -kf {} :::: -

sched status "$run"
sched pack "$run" # each job's folder goes into one archive, which all commands read
sched ls . # its size and its number of files
