# shellcheck shell=bash disable=SC2046,SC2154,SC2329  # no path has a space; the header of the script assigns what is only read here; traps call
# What a task does once it knows its jobs: start the wrapper of each, one after the other, and hand on to it what the engine tells
# the task alone.  Many sites' Slurm (proctrack/cgroup) signals only the first process of a job: this one.

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

# An engine that has lost sight of a task, as when its watcher was killed, starts another one beside it.
_sched_end_earlier() {
  local _sched_try
  _sched_read_claim
  if _sched_alive "$_sched_recorder" "$_sched_born" || _sched_alive "$_sched_leader" "$_sched_led"; then
    # The recorder first: it would take what is done to its command for the attempt's end.
    if _sched_alive "$_sched_recorder" "$_sched_born"; then kill -s KILL "$_sched_recorder"; fi
    for ((_sched_try = 0; _sched_try < 20; _sched_try++)); do
      [[ $(_sched_heirs) ]] || break
      _sched_signal_found KILL $(_sched_heirs)
      command -p sleep 0.05
    done
  fi
  _sched_recorder='' _sched_leader=''
} 2>/dev/null

_sched_run_job() {
  local _sched_killer=''
  _sched_attempt=${1#*:} _sched_dir=$_sched_workdir/${1%:*}
  _sched_script=$_sched_dir/$_sched_wrapper _sched_kill=$_sched_dir/job.kill.$_sched_attempt
  _sched_await_script || return 122
  _sched_passed=''
  if declare -F _sched_before_job >/dev/null; then _sched_before_job; fi
  ((${SLURM_RESTART_COUNT:-${SCHED_RESTARTS:-0}} == 0)) || _sched_end_earlier
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
