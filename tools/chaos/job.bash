# shellcheck shell=bash
# What every job of a round does: note its start, do work of its kind, note its end.  job KIND SECONDS MARKS
# Notes are names of empty files, which tell the oracle what ran whatever becomes of all other records.
kind=$1 seconds=$2 marks=$3
now() { time=${EPOCHREALTIME/[.,]/}; }
now
id=${SLURM_JOB_ID:-${JOB_ID:-0}-${SGE_TASK_ID:-0}}
me=$marks/$SCHED_JOB_INDEX.$SCHED_ATTEMPT.${SLURM_RESTART_COUNT:-${SCHED_RESTARTS:-0}}.$id.$time
: >"$me.start" || exit 99
# Held as long as this shell lives; an image may lack the program.
exec 9>"$marks/$SCHED_JOB_INDEX.lock"
if type -P flock >/dev/null; then flock -n 9 || : >"$me.beside"; fi

finish() {
  now
  : >"$me.$1.$time.end"
  exit "$1"
}

case $kind in
  plain) echo "plain $SCHED_JOB_INDEX" || finish 74 ;;
  short | long) sleep "$seconds" 9>&- ;;
  flaky) [[ -e $marks/$SCHED_JOB_INDEX.failed ]] || { : >"$marks/$SCHED_JOB_INDEX.failed"; finish 3; } ;;
  broken) sleep "$seconds" 9>&-; finish 4 ;;
  lines)
    for ((n = 0; n < 2000; n++)); do echo "job $SCHED_JOB_INDEX, line $n" || finish 74; done
    for ((n = 0; n < 50; n++)); do echo "job $SCHED_JOB_INDEX, error $n" >&2 || finish 74; done
    ;;
  parent)
    setsid sleep 0.5 9>&- &
    (sleep 0.1 & wait) 9>&-
    ;;
  stubborn)
    trap '' TERM
    setsid sleep "$seconds" 9>&- &
    sleep "$seconds" 9>&-
    ;;
  victim) # ends only when it is killed
    trap '' TERM
    setsid sleep 1000 9>&- &
    while :; do sleep 0.2 9>&-; done
    ;;
esac
finish 0
