# shellcheck shell=bash disable=SC2154  # the job's script, and recorder.bash, assign what is only read here
# A command in a container: the recorder stays outside, the payload goes inside.
#
# The script runs twice.  Outside, its payload is the engine's client, which leads the payload's process group.  Inside, started as
# `bash SCRIPT --inside`, it is the rest of the payload: environment, directory, the user's text, the command.  What became of that
# is told by lines of the claim, whatever status the client ends with: 125, 126, 127 and 137 may be the command's own.
#   I                      the container has started
#   K                      it was told to end
#   C STATUS CLASS         the command has ended

# --- outside

# Become the client.
_sched_contain() {
  local -a _sched_words=("${_sched_container[@]}")
  _sched_add 2>/dev/null
  export SCHED_JOB_TOKEN=$_sched_token
  for _sched_name in SCHED_JOB_TOKEN SCHED_SLOT CUDA_VISIBLE_DEVICES; do
    [[ ${!_sched_name+x} ]] || continue
    case $_sched_engine in
      apptainer) export "APPTAINERENV_$_sched_name=${!_sched_name}" "SINGULARITYENV_$_sched_name=${!_sched_name}" ;;
      *) _sched_words+=(--env "$_sched_name") ;;
    esac
  done
  case $_sched_engine${_sched_user:+ named} in
    docker | podman) _sched_words+=(--user "$EUID:$GROUPS") ;;
    *' named') _sched_words+=(--user "$_sched_user") ;;
  esac
  [[ $_sched_engine$_sched_user != podman ]] || ((!EUID)) || _sched_words+=(--userns=keep-id)
  _sched_hand_back
  builtin exec -- "${_sched_words[@]}" "${_sched_image[@]}" "$_sched_inner_script" --inside
}

# What the claim tells of the inside.  Fails where the end is not told.
_sched_read_inside() {
  local _sched_mark _sched_status _sched_word
  _sched_begun='' _sched_told=''
  while read -r _sched_mark _sched_status _sched_word; do
    case $_sched_mark in
      I) _sched_begun=1 ;;
      K | T) _sched_told=1 ;;
      C) _sched_rc=$_sched_status _sched_class=${_sched_word#-}; return 0 ;;
    esac
  done <"$_sched_claim"
  return 1
} 2>/dev/null

# The time limit is the command's: neither an image that is fetched nor the engine's start counts.
_sched_await_inside() {
  local _sched_begun=''
  while _sched_read_inside || [[ ! $_sched_begun ]]; do
    read -rt 0.1
    (($? > 128)) || return
  done
}

# The client has ended: how did the command?
_sched_judge_container() {
  local _sched_begun _sched_told
  ! _sched_read_inside || return 0
  [[ ! $_sched_begun ]] || ((_sched_rc)) || return 0       # a full disk may have taken the line of the end
  [[ ! $_sched_container_name ]] || _sched_await_container
  ! _sched_read_inside || return 0
  ((_sched_rc)) || _sched_rc=125         # such as a client that was told to end before it had begun
  if [[ $_sched_begun ]]; then _sched_class=LOST; else _sched_judge_engine; fi
}

# A client can end before its container, such as by KILL.  Whatever still runs is waited for, or ended where that was asked for.
_sched_await_container() {
  local -a _sched_at_once=()
  local _sched_said _sched_try=0
  [[ $_sched_engine != podman ]] || _sched_at_once=(--time 0)
  while :; do
    if [[ $_sched_begun && ! $_sched_told && ! $_sched_signal ]]; then
      _sched_said=$("$_sched_client" wait -- "$_sched_container_name" 2>&1 </dev/null) && return
    else
      _sched_said=$("$_sched_client" rm -f "${_sched_at_once[@]}" -- "$_sched_container_name" 2>&1 </dev/null) && return
    fi
    case $_sched_said in
      *[Nn]o\ such\ container* | *no\ container\ with* | *is\ already\ in\ progress*) return ;;
    esac
    [[ $_sched_begun ]] && ((++_sched_try < 3600)) || return
    command -p sleep 1                   # the engine cannot be asked now
    ! _sched_read_inside || return
  done
}

# Nothing has started: somebody has ended it, or the engine has said why not, on the job's stderr.  The words are those of refusal.py.
_sched_judge_engine() {
  local _sched_said=''
  if [[ $_sched_signal ]]; then
    _sched_rc=$((128 + $(kill -l "$_sched_signal")))     # whoever told this shell to end knows why
    return
  fi
  if ((_sched_rc > 128 && _sched_rc < 193)); then
    _sched_class=LOST
    # An engine without an init of its own starts within the limit.
    ((_sched_rc != 137)) || [[ " ${_sched_container[*]} " != *' --memory '* ]] || _sched_class=OUT_OF_MEMORY
    return
  fi
  IFS= read -rd '' _sched_said <"$_sched_dir/job.stderr"
  case $_sched_said in
    *'Cannot connect to'* | *'failed to connect to the docker API'* | *'error during connect'* | *'unexpected EOF'*) ;;
    *'connection refused'* | *'connection reset'* | *'i/o timeout'* | *'TLS handshake timeout'* | *toomanyrequests*) ;;
    *'Temporary failure in name resolution'*) ;;
    *) _sched_class=REJECTED; return ;;
  esac
  _sched_class=UNAVAILABLE
} 2>/dev/null

# --- inside

# The engine's init passes signals to its only child, this shell, which passes them on to the payload's group: a shell that waits
# for its command in the foreground would not.
_sched_inside() {
  local _sched_job
  _sched_claim=$_sched_dir/job.claim.$_sched_attempt _sched_restarts=0
  while [[ -e $_sched_dir/job.claim.$_sched_attempt.r$((_sched_restarts + 1)) ]]; do
    _sched_claim=$_sched_dir/job.claim.$_sched_attempt.r$((++_sched_restarts))
  done
  ! _sched_is_over || exit 121
  printf 'I\n' 2>/dev/null >>"$_sched_claim"
  set -m
  trap '' PIPE
  (_sched_attend_inside) &
  _sched_job=$!
  for _sched_name in HUP INT QUIT TERM USR1 USR2 ALRM XCPU XFSZ; do
    # shellcheck disable=SC2064  # names are meant to be these
    trap "printf 'K\n' 2>/dev/null >>\"\$_sched_claim\"; kill -s $_sched_name -- -$_sched_job 2>/dev/null" "$_sched_name"
  done
  while :; do
    wait "$_sched_job"
    _sched_rc=$?
    if ((_sched_rc <= 128)) || ! kill -s 0 "$_sched_job" 2>/dev/null; then break; fi
  done
  exit "$_sched_rc"
}

# An engine may start a container whose client is gone, and whose end is recorded.
_sched_is_over() {
  local _sched_mark
  [[ ! -e $_sched_dir/job.claim.$((_sched_attempt + 1)) ]] || return 0
  while read -r _sched_mark _; do [[ $_sched_mark != E ]] || return 0; done <"$_sched_claim"
  return 1
} 2>/dev/null

_sched_attend_inside() {
  local _sched_before_count
  trap : HUP INT QUIT TERM USR1 USR2 ALRM XCPU XFSZ
  set +m
  _sched_count_kills
  _sched_before_count=$_sched_kills
  exec {_sched_err}>&2 2>/dev/null       # what bash says of a killed child is not the job's
  (exec 2>&"$_sched_err" {_sched_err}>&-; trap - PIPE; _sched_inner)
  _sched_rc=$?
  _sched_class=-
  if ((_sched_rc)); then
    _sched_count_kills
    ((_sched_kills <= _sched_before_count)) || _sched_class=OUT_OF_MEMORY
  fi
  printf 'C %s %s\n' "$_sched_rc" "$_sched_class" 2>/dev/null >>"$_sched_claim"
  exit "$_sched_rc"
}

# How often the kernel has killed something of the container for its use of memory.
_sched_count_kills() {
  local _sched_file _sched_word _sched_value
  _sched_kills=0
  for _sched_file in /sys/fs/cgroup/memory.events /sys/fs/cgroup/memory/memory.oom_control; do
    while read -r _sched_word _sched_value; do
      [[ $_sched_word != oom_kill ]] || _sched_kills=$_sched_value
    done <"$_sched_file"
  done
} 2>/dev/null
