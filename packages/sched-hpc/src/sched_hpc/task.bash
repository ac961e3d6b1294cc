# shellcheck shell=bash disable=SC2046,SC2154,SC2329  # no path has a space; the header of the script assigns what is only read here; traps call
# What a task does once it knows its jobs: start the wrapper of each, one after the other, and hand on to it what the engine tells
# the task alone.  Many sites' Slurm (proctrack/cgroup) signals only the first process of a job: this one.
#
# A trap that interrupts `wait` can lose the child's status.  Then the job's own record has it.

# The wrapper's process and the command's group, told from later processes of the same ids by their start times.
_sched_alive() {
  local -a _sched_field
  local _sched_stat
  [[ $1 ]] && read -r _sched_stat <"/proc/$1/stat" || return
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

# One job of several that share the task: its end is asked for by a file.
_sched_await_kill() {
  trap - HUP INT TERM USR1 USR2
  exec {_sched_never}<> <(:)
  until [[ -e $_sched_kill ]]; do read -rt 1 -u "$_sched_never"; done
  trap '' TERM
  _sched_find
  _sched_signal TERM
  _sched_end_rest
} 2>/dev/null

# --- one job

# A file of the driver may be late on a shared disk; to list its folder has some look again.
_sched_await_script() {
  local _sched_try
  for ((_sched_try = 0; _sched_try < 60; _sched_try++)); do
    [[ ! -r $_sched_script ]] || return 0
    command -p ls -- "$_sched_dir" >/dev/null 2>&1
    command -p sleep 1
  done
  [[ -r $_sched_script ]]
}

_sched_start() {
  if declare -F _sched_load_environment >/dev/null; then _sched_load_environment; fi
  exec "$BASH" -p "$_sched_script" "$_sched_attempt"
}

_sched_run_job() {
  local _sched_killer=''
  _sched_attempt=${1#*:} _sched_dir=$_sched_workdir/${1%:*}
  _sched_script=$_sched_dir/$_sched_wrapper _sched_kill=$_sched_dir/job.kill.$_sched_attempt
  _sched_await_script || return 122
  _sched_passed=''
  if declare -F _sched_before_job >/dev/null; then _sched_before_job; fi
  _sched_start &
  _sched_child=$!
  if ((${#_sched_jobs[@]} > 1)); then
    _sched_await_kill &
    _sched_killer=$!
  fi
  while :; do
    wait "$_sched_child"
    _sched_rc=$?
    if ((_sched_rc <= 128)) || ! kill -s 0 "$_sched_child" 2>/dev/null; then break; fi
  done
  _sched_child=''
  [[ ! $_sched_passed ]] || read -r _sched_rc <"$_sched_dir/job.rc"
  [[ ! $_sched_killer ]] || _sched_dismiss
  # An engine may look for what is left of a task only much later.
  [[ ! $_sched_stopped ]] || _sched_end_rest
  return "${_sched_rc:-1}"
}

_sched_dismiss() {
  if [[ -e $_sched_kill ]]; then
    wait "$_sched_killer"
    command -p rm -f -- "$_sched_kill"
  else
    kill -s TERM "$_sched_killer"
    wait "$_sched_killer"
  fi
} 2>/dev/null

# --- the task

((SHLVL -= 1))
set -m              # a child of a shell without it would never hear of INT
_sched_child='' _sched_stopped='' _sched_end=0
for _sched_name in HUP INT TERM USR1 USR2; do
  # shellcheck disable=SC2064  # the name is meant to be this one
  trap "_sched_pass $_sched_name" "$_sched_name"
done
IFS=, read -ra _sched_jobs <<<"$_sched_task"
if declare -F _sched_begin >/dev/null; then _sched_begin; fi     # the engine's own
for _sched_job in "${_sched_jobs[@]}"; do
  [[ $_sched_job != - ]] || continue
  _sched_run_job "$_sched_job"
  _sched_rc=$?
  ((_sched_rc == 0 || (_sched_rc == 121 && ${#_sched_jobs[@]} > 1))) || _sched_end=$_sched_rc
  [[ ! $_sched_stopped ]] || break
done
if ((${#_sched_jobs[@]} > 1 && _sched_end)); then exit 1; fi      # of which job it would be, nobody could tell
exit "$_sched_end"
