# shellcheck shell=bash disable=SC2154,SC2329  # the header of the script assigns what is only read here; traps call
# What a task does once it knows its job: start the job's wrapper, and hand on to the job what the engine tells the task alone.
# Many sites' Slurm (proctrack/cgroup) signals only the first process of a job: this one.
#
# A trap that interrupts `wait` can lose the child's status.  Then the job's own record has it.

# The wrapper's process and the command's group, told from later processes of the same ids by their start times.
_sched_alive() {
  local -a _sched_field
  local _sched_stat
  read -r _sched_stat <"/proc/$1/stat" || return
  # shellcheck disable=SC2206  # a letter and numbers
  _sched_field=(${_sched_stat##*) })
  [[ ${_sched_field[19]} == "$2" && ${_sched_field[0]} != [ZX] ]]
} 2>/dev/null

_sched_read_claim() {
  local _sched_claim=$_sched_dir/job.claim.$_sched_attempt _sched_next=1
  while [[ -e $_sched_dir/job.claim.$_sched_attempt.r$_sched_next ]]; do
    _sched_claim=$_sched_dir/job.claim.$_sched_attempt.r$((_sched_next++))
  done
  _sched_recorder='' _sched_leader=''
  {
    read -r _ _ _ _ _sched_recorder _sched_born _
    while read -r _sched_mark _sched_value _sched_ticks _; do
      [[ $_sched_mark != P ]] || _sched_leader=$_sched_value _sched_led=$_sched_ticks
    done
  } <"$_sched_claim"
} 2>/dev/null

_sched_pass() {
  local _sched_try
  _sched_passed=1
  for ((_sched_try = 0; _sched_try < 20; _sched_try++)); do
    _sched_read_claim
    if [[ $_sched_leader ]]; then break; fi
    kill -s 0 "$_sched_child" 2>/dev/null || return
    command -p sleep 0.05
  done
  if [[ $_sched_recorder ]] && _sched_alive "$_sched_recorder" "$_sched_born"; then kill -s "$1" "$_sched_recorder"; fi
  if [[ $_sched_leader ]] && _sched_alive "$_sched_leader" "$_sched_led"; then kill -s "$1" -- "-$_sched_leader"; fi
} 2>/dev/null

# A file of the driver may be late on a shared disk; to list its folder has some look again.
for ((_sched_try = 0; _sched_try < 60; _sched_try++)); do
  [[ ! -r $_sched_script ]] || break
  command -p ls -- "$_sched_dir" >/dev/null 2>&1
  command -p sleep 1
done
[[ -r $_sched_script ]] || exit 122

((SHLVL -= 1))
set -m              # a child of a shell without it would never hear of INT
_sched_passed=''
for _sched_name in HUP INT TERM USR1 USR2; do
  # shellcheck disable=SC2064  # the name is meant to be this one
  trap "_sched_pass $_sched_name" "$_sched_name"
done
"$BASH" -p "$_sched_script" "$_sched_attempt" &
_sched_child=$!
while :; do
  wait "$_sched_child"
  _sched_rc=$?
  if ((_sched_rc <= 128)) || ! kill -s 0 "$_sched_child" 2>/dev/null; then break; fi
done
[[ ! $_sched_passed ]] || read -r _sched_rc <"$_sched_dir/job.rc"
exit "${_sched_rc:-1}"
