#!/usr/bin/env bash
# A parameter sweep: each learning rate with each number of steps, then all results in one table.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

descend='BEGIN { x = 4; for (n = 0; n < steps; n++) x -= rate * 2 * (x - 1); print rate, steps, x - 1 }'

# rates times steps: twelve jobs; what a job prints is kept with the run
sched run -w "${1:-sweep-run}" --name 'rate{1}-steps{2}' -- \
  awk -v rate={1} -v steps={2} "$descend" ::: 0.01 0.1 0.4 ::: 1 10 100 1000

# of all outputs the three that came nearest to the minimum: rate, steps, distance
sched cat "${1:-sweep-run}" | sort -g -k3 | head -n 3
