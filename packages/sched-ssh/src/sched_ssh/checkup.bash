# shellcheck shell=bash disable=SC2088
# Look at a host.  stdin: the driver's folder, a probe and its content, and the folder for runs, each ended by NUL.
# stdout: lines of a fact and its value.
printf '\n%s\n' "$1"              # what a login script prints comes before
IFS= read -rd '' _workdir && IFS= read -rd '' _probe && IFS= read -rd '' _content && IFS= read -rd '' _base || exit
_seen='' _shared=''
{ read -r _seen <"$_workdir/.sched/$_probe"; } 2>/dev/null
[[ $_base ]] || _base=${XDG_CACHE_HOME:-$HOME/.cache}/sched
[[ $_base != '~/'* ]] || _base=$HOME/${_base#'~/'}
_folder=$_base
if [[ $_seen == "$_content" && $_seen ]]; then
  _shared=1 _folder=$_workdir
elif command -p mkdir -p -- "$_base" 2>/dev/null && [[ -w $_base ]]; then
  _shared=0
fi
for _tool in tar head; do command -pv "$_tool" >/dev/null || echo "lacks $_tool"; done
echo "shared $_shared"
echo "folder ${_folder//$'\n'/ }"
printf 'clock %(%s)T\n' -1
while read -r _ _ _ _free _; do [[ $_free != *[!0-9]* ]] && echo "free $_free"; done < <(command -p df -Pk -- "$_folder" 2>/dev/null)
