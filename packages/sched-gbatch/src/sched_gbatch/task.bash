# What a task of Google Batch does: fetch the wrapper of its job, run it on a disk of its own, and bring what it has written to the
# run's folder, which is a bucket's.  A mounted bucket has no append, no rename and no lock to rely on, and shows a file when it was
# closed: so whole files are brought, each is compared with what then lies there, and an event, whose name tells all, comes last.
#
# _sched_mounted is the run's folder, _sched_scratch what stands for it on this disk, _sched_there and _sched_dir the job's in each.

_sched_complain() { printf 'sched: %s\n' "$*" >&2; }

# Try again, as a file of a bucket may be late, until it works or so many seconds are over.
_sched_insist() {
  local _sched_until=$((SECONDS + $1)) _sched_step=1
  until "${@:2}"; do
    ((SECONDS < _sched_until)) || return 1
    command -p sleep "$_sched_step"
    ((_sched_step > 8)) || ((_sched_step *= 2))
  done
}

# --- what is fetched

_sched_read_bundle() {
  local _sched_mark _sched_owner
  mapfile -t _sched_lines <"$_sched_bundle" || return
  read -r _sched_mark _sched_owner _sched_first _ _sched_last <<<"${_sched_lines[0]-}"
  [[ $_sched_mark == sched-bundle && $_sched_owner == "$_sched_sid" && ${_sched_lines[_sched_last]-} == end ]]
} 2>/dev/null

_sched_find_job() {
  read -r _sched_index _sched_attempt _sched_skip _sched_count <<<"${_sched_lines[1 + _sched_number - _sched_first]}"
  _sched_dir=$_sched_scratch/$_sched_index _sched_there=$_sched_mounted/$_sched_index
}

_sched_fetch_recorder() {
  local _sched_copy=$_sched_scratch/.sched/$_sched_recorder_name
  command -p cp -f -- "$_sched_mounted/.sched/$_sched_recorder_name" "$_sched_copy" 2>/dev/null &&
    mapfile -t _sched_lines <"$_sched_copy" && [[ ${_sched_lines[*]: -1} == _sched_loaded=1 ]]
}

# What the wrapper refers to and does not hold is copied for as long as the job runs.
_sched_fetch_secrets() {
  local _sched_line _sched_pair
  for _sched_line in "${_sched_lines[@]:_sched_skip:_sched_count}"; do
    [[ $_sched_line == "_sched_secrets='"* && $_sched_line =~ ^[^\']*\'([A-Za-z0-9_.=\ ]*)\' ]] || continue
    for _sched_pair in ${BASH_REMATCH[1]}; do _sched_insist "$_sched_patience" _sched_fetch_secret "${_sched_pair#*=}"; done
  done
  return 0                               # the wrapper says what is missing
}

_sched_fetch_secret() {
  (umask 077 && command -p mkdir -p -- "$_sched_scratch/.sched/secrets" &&
    command -p cp -f -- "$_sched_mounted/.sched/secrets/$1" "$_sched_scratch/.sched/secrets/$1") 2>/dev/null
}

# Earlier starts of the attempt, and whether the driver has given it up: the recorder looks for itself, at what is brought here.
_sched_fetch_claims() {
  local _sched_name
  for _sched_name in "job.claim.$_sched_attempt"{,.r{1..11}}; do
    if [[ -e $_sched_there/$_sched_name ]]; then
      command -p cp -f -- "$_sched_there/$_sched_name" "$_sched_dir/" 2>/dev/null || : >"$_sched_dir/$_sched_name"
    elif [[ $_sched_name == *.r* ]]; then
      break
    fi
  done
  ! _sched_is_past || : >"$_sched_dir/job.claim.$((_sched_attempt + 1))"
}

# What an earlier start of the attempt has brought there is kept, as that of earlier attempts is.
_sched_keep_earlier() {
  local _sched_kept=$_sched_there/job.retry/$_sched_attempt.r$((BATCH_TASK_RETRY_ATTEMPT - 1))
  ((BATCH_TASK_RETRY_ATTEMPT)) && [[ -e $_sched_there/job.claim.$_sched_attempt ]] || return
  command -p mkdir -p -- "$_sched_kept" && command -p cp -f -- "$_sched_there"/job.std{out,err} "$_sched_kept/"
} >/dev/null 2>&1

_sched_make_folders() { command -p mkdir -p -- "$_sched_there" "$_sched_mounted/.sched/events" 2>/dev/null; }

_sched_prepare_job() {
  command -p mkdir -p -m 700 -- "$_sched_dir" "$_sched_scratch/.sched/events" || return
  _sched_insist "$_sched_patience" _sched_make_folders || return
  printf '%s\n' "${_sched_lines[@]:_sched_skip:_sched_count}" >"$_sched_dir/$_sched_wrapper" || return
  _sched_fetch_secrets
  unset _sched_lines
  _sched_insist "$_sched_patience" _sched_fetch_recorder || return
  _sched_keep_earlier
  _sched_fetch_claims
}

# --- what is brought

# Batch had lost sight of this machine: there is a next attempt, whose files lie there.
_sched_is_past() { [[ -e $_sched_there/job.claim.$((_sched_attempt + 1)) ]]; }

# Lines SUM NAME, for files of a folder; none where there is no md5sum.
_sched_sums() { cd -- "$1" && command -p md5sum -- "${@:2}"; } 2>/dev/null

_sched_bring() {
  (cd -- "$_sched_dir" && command -p cp -f -- "$@" "$_sched_there/") 2>/dev/null &&
    [[ $(_sched_sums "$_sched_there" "$@") == "$_sched_own_sums" ]]
}

_sched_bring_event() {
  local _sched_place=$_sched_mounted/.sched/events/$1
  command -p cp -f -- "$_sched_scratch/.sched/events/$2" "$_sched_place" 2>/dev/null && [[ -s $_sched_place ]]
}

# "0m1.250s" in thousandths.
_sched_milliseconds() {
  local _sched_minutes=${1%%m*} _sched_seconds=${1#*m}
  _sched_seconds=${_sched_seconds%s}
  _sched_value=$((10#$_sched_minutes * 60000 + 10#${_sched_seconds/[.,]/}))
}

_sched_spent() {
  local _sched_before
  _sched_milliseconds "$1"
  _sched_before=$_sched_value
  _sched_milliseconds "$2"
  printf -v _sched_value '%d.%03d' $(((_sched_value - _sched_before) / 1000)) $(((_sched_value - _sched_before) % 1000))
}

# What the newest claim tells, as the words of an event's name.
_sched_read_facts() {
  local _sched_line _sched_file=$_sched_dir/job.claim.$_sched_attempt _sched_next=1
  local -a _sched_words _sched_users=() _sched_systems=()
  while [[ -e $_sched_dir/job.claim.$_sched_attempt.r$_sched_next ]]; do
    _sched_file=$_sched_dir/job.claim.$_sched_attempt.r$((_sched_next++))
  done
  _sched_claim_file=$_sched_file _sched_class=- _sched_host=- _sched_began=- _sched_end=- _sched_user=- _sched_system=-
  while read -r _sched_line; do
    read -ra _sched_words <<<"$_sched_line"
    case $_sched_line in
      'E '*) _sched_class=${_sched_words[2]-} _sched_end=${_sched_words[3]-} ;;
      [0-9]*m*s\ [0-9]*m*s) _sched_users+=("${_sched_words[0]}") _sched_systems+=("${_sched_words[1]}") ;;
      *) ((${#_sched_words[@]} != 7)) || _sched_host=${_sched_words[2]} _sched_began=${_sched_words[6]} ;;
    esac
  done <"$_sched_file"
  _sched_host=${_sched_host//[^A-Za-z0-9._-]/-} _sched_host=${_sched_host:0:63}
  ((${#_sched_users[@]} == 4)) || return 0
  _sched_spent "${_sched_users[1]}" "${_sched_users[3]}" && _sched_user=$_sched_value
  _sched_spent "${_sched_systems[1]}" "${_sched_systems[3]}" && _sched_system=$_sched_value
} 2>/dev/null

# The kernel of the machine has ended something for its use of memory while the command was ended by KILL.
_sched_judge_memory() {
  local _sched_line
  [[ $_sched_class == EXIT && ! $_sched_killed ]] && _sched_count_kills && ((_sched_kills > _sched_kills_before)) || return
  _sched_class=OUT_OF_MEMORY
  mapfile -t _sched_lines <"$_sched_claim_file"
  for _sched_line in "${_sched_lines[@]}"; do printf '%s\n' "${_sched_line/#E 137 EXIT/E 137 OUT_OF_MEMORY}"; done >"$_sched_claim_file"
}

_sched_count_kills() {
  local _sched_name _sched_number
  _sched_kills=0
  while read -r _sched_name _sched_number; do [[ $_sched_name != oom_kill ]] || _sched_kills=$_sched_number; done </proc/vmstat
} 2>/dev/null

# --- beside the job

_sched_look_for_kills() {
  local _sched_file _sched_line
  for _sched_file in "$_sched_mounted/.sched/kills/$_sched_sid".*; do
    [[ -s $_sched_file && $_sched_seen_kills != *" ${_sched_file##*/} "* ]] || continue
    _sched_seen_kills+=" ${_sched_file##*/} "
    while read -r _sched_line; do
      [[ $_sched_line != '*' && $_sched_line != "$_sched_index:$_sched_attempt" ]] || _sched_killed=1
    done <"$_sched_file"
  done
  [[ $_sched_killed ]]
} 2>/dev/null

_sched_bring_logs() {
  local _sched_name _sched_since=$SECONDS
  local -a _sched_new=()
  ((SECONDS >= _sched_next_logs)) || return
  for _sched_name in job.stdout job.stderr; do
    if [[ -s $_sched_dir/$_sched_name && $_sched_dir/$_sched_name -nt $_sched_scratch/$_sched_name.brought ]]; then
      : >"$_sched_scratch/$_sched_name.brought"
      _sched_new+=("$_sched_dir/$_sched_name")
    fi
  done
  ((${#_sched_new[@]})) && ! _sched_is_past || return
  command -p cp -f -- "${_sched_new[@]}" "$_sched_there/" || command -p rm -f -- "$_sched_scratch"/*.brought
  # Each time all of it: what takes long is brought the less often.
  _sched_next_logs=$((SECONDS + 4 + 10 * (SECONDS - _sched_since)))
} 2>/dev/null

_sched_tell_start() {
  local _sched_event
  for _sched_event in "$_sched_scratch/.sched/events/$_sched_index.$_sched_attempt".*.RUNNING; do
    [[ -e $_sched_event && ! -e $_sched_scratch/told ]] || return 0
    _sched_read_facts
    command -p cp -f -- "$_sched_claim_file" "$_sched_there/" 2>/dev/null
    _sched_event=${_sched_event##*/}
    _sched_bring_event "$_sched_event,-,$_sched_host,$_sched_began,-,-,-,-,-" "$_sched_event" &&
      printf '%s\n' "$_sched_event,-,$_sched_host,$_sched_began,-,-,-,-,-" >"$_sched_scratch/told"
  done
}

_sched_end_job() {
  _sched_find
  _sched_signal TERM
  _sched_end_rest
}

# Until the pipe on stdin ends: a job that is over in no time is told of by its end alone.
_sched_accompany() {
  local _sched_interval=1 _sched_done=''
  trap '' HUP INT TERM USR1 USR2
  _sched_next_logs=0
  while read -rt "$_sched_interval"; (($? > 128)); do
    ((_sched_interval >= 5)) || ((_sched_interval++))
    _sched_tell_start
    _sched_bring_logs
    if [[ ! $_sched_done && -e $_sched_scratch/stopped ]]; then
      _sched_done=1
      _sched_end_job
    elif [[ ! $_sched_done ]] && _sched_look_for_kills; then
      _sched_done=1
      : >"$_sched_scratch/killed"
      _sched_end_job
    fi
  done
}

# Told by a signal that the task ends: nobody else ends the job by force, as long as the machine stays.  It may come just before `wait`,
# which it would not interrupt then, so that the companion is told.
_sched_note_stop() { [[ ! $_sched_stopped ]] || : >"$_sched_scratch/stopped"; }

_sched_start() { exec "$BASH" -p "$_sched_dir/$_sched_wrapper" "$_sched_attempt"; }

_sched_run_job() {
  _sched_start &
  _sched_child=$!
  exec {_sched_over}> >(_sched_accompany)
  _sched_companion=$!
  while :; do
    wait "$_sched_child"
    _sched_rc=$?
    if ((_sched_rc <= 128)) || ! kill -s 0 "$_sched_child" 2>/dev/null; then break; fi
  done
  [[ ! $_sched_passed ]] || read -r _sched_rc <"$_sched_dir/job.rc"
  [[ ! $_sched_stopped ]] || _sched_end_rest
  _sched_child=''
  exec {_sched_over}>&-
  while kill -s 0 "$_sched_companion" 2>/dev/null; do wait "$_sched_companion"; done
  [[ ! -e $_sched_scratch/killed ]] || _sched_killed=1
} 2>/dev/null

# --- the end

_sched_last_event() {
  local _sched_event
  for _sched_event in "$_sched_scratch/.sched/events/$_sched_index.$_sched_attempt".*.F*; do
    [[ ! -e $_sched_event ]] || _sched_value=${_sched_event##*/}
  done
}

_sched_tell_end() {
  local _sched_name _sched_sum _sched_output=- _sched_errors=- _sched_facts _sched_budget=$((SECONDS / 10 > _sched_patience ? SECONDS / 10 : _sched_patience))
  local -a _sched_files=()
  _sched_value=''
  _sched_last_event
  _sched_name=$_sched_value
  [[ $_sched_name ]] || return 0         # the attempt was not this task's to start
  ! _sched_is_past || return 0
  if ! _sched_insist "$_sched_patience" _sched_read_run || [[ $_sched_text != *"\"run\":\"$_sched_run\""* ]]; then
    _sched_untold="$_sched_mounted is no longer the folder of run $_sched_run: what job $_sched_index has written stays where it is"
    return
  fi
  _sched_read_facts
  ((_sched_rc != 137)) || _sched_judge_memory
  for _sched_value in job.{stdout,stderr,rc,status,jid} "$_sched_wrapper" "${_sched_claim_file##*/}"; do
    [[ ! -f $_sched_dir/$_sched_value ]] || _sched_files+=("$_sched_value")
  done
  _sched_own_sums=$(_sched_sums "$_sched_dir" "${_sched_files[@]}")
  while read -r _sched_sum _sched_value; do
    case $_sched_value in
      job.stdout) _sched_output=$_sched_sum ;;
      job.stderr) _sched_errors=$_sched_sum ;;
    esac
  done <<<"$_sched_own_sums"
  _sched_facts=$_sched_class,$_sched_host,$_sched_began,$_sched_end,$_sched_user,$_sched_system,$_sched_output,$_sched_errors
  _sched_insist "$_sched_budget" _sched_bring "${_sched_files[@]}" || _sched_untold="what job $_sched_index has written cannot be brought to $_sched_there"
  _sched_insist "$_sched_budget" _sched_bring_event "$_sched_name,$_sched_facts" "$_sched_name" || _sched_untold="that job $_sched_index has ended cannot be told"
  if read -r _sched_value <"$_sched_scratch/told"; then command -p rm -f -- "$_sched_mounted/.sched/events/$_sched_value"; fi
} 2>/dev/null

# The folder may have been removed, and another run begun in it since, whose jobs have the same numbers.
_sched_read_run() { _sched_text=$(<"$_sched_mounted/.sched/run.json") && [[ $_sched_text ]]; } 2>/dev/null

# Killed before it began.
_sched_tell_refusal() {
  printf '%s\n' '- killed before it began' >"$_sched_scratch/.sched/events/killed"
  _sched_insist "$_sched_patience" _sched_bring_event "$_sched_index.$_sched_attempt.0.FAILED.143,CANCELLED,-,-,-,-,-,-,-" killed
}

_sched_give_up() {
  _sched_complain "$*"
  exit 122
}

# --- the task

((SHLVL -= 1))
set -m              # a child of a shell without it would never hear of INT
_sched_child='' _sched_stopped='' _sched_passed='' _sched_killed='' _sched_seen_kills='' _sched_untold='' _sched_rc=1
_sched_number=${BATCH_TASK_INDEX:-0} BATCH_TASK_RETRY_ATTEMPT=${BATCH_TASK_RETRY_ATTEMPT:-0}
_sched_bundle=$_sched_mounted/.sched/bundles/$_sched_sid.$((_sched_number / _sched_bundle_size))
_sched_scratch=$(command -p mktemp -d "${TMPDIR:-/tmp}/sched.XXXXXXXX") || _sched_give_up "there is no place for temporary files"
trap 'command -p rm -rf -- "$_sched_scratch"' EXIT
for _sched_name in HUP INT TERM USR1 USR2; do
  # shellcheck disable=SC2064  # the name is meant to be this one
  trap "_sched_pass $_sched_name; _sched_note_stop" "$_sched_name"
done
_sched_insist "$_sched_patience" _sched_read_bundle || _sched_give_up "$_sched_bundle is not there: is the bucket mounted?"
_sched_find_job
((_sched_count)) || exit 0                # a job whose script could not be made
_sched_prepare_job || _sched_give_up "job $_sched_index cannot be set up"
_sched_count_kills
_sched_kills_before=$_sched_kills
[[ ! $_sched_stopped ]] || exit 143         # why, Batch knows
if _sched_look_for_kills; then
  _sched_tell_refusal
  exit 143
fi
_sched_run_job
_sched_tell_end
[[ ! $_sched_untold ]] || _sched_complain "$_sched_untold"
exit "$_sched_rc"
