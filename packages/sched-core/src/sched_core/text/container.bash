# shellcheck shell=bash disable=SC2154  # the job's script, and recorder.bash, assign what is only read here
# A command in a container: the recorder stays outside, the payload goes inside.
#
# The script runs twice.  Outside, its payload is the engine's client, which leads the payload's process group.  Inside, started as
# `bash SCRIPT --inside`, it is the rest of the payload: environment, directory, the user's text, the command.  What became of that
# is told by lines of the claim, whatever status the client ends with: 125, 126, 127 and 137 may be the command's own.
#   I                      the container has started
#   K                      it was told to end
#   C STATUS CLASS         the command has ended; just before that stands what it has used of processors, as `times` writes it
#   M BYTES                the most memory that the container had, of one that runs a single job: with the files in its cache
#
# A slot may keep its container for the jobs that follow (reuse).  Then the client is a child of the slot, `bash SCRIPT --serve` runs
# inside and takes orders on its stdin, and each payload outside only hands its job over and waits.  All of it ends with the slot.

# --- outside

# Become the client.
_sched_contain() {
  local -a _sched_words
  [[ ! $_sched_to ]] || _sched_hand_over    # which does not come back
  _sched_add 2>/dev/null
  export SCHED_JOB_TOKEN=$_sched_token
  # By a token of the engine's own, what it ends is found inside, too.
  _sched_tell_engine SCHED_JOB_TOKEN SCHED_TASK_TOKEN SCHED_SLOT CUDA_VISIBLE_DEVICES
  if [[ $PWD -ef $_sched_root/files ]]; then      # where inputs lie on a host with a disk of its own
    case $_sched_engine in apptainer) _sched_words+=(--pwd "$PWD") ;; *) _sched_words+=(--workdir "$PWD") ;; esac
  fi
  if [[ $_sched_secrets ]] && _sched_is_sent; then
    _sched_words+=(--interactive)
    exec < <(_sched_send_secrets)
  fi
  _sched_hand_back
  builtin exec -- "${_sched_words[@]}" "${_sched_image[@]}" "$_sched_inner_script" --inside
}

# Secrets are in files that another user may not read: inside they come on stdin, unless that is for orders.
_sched_is_sent() { [[ ${_sched_engine-} && $_sched_user && ! $_sched_reuse ]]; }

_sched_send_secrets() {
  local _sched_pair
  for _sched_pair in $_sched_secrets; do command -p cat -- "$_sched_secrets_folder/${_sched_pair#*=}"; done
}

# The client's words up to the image.  These variables are to be seen inside.
_sched_tell_engine() {
  _sched_words=("${_sched_container[@]}")
  [[ ! $_sched_container_name ]] || _sched_words+=(--name "$_sched_container_name")
  for _sched_name; do
    [[ ${!_sched_name+x} ]] || continue
    case $_sched_engine in
      apptainer) export "APPTAINERENV_$_sched_name=${!_sched_name}" "SINGULARITYENV_$_sched_name=${!_sched_name}" ;;
      *) _sched_words+=(--env "$_sched_name") ;;
    esac
  done
  case $_sched_engine${_sched_user:+ named} in
    docker | podman) _sched_words+=(--user "$EUID:${GROUPS[0]}") ;;
    *' named') _sched_words+=(--user "$_sched_user") ;;
  esac
  [[ $_sched_engine$_sched_user != podman ]] || ((!EUID)) || _sched_words+=(--userns=keep-id)
}

# Have a container at hand in which the slot's earlier jobs have run, if this one wants the same.
_sched_keep_container() {
  local _sched_wish
  printf -v _sched_wish '%q ' "${_sched_container[@]}" "${_sched_image[@]}"
  if [[ $_sched_to && $_sched_wish == "$_sched_kept" ]] && _sched_answers; then
    ((++_sched_reused))
  else
    _sched_end_kept
    _sched_start_kept
  fi
  [[ ! $_sched_container_name ]] || _sched_container_name=$_sched_kept_name
} 2>/dev/null

# A container that has ended says so at once, by the end of the pipe; one on a busy machine may take its time.
_sched_answers() {
  local _sched_word
  printf 'P\0' >&"$_sched_to" && read -rt 30 -u "$_sched_from" _sched_word
}

# It outlives the job, whose time limit's watcher waits for the end of pipe 6: it may not hold that.
_sched_start_kept() {
  local -a _sched_words
  _sched_kept_name=$_sched_container_name-$SCHED_SLOT-${_sched_self// /-}-$((++_sched_starts)) _sched_kept=$_sched_wish _sched_reused=0
  [[ ! $_sched_container_name ]] || _sched_container_name=$_sched_kept_name
  _sched_tell_engine SCHED_SLOT
  coproc _sched_served {
    trap - PIPE
    _sched_hand_back
    builtin exec -- "${_sched_words[@]}" "${_sched_image[@]}" "$_sched_inner_script" --serve 2>&8 6>&- 7>&- 8>&-
  }
  # shellcheck disable=SC2154  # coproc assigns it
  exec {_sched_to}>&"${_sched_served[1]}" {_sched_from}<&"${_sched_served[0]}"
  eval "exec ${_sched_served[1]}>&- ${_sched_served[0]}<&-"
}

# It ends by itself when nothing is left that could give it orders; this is for one that may not.
_sched_end_kept() {
  [[ $_sched_to ]] || return 0
  _sched_let_go
  [[ ! ${_sched_served_PID-} ]] || kill -s KILL -- "-$_sched_served_PID"
  [[ ! $_sched_container_name ]] || "$_sched_client" rm -f -- "$_sched_kept_name" >/dev/null 2>&1 </dev/null
}

_sched_let_go() {
  [[ ! $_sched_to ]] || exec {_sched_to}>&- {_sched_from}<&-
  _sched_to=''
}

# Have the slot's container run the job, and pass on what this process is told.
_sched_hand_over() {
  local _sched_status='' _sched_answer=''
  exec 2>/dev/null
  trap '' PIPE
  for _sched_name in HUP INT QUIT TERM USR1 USR2 ALRM XCPU XFSZ; do
    # shellcheck disable=SC2064  # names are meant to be these
    trap "printf 'K\n' >>\"\$_sched_claim\"; printf '$_sched_name\0' >&\"\$_sched_to\"" "$_sched_name"
  done
  printf 'R\0%s\0%s\0%s\0' "$_sched_inner_script" "$_sched_token" "$_sched_extra" >&"$_sched_to"
  while [[ $_sched_answer != "$_sched_token" ]]; do
    read -r -u "$_sched_from" _sched_answer _sched_status || (($? > 128)) || exit 125
  done
  exit "$_sched_status"
}

# What the claim tells of the inside.  Fails where the end is not told.
_sched_read_inside() {
  local _sched_mark _sched_status _sched_word
  _sched_begun='' _sched_told=''
  while read -r _sched_mark _sched_status _sched_word; do
    case $_sched_mark in
      I) _sched_begun=1 ;;
      K | T) _sched_told=$_sched_mark ;;
      C)
        _sched_rc=$_sched_status _sched_class=${_sched_word#-}
        ((_sched_rc)) || _sched_class=''  # it may have got over what was ended: for people to read only
        return 0 ;;
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
  if ! _sched_read_inside; then
    # Also of one that returns 0: Podman's may when it is told to end, with the container still running.
    if [[ $_sched_to && $_sched_reuse ]]; then _sched_end_kept 2>/dev/null; elif [[ $_sched_container_name ]]; then _sched_await_container; fi
    _sched_read_inside || { _sched_judge_silence; return; }
  fi
  _sched_judge_stop
}

# The inside has not told of its end.
_sched_judge_silence() {
  [[ ! $_sched_begun || $_sched_told ]] || ((_sched_rc)) || return 0       # a full disk may have taken that line
  ((_sched_rc)) || _sched_rc=125         # such as a client that was told to end before it had begun
  if [[ $_sched_begun ]] || ((_sched_reused)); then _sched_class=LOST; else _sched_judge_engine; fi
}

# An engine ends containers too: by TERM where a daemon comes back, or where somebody stops one.  That is not the command's own end;
# a driver that has asked for it knows that itself.
_sched_judge_stop() {
  [[ $_sched_container_name && $_sched_told == K && ! $_sched_signal ]] && ((_sched_rc == 143)) || return 0
  _sched_class=LOST
}

# A client can end before its container, such as by KILL.  Whatever still runs is waited for, or ended where that was asked for.
_sched_await_container() {
  local -a _sched_at_once=()
  local _sched_said _sched_try=0 _sched_until=$((SECONDS + ${_sched_grace%.*} + 1))
  [[ $_sched_engine != podman ]] || _sched_at_once=(--time 0)
  while [[ $_sched_begun && $_sched_told ]] && ((_sched_rc != 137 && SECONDS < _sched_until)); do
    command -p sleep 0.1                 # it may take its time, unless its client's was over
    ! _sched_read_inside || return
  done
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
  # What goes through a client may be lost: Podman's ends at times before it has passed on what a short command has written.
  { exec 7>>"$_sched_dir/job.stdout" 8>>"$_sched_dir/job.stderr"; } 2>/dev/null && exec >&7 2>&8 7>&- 8>&-
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

# Run the slot's jobs, one after the other, on orders that end with NUL: P asks for an answer, R runs a job, others are signals for it.
_sched_serve() {
  local _sched_order _sched_script _sched_job=''
  set -m
  while IFS= read -rd '' _sched_order; do
    case $_sched_order in
      P) printf 'P\n' ;;
      R)
        { IFS= read -rd '' _sched_script && IFS= read -rd '' _sched_token && IFS= read -rd '' _sched_extra; } || break
        _sched_serve_job &
        _sched_job=$!
        ;;
      *) kill -s "$_sched_order" -- "-$_sched_job" ;;
    esac
  done
  wait
} 2>/dev/null

_sched_serve_job() {
  trap : HUP INT QUIT TERM USR1 USR2 ALRM XCPU XFSZ
  exec {_sched_answer}>&1 </dev/null
  (
    exec >>"${_sched_script%/*}/job.stdout" 2>>"${_sched_script%/*}/job.stderr" {_sched_answer}>&-
    export SCHED_JOB_TOKEN=$_sched_token
    _sched_add
    builtin exec "$BASH" "$_sched_script" --inside
  )
  _sched_rc=$?
  _sched_end_rest
  printf '%s %s\n' "$_sched_token" "$_sched_rc" >&"$_sched_answer"
}

# What a job leaves running would have ended with a container of its own.
_sched_end_rest() {
  local _sched_file _sched_word _sched_found=1 _sched_try=0
  while ((_sched_found && ++_sched_try < 1000)); do
    _sched_found=0
    for _sched_file in /proc/[0-9]*/environ; do
      while IFS= read -rd '' _sched_word; do
        [[ $_sched_word != "SCHED_JOB_TOKEN=$_sched_token" ]] || { kill -s KILL "${_sched_file//[!0-9]/}" && _sched_found=1; }
      done <"$_sched_file"
    done
  done
} 2>/dev/null

_sched_attend_inside() {
  local _sched_before_count
  trap : HUP INT QUIT TERM USR1 USR2 ALRM XCPU XFSZ
  set +m
  _sched_count_kills
  _sched_before_count=$_sched_kills
  exec {_sched_err}>&2 2>/dev/null       # what bash says of a killed child is not the job's
  (exec 2>&"$_sched_err" {_sched_err}>&-; trap - PIPE; _sched_go_first; _sched_inner)
  _sched_rc=$?
  _sched_class=-
  _sched_count_kills
  ((_sched_kills <= _sched_before_count)) || _sched_class=OUT_OF_MEMORY
  # Outermost last: whoever sees that line sees the others.
  { _sched_tell_peak; times; printf 'C %s %s\n' "$_sched_rc" "$_sched_class"; } 2>/dev/null >>"$_sched_claim"
  exit "$_sched_rc"
}

# Where memory is short the kernel ends what scores highest, now and then a second process before the first has given back its memory:
# that is to be one of the command's, not the one that tells of it.
_sched_go_first() {
  local _sched_score
  read -r _sched_score </proc/self/oom_score_adj && printf '%s\n' "$((_sched_score < 800 ? _sched_score + 200 : 1000))" >/proc/self/oom_score_adj
} 2>/dev/null

# A container of docker's or podman's has a control group of its own, at whose place in /sys it sees itself; apptainer's has none.
_sched_tell_peak() {
  local _sched_file _sched_value
  [[ $_sched_engine != apptainer && ! $_sched_reuse ]] && _sched_owns_group || return 0
  for _sched_file in /sys/fs/cgroup/memory.peak /sys/fs/cgroup/memory/memory.max_usage_in_bytes; do
    read -r _sched_value <"$_sched_file" && [[ $_sched_value == [1-9]* ]] && { printf 'M %s\n' "$_sched_value"; return; }
  done
} 2>/dev/null

# Without rights of its own an engine may leave it in the group that it is in itself.  Who is in there, but not in the container, has
# no id here, which is written as 0.
_sched_owns_group() {
  local _sched_file _sched_value
  for _sched_file in /sys/fs/cgroup/cgroup.procs /sys/fs/cgroup/memory/cgroup.procs; do
    [[ -e $_sched_file ]] || continue
    while read -r _sched_value; do ((_sched_value)) || return 1; done <"$_sched_file"
  done
  return 0
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
