# shellcheck shell=bash disable=SC2046,SC2154,SC2329  # no path has a space; the script that this is a part of assigns what is only read here
# What a script that starts a job's wrapper needs to hand signals on to the job, and to end what it leaves: the wrapper is _sched_child,
# its job's folder _sched_dir, the attempt _sched_attempt, the grace period _sched_grace, in tenths of a second.
#
# A trap that interrupts `wait` can lose the child's status.  Then the job's own record has it.

# The wrapper's process and the command's group, told from later processes of the same ids by their start times.
_sched_alive() {
  local -a _sched_field
  local _sched_stat
  [[ $1 && $1 != 1 ]] && read -r _sched_stat <"/proc/$1/stat" || return
  # shellcheck disable=SC2206  # a letter and numbers
  _sched_field=(${_sched_stat##*) })
  [[ ${_sched_field[19]} == "$2" && ${_sched_field[0]} != [ZX] ]]
} 2>/dev/null

# A claim may also be a fence, of which the process is the driver, or that of an earlier start on another machine.
_sched_read_claim() {
  local _sched_holder _sched_there _sched_here _sched_claim=$_sched_dir/job.claim.$_sched_attempt _sched_next=1
  while [[ -e $_sched_dir/job.claim.$_sched_attempt.r$_sched_next ]]; do
    _sched_claim=$_sched_dir/job.claim.$_sched_attempt.r$((_sched_next++))
  done
  _sched_recorder='' _sched_leader=''
  {
    read -r _sched_here </proc/sys/kernel/random/boot_id
    read -r _sched_holder _ _ _sched_there _sched_recorder _sched_born _
    if [[ $_sched_holder == fence || $_sched_there != "$_sched_here" ]]; then _sched_recorder=''; return; fi
    while read -r _sched_mark _sched_value _sched_ticks _; do
      [[ $_sched_mark != P ]] || _sched_leader=$_sched_value _sched_led=$_sched_ticks
    done
  } <"$_sched_claim"
} 2>/dev/null

# Wait until the command of the present job has started; it is told by its claim.
_sched_find() {
  local _sched_try
  for ((_sched_try = 0; _sched_try < 20; _sched_try++)); do
    _sched_read_claim
    if [[ $_sched_leader ]]; then break; fi
    kill -s 0 "$_sched_child" 2>/dev/null || return
    command -p sleep 0.05
  done
}

_sched_signal() {
  if _sched_alive "$_sched_recorder" "$_sched_born"; then kill -s "$1" "$_sched_recorder"; fi
  if _sched_alive "$_sched_leader" "$_sched_led"; then kill -s "$1" -- "-$_sched_leader"; fi
} 2>/dev/null

_sched_pass() {
  [[ $1 == USR? ]] || _sched_stopped=1     # the engine ends the task: what has not begun is not begun
  _sched_passed=1
  [[ ! $_sched_child ]] || ! _sched_find || _sched_signal "$1"
}

# --- the end of what a job has started

# What the command has started carries the job's token, whatever session it is in.
_sched_heirs() {
  command -p grep -lsxzF "SCHED_JOB_TOKEN=$_sched_run-${_sched_dir##*/}-$_sched_attempt" /proc/[1-9]*/environ
}

# Signal processes, given as they are found: /proc/PID/environ.
_sched_signal_found() {
  local _sched_path
  for _sched_path in "${@:2}"; do
    _sched_path=${_sched_path#/proc/}
    kill -s "$1" "${_sched_path%/environ}"
  done
} 2>/dev/null

# Give all that the job has started its grace after TERM, then KILL.
_sched_end_rest() {
  local _sched_tenths
  _sched_signal_found TERM $(_sched_heirs)
  for ((_sched_tenths = _sched_grace; _sched_tenths > 0; _sched_tenths--)); do
    _sched_alive "$_sched_recorder" "$_sched_born" || [[ $(_sched_heirs) ]] || return
    command -p sleep 0.1
  done
  if _sched_alive "$_sched_leader" "$_sched_led"; then kill -s KILL -- "-$_sched_leader"; fi
  _sched_signal_found KILL $(_sched_heirs)
} 2>/dev/null
