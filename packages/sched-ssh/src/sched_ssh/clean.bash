# shellcheck shell=bash disable=SC2088
# Find or remove the folder that a run has on a host of its own disk.
# stdin: look or remove, the folder for runs, the name of the run's folder, each ended by NUL.  stdout: one line of
#   none                    there is no such folder
#   found KIB PATH          here it is
#   removed PATH
#   kept PATH: REASON       it is not, or not only, what this run has left
printf '\n%s\n' "$1"              # what a login script prints comes before
IFS= read -rd '' _what && IFS= read -rd '' _base && IFS= read -rd '' _name || exit
[[ $_base ]] || _base=${XDG_CACHE_HOME:-$HOME/.cache}/sched
[[ $_base != '~/'* ]] || _base=$HOME/${_base#'~/'}

_say() {
  printf '%s\n' "${1//$'\n'/ }"
  exit
}

# Whether this very process lives: PID TICKS.
_alive() {
  local -a field
  local line
  [[ ${1-} && ${2-} ]] && { read -r line </proc/"$1"/stat; } 2>/dev/null || return
  # shellcheck disable=SC2206  # a letter and numbers
  field=(${line##*) })
  [[ ${field[19]} == "$2" && ${field[0]} != [ZX] ]]
}

# The run's own and nobody else's: by its name, its owner and its marks.
_check_whose() {
  [[ $_name =~ ^sched-[0-9a-f]{10}$ ]] || _say "kept $_base/$_name: this is no name of a run"
  [[ -e $_name || -L $_name ]] || _say none
  [[ ! -L $_name ]] || _say "kept $_root: it is a link, which sched has not made"
  [[ -O $_name ]] || _say "kept $_root: it is somebody else's"
  [[ -d $_name/.sched/events && ! -L $_name/.sched ]] || _say "kept $_root: nothing in it shows that a run has made it"
  [[ ! -e $_name/.sched/run.json ]] || _say "kept $_root: it is the folder of a run, with its records"
}

_check_mounts() {
  local point where=$PWD/$_name
  while read -r _ point _; do
    printf -v point %b "$point"
    [[ $point != "$where" && $point != "$where/"* ]] || _say "kept $_root: something is mounted at $point"
  done </proc/self/mounts
}

# Nothing may write to it any more: no driver is connected, no process of its jobs lives.
_check_idle() {
  local boot host file claim job a b c d e f rest
  local -a who
  read -r boot </proc/sys/kernel/random/boot_id
  read -r host </proc/sys/kernel/hostname
  for file in "$_name/.sched/agent.$boot."*; do
    IFS=. read -r -a who <<<"${file##*/agent.}"
    ! _alive "${who[1]-}" "${who[2]-}" || _say "kept $_root: a driver's connection to it is open (process ${who[1]}); wait until it has ended"
  done
  while IFS= read -r claim; do
    job=${claim%/*} job=${job##*/}
    while IFS=' ' read -r a b c d e f rest; do
      case $a.$rest in
        fence.*) ;;                # a driver's, so that nothing starts
        P.) ! _alive "$b" "$c" || _busy "$job" "$b" ;;
        ?*.*[0-9])
          # Homes may be shared by hosts that do not see the driver's disk.
          [[ $c == "$host" ]] || _say "kept $_root: job $job was begun on $c and has no end; only that host can tell whether it runs"
          [[ $d != "$boot" ]] || ! _alive "$e" "$f" || _busy "$job" "$e" ;;
      esac
    done <"$claim"
  done < <(printf '%s\0' "$_name"/*/job.claim.* | command -p xargs -0 grep -sL '^E ' --)
}

_busy() {
  _say "kept $_root: job $1 still runs there (process $2); end it, or wait for it"
}

_remove() {
  local said
  said=$({ command -p rm -rf -- "./$_name" || { command -p chmod -R u+rwX -- "./$_name" && command -p rm -rf -- "./$_name"; }; } 2>&1)
  [[ ! -e $_name ]] || _say "kept $_root: ${said##*$'\n'}"
  _say "removed $_root"
}

[[ -e $_base ]] || _say none
cd -P -- "$_base" 2>/dev/null || _say "kept $_base: this folder cannot be entered"
_root=$PWD/$_name
_check_whose
_check_mounts
_check_idle
[[ $_what != remove ]] || _remove
_kib=0
read -r _kib _ < <(command -p du -sk -- "./$_name" 2>/dev/null)
_say "found ${_kib:-0} $_root"
