# shellcheck shell=bash disable=SC2034,SC2154,SC2015,SC2088  # variables are shared with the recorder, which this sources
# What runs on a host for one driver, on one channel, as long as its connection lasts: bash -p, this text read from stdin.
#
#   stdin   requests: fields, each ended by NUL, the first one names the request; a list of attempts ends with an empty field;
#           after "run" and "secret" comes a text of as many bytes as the second field says
#   stdout  after a line with the driver's own mark (before it, whatever a login script prints), lines:
#     hello PID TICKS BOOT CORES KIB CARDS BASH HOST   who this is, and what the host has
#     root SHARED PATH                                 where the run's folder is
#     S INDEX ATTEMPT PID TICKS                        a command has started (said by its recorder)
#     E INDEX ATTEMPT RC CLASS [RECORDS]               its record is written; on a disk of the host's own with its files: each
#                                                      after a byte 037, with 036 for a newline, 035 and one of 0def for the
#                                                      bytes 000, 035, 036, 037; 035 alone where it is to be fetched
#     G INDEX ATTEMPT                                  its processes are gone and left no record
#     D SLOT                                           a slot has died
#     a INDEX ATTEMPT STATE [RC [CLASS]]               what is known of an attempt: none fence running gone ended foreign
#     done NUMBER                                      the request of that number is done
#     error TEXT                                       this cannot go on
#
# A line is one write of less than PIPE_BUF bytes, so that lines of several processes never mix.
# When the driver is gone, slots finish and record what they run, and take nothing more.

_agent_mark=$1 _agent_root='' _agent_boot=- _agent_host=- _agent_pipes=() _agent_shells=() _agent_list=() _agent_apart=''
_agent_mask=$(umask)
set +o history
umask 077
trap '' PIPE
trap : HUP INT QUIT TERM USR1 USR2
exec {_agent_quiet}<> <(:)

_agent_fail() {
  printf 'error %s\n' "$1"
  exit 1
}

_agent_look_around() {
  local memory=0 cores='' word rest card cards=0
  read -r _agent_boot </proc/sys/kernel/random/boot_id || _agent_fail 'there is no /proc: only Linux hosts can run jobs'
  read -r _agent_host </proc/sys/kernel/hostname
  while read -r word memory rest; do [[ $word != MemTotal: ]] || break; done </proc/meminfo
  cores=$(command -p nproc 2>/dev/null) || cores=$(command -p getconf _NPROCESSORS_ONLN 2>/dev/null) || cores=1
  for card in /dev/nvidia[0-9]*; do [[ ! -e $card ]] || ((++cards)); done
  _agent_identify
  printf '\n%s\nhello %s %s %s %s %s %s %s %s\n' "$_agent_mark" "$_agent_pid" "$_agent_ticks" "$_agent_boot" "$cores" \
    "$memory" "$cards" "${BASH_VERSINFO[0]}.${BASH_VERSINFO[1]}" "$_agent_host"
}

_agent_identify() {
  local -a field
  read -r _agent_pid </proc/self/stat
  # shellcheck disable=SC2206  # a letter and numbers
  field=(${_agent_pid##*) })
  _agent_pid=${_agent_pid%% *} _agent_ticks=${field[19]}
}

# Whether this very process lives: PID TICKS.
_agent_alive() {
  local -a field
  local line
  # A record that names the first process would have us end all that there are.
  [[ $1 && $2 && $1 != 1 ]] && { read -r line </proc/"$1"/stat; } 2>/dev/null || return
  # shellcheck disable=SC2206
  field=(${line##*) })
  [[ ${field[19]} == "$2" && ${field[0]} != [ZX] ]]
}

_agent_folder() { [[ -d $1 ]] || command -p mkdir -p -- "$1"; }

# Nobody else may have made a folder on the way to the run's where everybody may write: he could put his scripts in the place of ours.
_agent_check_place() {
  local place=$1 above
  while [[ $place == /?* ]]; do
    above=${place%/*}
    if [[ $(command -p find "${above:-/}/." -prune -perm -0002) && ! $(command -p find "$place" -prune \( -user 0 -o -user "$EUID" \)) ]]; then
      _agent_fail "somebody else has made $place, where everybody may write: name another folder (workdir)"
    fi
    place=$above
  done
} 2>/dev/null

# INDEX: make a job's folder, and those of the next jobs: a program for each would take longer than a short job.
_agent_home() {
  local i
  local -a wanted=()
  [[ -d $_agent_root/$1 ]] && return
  for ((i = 0; i < 64; i++)); do wanted+=("$_agent_root/$(($1 + i))"); done
  command -p mkdir -p -- "${wanted[@]}"
  [[ -d $_agent_root/$1 ]]
}

# Find or make the run's folder: WORKDIR PROBE CONTENT FALLBACK RUN RECORDER TEXT DIRECTORY.
# It is the driver's own where its probe is seen there.
_agent_open() {
  local seen='' shared=0 base=$4 name
  if [[ $2 ]]; then { read -r seen <"$1/.sched/$2"; } 2>/dev/null; fi
  if [[ $seen == "$3" && $seen ]]; then
    [[ -w $1/.sched ]] || _agent_fail "the run's folder is there, but cannot be written: $1"
    _agent_root=$1 shared=1
  else
    [[ $base ]] || base=${XDG_CACHE_HOME:-$HOME/.cache}/sched
    [[ $base != '~/'* ]] || base=$HOME/${base#'~/'}
    [[ $base == /* && $base != *$'\n'* ]] || _agent_fail "not a folder for runs: $base"
    _agent_root=$base/$5 _agent_apart=1
    for name in tar head; do
      command -pv "$name" >/dev/null || _agent_fail "there is no $name, with which files are brought there and back: install it there"
    done
    { _agent_folder "$_agent_root/.sched/events" && _agent_folder "$_agent_root/files"; } 2>/dev/null ||
      _agent_fail "no folder can be made: $_agent_root"
    [[ -O $_agent_root && ! -L $_agent_root ]] || _agent_fail "somebody else's folder: $_agent_root"
    _agent_check_place "$_agent_root"
  fi
  _agent_recorder=$_agent_root/.sched/$6
  if [[ ! -e $_agent_recorder ]]; then
    # Hosts that share homes may do this at once.
    file=$_agent_recorder.$_agent_boot.$_agent_pid
    { printf '%s' "$7" >"$file" && command -p mv -f -- "$file" "$_agent_recorder"; } 2>/dev/null ||
      _agent_fail "the disk cannot be written (is it full?): $_agent_root"
  fi
  _agent_take_over
  umask "$_agent_mask"                 # the jobs' own
  # shellcheck source=/dev/null
  . "$_agent_recorder" || _agent_fail "this bash cannot run jobs: $BASH_VERSION"
  _sched_loaded=$_agent_recorder
  if ((shared)); then cd -- "$8" 2>/dev/null || cd || _agent_fail "$HOME"; else cd -- "$_agent_root/files" || _agent_fail "$_agent_root/files"; fi
  printf 'root %s %s\n' "$shared" "${_agent_root//$'\n'/ }"
}

# End what earlier connections of this run have left behind: it might still start what is given up by now.
_agent_take_over() {
  local file name
  local -a who
  for file in "$_agent_root/.sched/agent.$_agent_boot."*; do
    name=${file##*/agent.}
    IFS=. read -r -a who <<<"$name"
    if [[ ${who[2]-} ]] && _agent_alive "${who[1]}" "${who[2]}"; then
      kill -s KILL "${who[1]}" 2>/dev/null
    fi
    [[ ! -e $file ]] || command -p rm -f -- "$file"
  done
  { : >"$_agent_root/.sched/agent.$_agent_boot.$_agent_pid.$_agent_ticks"; } 2>/dev/null
}

# --- slots: each is a subshell that runs job after job

# Names here begin with _agent_: a local one would hide an exported one of the user's from the jobs.
_agent_slot() {
  _agent_close
  exec {_agent_quiet}>&-
  export SCHED_SLOT=$1
  exec 2>/dev/null
  (
    _sched_slot=1
    _sched_prepare
    while
      IFS= read -rd '' _sched_path && IFS= read -rd '' _sched_extra && IFS= read -rd '' _sched_wanted && IFS= read -rd '' _sched_expected
    do
      _sched_index=$_sched_wanted _sched_attempt=$_sched_expected _sched_rc=122 _sched_class=SETUP _sched_used=''
      # shellcheck source=/dev/null
      . "$_sched_path" "$_sched_expected"
      _agent_end "$_sched_wanted" "$_sched_expected" "$_sched_rc" "${_sched_class:--}" "$_sched_used"
    done
  )
  printf 'D %s\n' "$1"
}

# INDEX ATTEMPT RC CLASS [USED]: tell of an end.
_agent_end() {
  local _agent_line="E $*" _agent_name LC_ALL=C     # bytes are what counts
  if [[ $_agent_apart ]]; then
    for _agent_name in "job.claim.$2" job.{jid,rc,status,stderr,stdout}; do _agent_add "$_agent_root/$1/$_agent_name"; done
  fi
  echo -n "$_agent_line"$'\n'          # other ways are several writes where the C library is not GNU's
} 2>/dev/null

# Add what a file holds to _agent_line; that it is to be fetched, where all would be too long to be written at once.
_agent_add() {
  local _agent_text='' _agent_piece='' _agent_whole=''
  if [[ -f $1 ]]; then
    while :; do
      IFS= read -rd '' -n 3900 _agent_piece || _agent_whole=1     # success: there was a NUL, or there is more
      if [[ $_agent_piece == *[$'\35\36\37']* ]]; then
        _agent_piece=${_agent_piece//$'\35'/$'\35d'} _agent_piece=${_agent_piece//$'\36'/$'\35e'}
        _agent_piece=${_agent_piece//$'\37'/$'\35f'}
      fi
      _agent_text+=$_agent_piece
      # Bytes that bash uses itself: an old one may lose them.
      ((BASH_VERSINFO[0] > 4)) || [[ $_agent_piece != *$'\1'* && $_agent_piece != *$'\177'* ]] || { _agent_whole=''; break; }
      [[ ! $_agent_whole ]] && ((${#_agent_text} < 3900)) || break
      _agent_text+=$'\35'0
    done <"$1"
  fi
  if [[ $_agent_whole ]] && ((${#_agent_line} + ${#_agent_text} < 3900)); then
    _agent_line+=$'\37'${_agent_text//$'\n'/$'\36'}
  else
    _agent_line+=$'\37\35'
  fi
}

# NAME: keep a value, which is _agent_text, where scripts look for it.
_agent_keep_secret() {
  local file=$_agent_root/.sched/secrets/$1
  local fresh=$file.$_agent_boot.$_agent_pid      # hosts that share homes may do this at once
  (
    umask 077
    _agent_folder "${file%/*}"
    printf '%s\0' "$_agent_text" >"$fresh" && command -p mv -f -- "$fresh" "$file" || command -p rm -f -- "$fresh"
  ) 2>/dev/null
  _agent_text=''
}

# NUMBER: remove them all, on a disk of the host's own: no job needs them any more.
_agent_forget_secrets() {
  [[ ! $_agent_apart ]] || command -p rm -rf -- "$_agent_root/.sched/secrets" 2>/dev/null
  [[ -e $_agent_root/.sched/secrets && $_agent_apart ]] || printf 'done %s\n' "$1"
}

# Who does not write to a slot must not keep its pipe open: its end tells the slot that no more will come.
_agent_close() {
  for _agent_pipe in "${_agent_pipes[@]}"; do [[ ! $_agent_pipe ]] || exec {_agent_pipe}>&-; done
}

# SLOT TEXT EXTRA INDEX ATTEMPT SCRIPT: run a script of the run's folder, which is written first where TEXT is given.
_agent_run() {
  if [[ $2 ]] && ! { _agent_home "$4" && printf '%s' "$2" >"$_agent_root/$4/$6"; } 2>/dev/null; then
    printf 'E %s %s 122 SETUP\n' "$4" "$5"
    return
  fi
  _agent_pipe=${_agent_pipes[$1]-}
  if [[ ! $_agent_pipe ]]; then
    exec {_agent_pipe}> >(_agent_slot "$1")
    _agent_pipes[$1]=$_agent_pipe _agent_shells[$1]=$!
  fi
  { printf '%s\0' "$_agent_root/$4/$6" "$3" "$4" "$5" >&"$_agent_pipe"; } 2>/dev/null || printf 'D %s\n' "$1"
}

_agent_drop() {
  _agent_pipe=${_agent_pipes[$1]-}
  [[ ! $_agent_pipe ]] || exec {_agent_pipe}>&-
  unset "_agent_pipes[$1]" "_agent_shells[$1]"
}

# Tell of slots whose shells are gone without a word.  (An old bash does not say who its process substitutions are.)
_agent_check() {
  local slot line
  local -a field
  ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] >= 404)) || return
  for slot in "${!_agent_shells[@]}"; do
    line=''
    { read -r line <"/proc/${_agent_shells[slot]}/stat"; } 2>/dev/null
    # shellcheck disable=SC2206
    field=(${line##*) })
    [[ ${field[1]-} != "$_agent_pid" || ${field[0]} == [ZX] ]] || continue
    unset "_agent_shells[$slot]"
    printf 'D %s\n' "$slot"
  done
}

# --- what is known of an attempt

# INDEX ATTEMPT; sets _agent_state, _agent_rc, _agent_class, and _agent_leader with its start.
_agent_judge() {
  _agent_read "$1" "$2"
  if [[ $_agent_state == running && ! $_agent_where ]]; then
    read -rt 1 -u "$_agent_quiet"      # a claim is created first, then written
    _agent_read "$1" "$2"
  fi
  [[ $_agent_state == running ]] || return
  if [[ $_agent_where && $_agent_where != "$_agent_boot" ]]; then
    _agent_state=foreign
    return
  fi
  # shellcheck disable=SC2086  # two words each
  if ! _agent_alive $_agent_keeper && ! _agent_alive $_agent_leader; then
    _agent_read "$1" "$2"              # it may have been recorded since
    [[ $_agent_state != running ]] || _agent_state=gone
  fi
}

_agent_read() {
  local a b c d e f g claim=$_agent_root/$1/job.claim.$2
  _agent_state=none _agent_rc='' _agent_class='' _agent_keeper='' _agent_leader='' _agent_where=''
  if [[ -e $claim ]]; then
    _agent_state=running
    while IFS=' ' read -r a b c d e f g; do
      case $a.$g in
        P.) _agent_leader="$b $c" ;;
        E.) [[ $b == *[!0-9]* ]] || _agent_state=ended _agent_rc=$b _agent_class=$c ;;
        fence.?*) _agent_state=fence ;;
        ?*.*[0-9]) [[ $_agent_where ]] || _agent_where=$d _agent_keeper="$e $f" ;;
      esac
    done <"$claim"
  fi
  [[ $_agent_state != ended && $_agent_state != fence ]] || return
  for a in "$_agent_root/.sched/events/$1.$2.0."F*; do       # where a full disk took the record
    [[ -e $a ]] || continue
    _agent_state=ended _agent_rc=${a##*.} _agent_class=''
    ((!_agent_rc)) || IFS=' ' read -r _agent_class b <"$a"
  done
}

_agent_tell() {
  printf 'a %s %s %s %s %s\n' "$1" "$2" "$_agent_state" "${_agent_rc:--}" "${_agent_class:--}"
}

# Read a list of attempts: WIDTH fields each.
_agent_take_list() {
  local field more
  _agent_list=()
  while IFS= read -rd '' field && [[ $field ]]; do
    _agent_list+=("$field")
    for ((more = 1; more < $1; more++)); do IFS= read -rd '' field && _agent_list+=("$field"); done
  done
}

# NUMBER FENCE: tell of each attempt in the list; one without a claim gets FENCE as its claim, if there is any.
_agent_look() {
  local i
  for ((i = 0; i < ${#_agent_list[@]}; i += 2)); do
    _agent_judge "${_agent_list[i]}" "${_agent_list[i + 1]}"
    if [[ $_agent_state == none && $2 ]]; then
      {
        _agent_home "${_agent_list[i]}"
        set -C
        printf '%s\n' "$2" >"$_agent_root/${_agent_list[i]}/job.claim.${_agent_list[i + 1]}" && _agent_state=fence
        set +C
      } 2>/dev/null
      [[ $_agent_state == fence ]] || _agent_judge "${_agent_list[i]}" "${_agent_list[i + 1]}"
    fi
    _agent_tell "${_agent_list[i]}" "${_agent_list[i + 1]}"
  done
  printf 'done %s\n' "$1"
}

# Tell of the ends of what an earlier connection has started: a process of its own.
_agent_watch() {
  local i
  local -a left
  _agent_close
  while ((${#_agent_list[@]})) && _agent_alive "$_agent_pid" "$_agent_ticks"; do
    left=()
    for ((i = 0; i < ${#_agent_list[@]}; i += 2)); do
      _agent_judge "${_agent_list[i]}" "${_agent_list[i + 1]}"
      case $_agent_state in
        running) left+=("${_agent_list[i]}" "${_agent_list[i + 1]}") ;;
        ended) _agent_end "${_agent_list[i]}" "${_agent_list[i + 1]}" "$_agent_rc" "${_agent_class:--}" ;;
        *) printf 'G %s %s\n' "${_agent_list[i]}" "${_agent_list[i + 1]}" ;;
      esac
    done
    _agent_list=("${left[@]}")
    read -rt 0.2 -u "$_agent_quiet"
  done
}

# --- killing

# NUMBER GRACE; the list: index, attempt, token each.  TERM, and KILL for what is left after GRACE tenths of a second.
_agent_kill() {
  local i tick=0 last=$(($2 + 100))
  local -a leaders=() tokens=() _agent_member=()
  _agent_close
  _agent_await_leaders
  for ((i = 0; i < ${#_agent_list[@]}; i += 3)); do
    _agent_judge "${_agent_list[i]}" "${_agent_list[i + 1]}"
    [[ $_agent_where != "$_agent_boot" ]] || leaders+=("$_agent_leader")
    tokens+=("${_agent_list[i + 2]}")
  done
  _agent_signal TERM CONT
  while ((tick < last)) && _agent_members; do
    ((tick < $2)) || _agent_signal KILL
    read -rt 0.1 -u "$_agent_quiet"
    ((++tick))
  done
  printf 'done %s\n' "$1"
}

# What is just being started tells of its processes in a moment.
_agent_await_leaders() {
  local i tick starting=1
  for ((tick = 0; tick < 50 && starting; tick++)); do
    starting=''
    for ((i = 0; i < ${#_agent_list[@]}; i += 3)); do
      _agent_judge "${_agent_list[i]}" "${_agent_list[i + 1]}"
      [[ $_agent_state != running || $_agent_leader ]] || starting=1
    done
    [[ ! $starting ]] || read -rt 0.1 -u "$_agent_quiet"
  done
}

_agent_signal() {
  local leader pid name
  _agent_members || return
  for name in "$@"; do
    for leader in "${leaders[@]}"; do                     # the group at one blow, so that no fork escapes
      # shellcheck disable=SC2086
      ! _agent_alive $leader || kill -s "$name" -- "-${leader% *}" 2>/dev/null
    done
    for pid in "${!_agent_member[@]}"; do
      ! _agent_alive "$pid" "${_agent_member[pid]}" || kill -s "$name" "$pid" 2>/dev/null
    done
  done
}

# Find the trees' processes: their groups, who carries their tokens, and all descendants.  Sets _agent_member: pid -> start.
_agent_members() {
  local stat line pid grown leader token
  local -a field parent=() group=() start=() search=()
  local -A led=()
  _agent_member=()
  for stat in /proc/[0-9]*; do
    [[ -O $stat ]] && { read -r line <"$stat/stat"; } 2>/dev/null || continue
    # shellcheck disable=SC2206
    field=(${line##*) })
    [[ ${field[0]} != [ZX] ]] || continue
    pid=${stat#/proc/} parent[pid]=${field[1]} group[pid]=${field[2]} start[pid]=${field[19]}
  done
  for leader in "${leaders[@]}"; do
    [[ ! $leader || ${start[${leader% *}]-} != "${leader#* }" ]] || led[${leader% *}]=1
  done
  for pid in "${!group[@]}"; do [[ ! ${led[${group[pid]}]-} ]] || _agent_member[pid]=${start[pid]}; done
  for token in "${tokens[@]}"; do search+=(-e "SCHED_JOB_TOKEN=$token"); done
  while IFS= read -r stat; do
    pid=${stat#/proc/} pid=${pid%/environ}
    [[ ! ${start[pid]-} ]] || ! _agent_carries "$pid" || _agent_member[pid]=${start[pid]}
  done < <(command -p grep -slF "${search[@]}" /proc/[0-9]*/environ)
  grown=1
  while [[ $grown ]]; do
    grown=''
    for pid in "${!parent[@]}"; do
      [[ ${_agent_member[pid]-} || ! ${_agent_member[${parent[pid]}]-} ]] || { _agent_member[pid]=${start[pid]}; grown=1; }
    done
  done
  ((${#_agent_member[@]}))
}

# grep finds what begins with a token as well.
_agent_carries() {
  local entry token
  while IFS= read -rd '' entry; do
    [[ $entry == SCHED_JOB_TOKEN=* ]] || continue
    for token in "${tokens[@]}"; do [[ $entry != "SCHED_JOB_TOKEN=$token" ]] || return 0; done
  done 2>/dev/null <"/proc/$1/environ"
  return 1
}

# --- requests

_agent_take() {
  _agent_field=()
  for ((_agent_n = 0; _agent_n < $1; _agent_n++)); do IFS= read -rd '' "_agent_field[$_agent_n]" || exit 0; done
}

# SIZE: what is read up to a NUL is read byte by byte, which takes long for a script.
_agent_take_text() {
  local LC_ALL=C
  _agent_text=''
  ((!$1)) || IFS= read -rN "$1" _agent_text || exit 0
} 2>/dev/null

_agent_serve() {
  _agent_request=''
  while :; do
    # What was read when the time is up is the beginning of the request.
    IFS= read -rd '' -t 30 _agent_more && _agent_n=0 || _agent_n=$?
    _agent_request+=$_agent_more
    if ((_agent_n > 128)); then
      _agent_check
      continue
    fi
    ((!_agent_n)) || break
    case $_agent_request in
      run) _agent_take 6; _agent_take_text "${_agent_field[1]}"; _agent_field[1]=$_agent_text; _agent_run "${_agent_field[@]}" ;;
      secret) _agent_take 2; _agent_take_text "${_agent_field[1]}"; _agent_keep_secret "${_agent_field[0]}" ;;
      forget) _agent_take 1; _agent_forget_secrets "${_agent_field[0]}" ;;
      drop) _agent_take 1; _agent_drop "${_agent_field[@]}" ;;
      open) _agent_take 8; _agent_open "${_agent_field[@]}" ;;
      look) _agent_take 2; _agent_take_list 2; _agent_look "${_agent_field[@]}" ;;
      watch) _agent_take_list 2; _agent_watch </dev/null & ;;
      kill) _agent_take 2; _agent_take_list 3; _agent_kill "${_agent_field[@]}" </dev/null & ;;
      ping) _agent_take 1; printf 'done %s\n' "${_agent_field[0]}" ;;
      *) break ;;
    esac
    _agent_request=''
  done
}

_agent_look_around
_agent_serve
[[ ! $_agent_root ]] || command -p rm -f -- "$_agent_root/.sched/agent.$_agent_boot.$_agent_pid.$_agent_ticks"
