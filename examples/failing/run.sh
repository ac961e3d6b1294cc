#!/usr/bin/env bash
# Some of many jobs fail: see which and why, mend the cause, and run only these again.
set -euo pipefail
run=${1:-failing-run}

mkdir -p inputs
for n in $(seq 20); do
  if ((n % 7)); then echo "$n" >"inputs/$n.txt"; fi # two are missing
done

sched run -w "$run" -- sort -n inputs/{}.txt ::: $(seq 20) || echo "exit code $?"

sched results "$run" failed --columns index,failure,rc,cmd # which ones
sched logs "$run" failed --stderr                          # what they said

touch inputs/7.txt inputs/14.txt # the cause is mended
sched retry "$run" --failure exit # these two, and no other
