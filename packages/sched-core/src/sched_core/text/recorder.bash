# shellcheck shell=bash disable=SC2154  # the job's script assigns what is only read here
# What every job of this run does, from its claim to its record.  Each job.wrapped.* sources this file, each slot does so once.
#
# The recorder is this shell; the payload (environment, the user's text, the command) is a subshell of it that leads a process
# group of its own.  Nothing that happens in there can lose the record.  The recorder waits for it in the foreground, because a
# trap that interrupts `wait` can lose the status, and its own traps do no more than set a flag.  Builtins only.
#
# A recorder never runs in a shell's first process, always in a subshell (sched_job and slot.bash see to it): with `set -m` the
# first process takes a stopped payload for an ended one, and a payload that died of INT breaks its loop and ends it.
#
# All names start with _sched_: a name that the caller exported must reach the command with the caller's value.  bash >= 4.2.

# --- once a shell

# What would change this shell's own behaviour is put aside; the payload gets it back.
_sched_aside=()
for _sched_name in POSIXLY_CORRECT BASH_COMPAT EXECIGNORE FUNCNEST TMOUT; do
  [[ ! ${!_sched_name+x} ]] || _sched_aside+=("$_sched_name=${!_sched_name}")
done
unset POSIXLY_CORRECT BASH_COMPAT EXECIGNORE FUNCNEST TMOUT
set +o posix
export -n SHELLOPTS BASHOPTS
((SHLVL -= 1))                         # only the exec of a first process would do so
_sched_ifs=$' \t\n'                    # bash ignores an IFS from outside, and passes its own on
if ((BASH_VERSINFO[0] > 4)) && [[ ${IFS@a} == *x* ]]; then
  while IFS= read -rd '' _sched_name; do [[ $_sched_name != IFS=* ]] || _sched_ifs=${_sched_name#IFS=}; done </proc/self/environ
fi
_sched_host=- _sched_boot=- _sched_mask='' _sched_self='' _sched_slot='' _sched_extra='' _sched_busy='' _sched_stay=''
_sched_to='' _sched_kept='' _sched_starts=0 _sched_reused=0
{
  read -r _sched_host </proc/sys/kernel/hostname
  read -r _sched_boot </proc/sys/kernel/random/boot_id
  { read -r _; read -r _sched_name _sched_mask; } </proc/self/status
  [[ $_sched_name == Umask: ]] || _sched_mask=$(umask)     # before Linux 4.7
} 2>/dev/null

# Once a recorder's process.
_sched_prepare() {
  set -m
  trap '' PIPE
  for _sched_name in HUP INT QUIT TERM USR1 USR2 ALRM XCPU XFSZ; do
    # shellcheck disable=SC2064  # the name is meant to be this one
    trap "_sched_signal=\${_sched_signal:-$_sched_name}" "$_sched_name"
  done
  trap _sched_give_up EXIT
  _sched_identify
  _sched_self="$_sched_pid $_sched_ticks"
}

# The process id, and the start time in ticks that tells it from a later process of the same id.
_sched_identify() {
  local -a _sched_field
  read -r _sched_name </proc/self/stat
  _sched_pid=${_sched_name%% *}
  # shellcheck disable=SC2206  # a letter and numbers
  _sched_field=(${_sched_name##*) })
  _sched_ticks=${_sched_field[19]}
}

_sched_now() {
  if ((BASH_VERSINFO[0] > 4)); then _sched_time=${EPOCHREALTIME/,/.}; else printf -v _sched_time '%(%s)T' -1; fi
}

# --- the recorder

# sched_job [ATTEMPT]: run the job that the script has described.  Returns the command's status; 121: the attempt is not ours to
# start, 122: it could not be set up or recorded.
sched_job() {
  if [[ ${1-} == --inside ]]; then
    _sched_inside
  elif [[ ${1-} == --serve ]]; then
    _sched_serve
  elif ((BASH_SUBSHELL)); then
    _sched_job "$@"
  else
    trap : HUP INT QUIT TERM USR1 USR2
    (_sched_job "$@"; exit)
  fi
}

_sched_job() {
  _sched_rc=121 _sched_class='' _sched_signal=''
  [[ ${1-$_sched_attempt} == "$_sched_attempt" ]] || return 121
  [[ $_sched_self ]] || _sched_prepare
  umask "$_sched_records"
  _sched_take 2>/dev/null
  _sched_rc=$?
  case $_sched_rc in
    0)
      _sched_busy=1
      _sched_attend
      _sched_record 2>/dev/null
      [[ ! $_sched_slot ]] || _sched_sum_up
      _sched_busy=''
      ;;
    122) _sched_class=SETUP; _sched_event FAILED.122 2>/dev/null ;;
  esac
  return "$_sched_rc"
}

# The claim: created exclusively, so that an attempt starts at most once.  121: somebody else's; 122: it cannot be written.
_sched_take() {
  local _sched_made _sched_other
  _sched_restarts=0 _sched_claim=$_sched_dir/job.claim.$_sched_attempt
  _sched_now
  [[ $_sched_restart && $_sched_restart != *[!0-9]* ]] || _sched_restart=0
  [[ ! -e $_sched_dir/job.claim.$((_sched_attempt + 1)) ]] || return 121
  while :; do
    _sched_made=''
    set -C
    {
      _sched_made=1
      printf '%s %s %s %s %s %s\n' "${_sched_jid:-$_sched_pid}" "$_sched_restart" "$_sched_host" "$_sched_boot" "$_sched_self" "$_sched_time" && times
    } >"$_sched_claim" && { set +C; return 0; }
    set +C
    [[ ! $_sched_made && -e $_sched_claim ]] || return 122
    # Taken; but when the engine started the same job again, this is the next incarnation.
    ((10#$_sched_restart)) && read -r _sched_other _ <"$_sched_claim" && [[ $_sched_jid && $_sched_other == "$_sched_jid" ]] || return 121
    while read -r _sched_other; do [[ $_sched_other != 'E 0 '* ]] || return 121; done <"$_sched_claim"   # it had finished
    _sched_claim=$_sched_dir/job.claim.$_sched_attempt.r$((++_sched_restarts))
  done
}

# What was written before the engine started the job again is kept, as that of earlier attempts is.
_sched_keep() {
  local _sched_kept=$_sched_dir/job.retry/$_sched_attempt.r$((_sched_restarts - 1))
  command -p mkdir -p -- "$_sched_kept" && command -p mv -- "$_sched_dir"/job.std{out,err} "$_sched_kept"
} >/dev/null 2>&1

_sched_open() {
  if ((_sched_restarts)); then
    _sched_keep
  else
    exec 7>"$_sched_dir/job.stdout" 8>"$_sched_dir/job.stderr" || return
    [[ ${_sched_engine-} ]] || return 0      # a container's command opens them again, beside its client
  fi
  exec 7>>"$_sched_dir/job.stdout" 8>>"$_sched_dir/job.stderr"
}

# Start the payload and wait for its end.  Its stderr is not this shell's: "Killed" and the like are said elsewhere.
_sched_attend() {
  if ! _sched_open 2>/dev/null; then
    _sched_rc=122 _sched_class=SETUP
    return
  fi
  printf 4 2>/dev/null 1<>"$_sched_dir/job.status"
  ((!_sched_restarts)) || : 2>/dev/null >"$_sched_dir/job.rc"
  [[ $_sched_events != always ]] || _sched_event RUNNING 2>/dev/null
  _sched_steps=$_sched_secrets$_sched_cwd$_sched_before
  [[ ! $_sched_steps ]] || exec {_sched_seen}</proc/self/status
  if [[ $_sched_timeout ]]; then exec 6> >(_sched_watch); _sched_clock=$!; fi
  if [[ $_sched_signal ]]; then
    _sched_rc=$((128 + $(kill -l "$_sched_signal")))
  else
    [[ ! ${_sched_engine-} || ! $_sched_reuse || ! $_sched_slot ]] || _sched_keep_container
    (_sched_payload)
    _sched_rc=$?
    [[ ! ${_sched_engine-} ]] || _sched_judge_container
    [[ ! $_sched_steps || $_sched_class ]] || _sched_judge_setup 2>/dev/null
  fi
  exec 7>&- 8>&-
  [[ ! $_sched_timeout ]] || _sched_judge_time 2>/dev/null
}

# Did the payload reach its mark?  It has read the first letter, "Name:", of a file that both have open, which a full disk cannot
# prevent; and it has written X, in case the user's text has closed that file.
_sched_judge_setup() {
  local _sched_mark=N
  read -rN1 -u "$_sched_seen" _sched_mark
  exec {_sched_seen}<&-
  [[ $_sched_mark == N ]] || return
  while read -r _sched_mark; do [[ $_sched_mark != X ]] || return; done <"$_sched_claim"
  _sched_class=SETUP
  ((_sched_rc)) || _sched_rc=122       # such as a prescript's `exit 0`: nothing was run, so it is no success
}

_sched_judge_time() {
  local _sched_mark _sched_late
  exec 6>&-
  while :; do
    wait "$_sched_clock"
    _sched_late=$?
    if ((_sched_late <= 128)) || ! kill -s 0 "$_sched_clock"; then break; fi
  done
  while ((_sched_late != 1)) && read -r _sched_mark; do [[ $_sched_mark != T ]] || _sched_late=1; done <"$_sched_claim"
  ((_sched_late == 1)) || return
  _sched_class=TIMEOUT
  ((_sched_rc)) || _sched_rc=124       # it ended well, but only because it was told to
}

# The record.  Each line may fail alone; what was written nowhere has not happened.
_sched_record() {
  local _sched_state=7 _sched_word=FAILED _sched_kept='' _sched_lost=''
  if [[ -e $_sched_dir/job.claim.$((_sched_attempt + 1)) || -e $_sched_dir/job.claim.$_sched_attempt.r$((_sched_restarts + 1)) ]]; then
    _sched_rc=121                      # given up while it ran: what is there belongs to the next one
    return
  fi
  if ((!_sched_rc)); then _sched_state=6 _sched_word=FINISHED; else _sched_class=${_sched_class:-EXIT}; fi
  _sched_now
  { times; printf '%sE %s %s %s\n' "${_sched_signal:+G $_sched_signal$'\n'}" "$_sched_rc" "${_sched_class:--}" "$_sched_time"; } \
    >>"$_sched_claim" && _sched_kept=1 || _sched_lost=1
  printf '%s\n' "$_sched_rc" >"$_sched_dir/job.rc" && _sched_kept=1 || _sched_lost=1
  printf %s "$_sched_state" 1<>"$_sched_dir/job.status" || _sched_lost=1
  if [[ $_sched_lost || $_sched_events == always ]]; then _sched_event "$_sched_word.$_sched_rc" && _sched_kept=1; fi
  [[ $_sched_kept ]] || _sched_rc=122 _sched_class=SETUP
}

# What the claim tells of processors and memory, as one word for whoever waits for the slot: reading it there would be dear.
# shellcheck disable=SC2034  # the slot says it
_sched_sum_up() {
  local _sched_from _sched_upto _sched_peak='' _sched_place
  local -a _sched_lines=()
  mapfile -t _sched_lines <"$_sched_claim"
  _sched_from=${_sched_lines[2]-} _sched_place=$((${#_sched_lines[@]} - 1))
  if [[ ${_sched_engine-} ]]; then
    _sched_from='0m0.000s 0m0.000s'
    while ((_sched_place > 2)) && [[ ${_sched_lines[_sched_place]} != 'C '* ]]; do ((--_sched_place)); done
    ((_sched_place < 6)) || [[ ${_sched_lines[_sched_place - 3]} != 'M '* ]] || _sched_peak=/${_sched_lines[_sched_place - 3]#M }
  elif [[ $_sched_signal ]]; then
    ((--_sched_place))                   # G stands before the end, behind the times
  fi
  ((_sched_place > 2)) || return 0
  _sched_upto=${_sched_lines[_sched_place - 1]}
  _sched_used=$_sched_from/$_sched_upto$_sched_peak
  _sched_used=${_sched_used// /:}
} 2>/dev/null

# An event's name says it all, so that a full disk loses nothing; its content is for people.
_sched_event() {
  [[ $_sched_spool ]] || return
  local _sched_file=$_sched_spool/$_sched_index.$_sched_attempt.$_sched_restarts.$1
  printf '%s %s %s %s\n' "${_sched_class:--}" "$_sched_time" "$_sched_host" "${_sched_jid:-$_sched_pid}" >"$_sched_file" || [[ -e $_sched_file ]]
}

# This shell ends on its own account, because it could not fork: that is a result as well.
_sched_give_up() {
  [[ $_sched_busy ]] || return
  _sched_rc=122 _sched_class=SETUP
  _sched_record
  [[ ! $_sched_slot ]] || printf 'E %s %s %s %s\n' "$_sched_index" "$_sched_attempt" "$_sched_rc" "$_sched_class"
} 2>/dev/null

# --- the time limit

# A process that reads a pipe which stays silent.  The payload says there who it is; the end of file says that it is over.
_sched_watch() {
  local _sched_leader _sched_born LC_ALL=C      # C: a fraction is read with a point
  trap '' HUP INT QUIT TERM USR1 USR2 ALRM
  trap - EXIT
  exec >/dev/null 2>&1 7>&- 8>&-
  _sched_let_go
  read -r _sched_leader _sched_born || exit 0
  [[ ! ${_sched_engine-} ]] || _sched_await_inside || exit 0
  read -rt "$_sched_timeout"
  (($? > 128)) && _sched_alive || exit 0
  ! { [[ ${_sched_engine-} ]] && _sched_read_inside; } || exit 0     # in time; the engine takes its own to tidy up
  printf 'T\n' >>"$_sched_claim"
  kill -s TERM -- "-$_sched_leader"
  read -rt "$_sched_grace"
  kill -s KILL -- "-$_sched_leader"    # also what of the group outlives its leader
  exit 1
}

_sched_alive() {
  local -a _sched_field
  read -r _sched_name <"/proc/$_sched_leader/stat" || return
  # shellcheck disable=SC2206
  _sched_field=(${_sched_name##*) })
  [[ ${_sched_field[19]} == "$_sched_born" && ${_sched_field[0]} != [ZX] ]]
}

# --- the payload

_sched_payload() {
  _sched_identify
  {
    printf '%s\n' "${_sched_jid:-$_sched_pid}" >"$_sched_dir/job.jid"
    printf 'P %s %s\n' "$_sched_pid" "$_sched_ticks" >>"$_sched_claim"
    [[ ! $_sched_slot ]] || printf 'S %s %s %s %s\n' "$_sched_index" "$_sched_attempt" "$_sched_pid" "$_sched_ticks"
    if [[ $_sched_timeout ]]; then printf '%s %s\n' "$_sched_pid" "$_sched_ticks" >&6; exec 6>&-; fi
  } 2>/dev/null
  trap - PIPE
  set +m
  exec </dev/null >&7 2>&8 7>&- 8>&-
  [[ ${_sched_engine-} && $_sched_reuse ]] || _sched_let_go
  if [[ ${_sched_engine-} ]]; then _sched_contain; else _sched_inner; fi
}

_sched_inner() {
  umask "${_sched_umask:-$_sched_mask}"
  [[ ! $_sched_secrets ]] || _sched_read_secrets
  { _sched_env; _sched_add; } 2>/dev/null       # silent: LC_ALL may name a locale that is not here
  [[ ! $_sched_cwd ]] || cd -- "$_sched_cwd" || exit 122
  if [[ $_sched_before$_sched_after ]]; then
    # The user's text may change cmd, exit, redefine and unset what it likes.  What runs after the command needs this shell to stay;
    # so does a trap that the text may set, which would not outlive an exec.  Without them no signal is caught: one that came just
    # before the exec would be lost.
    _sched_saved=${cmd-} _sched_had=${cmd+x} _sched_ready='' _sched_running='' _sched_stay=$_sched_after
    if [[ $_sched_stay || $_sched_before == *trap* ]]; then
      _sched_stay=1
      trap '_sched_stop 129' HUP
      trap '_sched_stop 130' INT
      trap '_sched_stop 143' TERM
    fi
    unset cmd
    cmd=("${_sched_cmd[@]}")
    eval "$_sched_before"$'\n_sched_ready=1'
    [[ ${_sched_ready-} && ${#cmd[@]} -gt 0 ]] || exit 122
    _sched_cmd=("${cmd[@]}")
    unset cmd
    # shellcheck disable=SC2178  # a string again, as the caller had it
    [[ ! $_sched_had ]] || export cmd="$_sched_saved"
  fi
  [[ ! $_sched_secrets$_sched_cwd$_sched_before ]] || _sched_mark
  [[ ! ${_sched_stay-} ]] || _sched_run
  _sched_hand_back
  builtin exec -- "${_sched_cmd[@]}"
}

# Values that no script holds, each ended by NUL in a file of its own. They are read by a builtin under their own names, so that neither a
# trace nor a command line shows them; in C, where a broken character does not swallow the NUL behind it.
_sched_read_secrets() {
  local _sched_pair _sched_file
  for _sched_pair in $_sched_secrets; do
    _sched_file=$_sched_secrets_folder/${_sched_pair#*=} _sched_pair=${_sched_pair%%=*}
    _sched_read_secret 2>/dev/null || _sched_lack_secret
    export "${_sched_pair?}"
  done
  ! _sched_is_sent || exec </dev/null
}

_sched_read_secret() {
  if _sched_is_sent; then
    LC_ALL=C IFS= read -rd '' "$_sched_pair"
  else
    LC_ALL=C IFS= read -rd '' "$_sched_pair" <"$_sched_file"
  fi
}

_sched_lack_secret() {
  if [[ -e $_sched_file ]]; then
    printf 'sched: the secret %s cannot be read by user %s: %s\n' "$_sched_pair" "$EUID" "$_sched_file" >&2
  else
    printf 'sched: the secret %s is not there (any more: it is removed when its run has ended): %s\n' "$_sched_pair" "$_sched_file" >&2
  fi
  exit 122
}

# What the slot exports for this job: lines of NAME=value.
_sched_add() {
  while [[ $_sched_extra ]]; do
    export "${_sched_extra%%$'\n'*}"
    [[ $_sched_extra == *$'\n'* ]] || break
    _sched_extra=${_sched_extra#*$'\n'}
  done
}

_sched_hand_back() {
  [[ $IFS != $' \t\n' ]] || IFS=$_sched_ifs
  for _sched_name in ${_sched_aside[@]+"${_sched_aside[@]}"}; do
    _sched_saved=${_sched_name%%=*}
    [[ ${!_sched_saved+x} ]] || export "${_sched_name?}"
  done
}

# Setup is done: see _sched_judge_setup.
_sched_mark() {
  { builtin printf 'X\n' >>"$_sched_claim"; builtin read -rN1 -u "$_sched_seen" _sched_name; exec {_sched_seen}<&-; } 2>/dev/null || :
}

# A signal ends the user's text, but does not keep it from seeing the end of the command.
_sched_stop() { [[ $_sched_running ]] || exit "$1"; }

# The command as a child, and the user's closing text.  What this shell says of a killed child is not the job's output.
_sched_run() {
  _sched_running=1
  exec {_sched_err}>&2 2>/dev/null
  (_sched_hand_back; builtin exec 2>&"$_sched_err" {_sched_err}>&- -- "${_sched_cmd[@]}") && rc=0 || rc=$?
  exec 2>&"$_sched_err" {_sched_err}>&-
  set +eu
  builtin eval "$_sched_after"
  builtin exit "$rc"
}

_sched_loaded=1
