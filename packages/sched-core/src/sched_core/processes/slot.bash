# shellcheck shell=bash
# One slot: runs job after job in this shell.  bash -p slot.bash RECORDER SLOT [DIRECTORY]
#   stdin   fields, each ended by NUL: the script's path, extra exports (lines of NAME=value, or nothing), index, attempt; an empty
#           path says that no more will come
#   stdout  a pipe that all slots share: S <index> <attempt> <process group> <start time>    when the command's process is there
#                                        E <index> <attempt> <status> <class or -> [<used>]  when its record is written
# When the driver is gone, the slot finishes and records what it runs, and takes nothing more.
# shellcheck source=/dev/null
. "$1" || exit 122
[[ ! ${3-} || . -ef $3 ]] || cd -- "$3" || exit 122
export SCHED_SLOT=$2
exec 2>/dev/null                       # what bash says of killed children
trap : HUP INT QUIT TERM USR1 USR2
(
  _sched_loaded=$1 _sched_slot=1
  _sched_prepare
  while
    IFS= read -rd '' _sched_path && IFS= read -rd '' _sched_extra && IFS= read -rd '' _sched_wanted && IFS= read -rd '' _sched_expected
  do
    [[ $_sched_path ]] || exit 0
    _sched_index=$_sched_wanted _sched_attempt=$_sched_expected _sched_rc=122 _sched_class=SETUP _sched_used=''
    # shellcheck source=/dev/null
    . "$_sched_path" "$_sched_expected"
    printf 'E %s %s %s %s %s\n' "$_sched_wanted" "$_sched_expected" "$_sched_rc" "${_sched_class:--}" "$_sched_used" || exit 0
  done
)
