# shellcheck shell=bash disable=SC2034,SC2086,SC2154,SC2329  # no path has a space; the task's own script, which this stands in, calls and reads these
# What a task does on Grid Engine alone.
#
# Grid Engine signals the first process of a job only, and with KILL unless it is told to notify before: then USR2 comes some
# time before KILL, and USR1 before STOP.  So USR2 is passed on as TERM, and USR1 as STOP, where the user has not asked for it.
# A guard outlives the task that is killed all the same, and ends what it has left.

# A task alone is no array's.
[[ ${SGE_TASK_ID-} != undefined ]] || unset SGE_TASK_ID SGE_TASK_FIRST SGE_TASK_LAST SGE_TASK_STEPSIZE

# All that the task starts carries this, and nothing that a job submits does.
_sched_note_birth() {
  local -a _sched_field
  local _sched_stat
  read -r _sched_stat <"/proc/$$/stat"
  # shellcheck disable=SC2206  # a letter and numbers
  _sched_field=(${_sched_stat##*) })
  _sched_birth=${_sched_field[19]}
}
_sched_note_birth
export SCHED_TASK_TOKEN=${JOB_ID-}.${SGE_TASK_ID-}-$$-$_sched_birth

_sched_begin() {
  _sched_called='' _sched_asked=''
  [[ $_sched_wants_usr1 ]] || trap '_sched_forward STOP' USR1
  trap '_sched_forward CONT' CONT
  trap '_sched_called=1 _sched_passed=1 _sched_stopped=1; kill -s USR2 "$_sched_watchman"' USR2
  trap '_sched_leave "$?"' EXIT
  _sched_guard &
  _sched_watchman=$!
}

_sched_forward() {
  _sched_passed=1
  [[ $_sched_child ]] && _sched_find && _sched_alive "$_sched_leader" "$_sched_led" && kill -s "$1" -- "-$_sched_leader"
} 2>/dev/null

# Grid Engine takes 99 for a wish to start again, and 100 for an error that stays in the queue until somebody looks: what the
# command returned is in the job's record.  A task that was told to end ends as one that was killed, which the accounting tells
# from one that ended by itself.
_sched_leave() {
  if [[ $_sched_called ]]; then
    wait "$_sched_watchman"
    kill -s KILL "$$"
  fi
  kill -s KILL "$_sched_watchman" 2>/dev/null
  [[ $1 != 99 && $1 != 100 ]] || exit 1
}

# Which start of the job it is: Grid Engine tells only whether it is the first.
_sched_before_job() {
  local _sched_file _sched_count
  export SCHED_RESTARTS=0
  [[ ${RESTARTED:-0} != 0 ]] || return
  for _sched_file in "$_sched_dir/job.claim.$_sched_attempt" "$_sched_dir/job.claim.$_sched_attempt".r*; do
    read -r _ _sched_count _ <"$_sched_file" || continue
    [[ $_sched_count == *[!0-9]* ]] || ((_sched_count <= SCHED_RESTARTS)) || SCHED_RESTARTS=$_sched_count
  done
  ((SCHED_RESTARTS += 1))
} 2>/dev/null

# The environment of the driver, functions too. Not by -V: Grid Engine would show it to everybody.
_sched_load_environment() {
  local _sched_entry _sched_name
  [[ $_sched_environment ]] || return
  while IFS= read -rd '' _sched_entry; do
    if [[ $_sched_entry == BASH_FUNC_*'%%=() {'* ]]; then
      _sched_name=${_sched_entry#BASH_FUNC_} _sched_name=${_sched_name%%'%%='*}
      eval "$_sched_name ${_sched_entry#*=}" && export -f "${_sched_name?}"
    else
      export "${_sched_entry?}"
    fi
  done <"$_sched_workdir/.sched/$_sched_environment"
} 2>/dev/null

# --- the guard

_sched_started() { command -p grep -lsxzF "SCHED_TASK_TOKEN=$SCHED_TASK_TOKEN" /proc/[1-9]*/environ; }

# TERM is for all of them, KILL for the commands only: their recorders have to record it.  1: there was nothing to end.
_sched_end_started() {
  local _sched_paths
  _sched_paths=$(_sched_started)
  [[ $1 != KILL || ! $_sched_paths ]] || _sched_paths=$(command -p grep -lszF SCHED_JOB_TOKEN= $_sched_paths)
  _sched_signal_found "$1" $_sched_paths
  [[ $_sched_paths ]]
}

_sched_guard() {
  trap - EXIT USR1 CONT
  trap '' HUP INT TERM
  # No more than that: `read` abandons a trap that outlasts its own time.
  trap '_sched_asked=1' USR2
  exec {_sched_never}<> <(:)
  until [[ $_sched_asked ]] || ! _sched_alive $$ "$_sched_birth"; do read -rt 0.3 -u "$_sched_never"; done
  _sched_end_all
} 2>/dev/null

_sched_end_all() {
  local _sched_thirds
  _sched_end_started TERM
  for ((_sched_thirds = _sched_grace / 3; _sched_thirds > 0; _sched_thirds--)); do
    [[ $(_sched_started) ]] || return
    read -rt 0.3 -u "$_sched_never"
  done
  # What is just being started may be seen by the next look only.
  for ((_sched_thirds = 0; _sched_thirds < 10; _sched_thirds++)); do
    _sched_end_started KILL || ((_sched_thirds < 2)) || return
    read -rt 0.1 -u "$_sched_never"
  done
}
