# shellcheck shell=bash disable=SC2088
# Show what jobs write, on a host of its own disk.
# stdin: the folder for runs, the name of the run's folder, that of the file, "follow" or nothing, and the jobs' indexes,
# each ended by NUL, the list by an empty one.  stdout: lines of an index and the next piece of that job's file, in base64.
# With follow, until stdin ends.
printf '\n%s\n' "$1"              # what a login script prints comes before
IFS= read -rd '' _base && IFS= read -rd '' _name && IFS= read -rd '' _file && IFS= read -rd '' _follow || exit
_paths=() _shown=() _piece=262144
while IFS= read -rd '' _job && [[ $_job ]]; do _paths+=("$_job/$_file") _shown[_job]=0; done
[[ $_base ]] || _base=${XDG_CACHE_HOME:-$HOME/.cache}/sched
[[ $_base != '~/'* ]] || _base=$HOME/${_base#'~/'}
cd -- "$_base/$_name" 2>/dev/null || exit

_show() {
  local size path job next
  while read -r size path; do
    job=${path%/*}
    [[ $job != *[!0-9]* ]] || continue                     # what all have together
    while ((_shown[job] < size)); do
      next=$((_shown[job] + _piece < size ? _piece : size - _shown[job]))
      printf '%s ' "$job"
      command -p tail -c "+$((_shown[job] + 1))" -- "$path" | command -p head -c "$next" | command -p base64 | command -p tr -d '\n'
      echo
      ((_shown[job] += next))
    done
  done < <(command -p wc -c -- "${_paths[@]}" 2>/dev/null)
}

_show
while [[ $_follow ]]; do
  IFS= read -rt 0.3 _
  (($? > 128)) || break            # nobody listens any more
  _show
done
