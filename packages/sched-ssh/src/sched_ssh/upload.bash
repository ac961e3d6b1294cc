# shellcheck shell=bash
# Take files for the run's folder.  stdin: the folder, the names to be checked, each ended by NUL, an empty one, then a tar stream.
# stdout: the digest of each (- where there is no sha256sum), and "ok".
printf '\n%s\n' "$1"              # what a login script prints comes before
IFS= read -rd '' _root && cd -- "$_root" || exit
umask 077
_names=()
while IFS= read -rd '' _name && [[ $_name ]]; do _names+=("$_name"); done
if ! command -p tar -xf -; then
  _free=
  while read -r _ _ _ _name _; do _free=$_name; done < <(command -p df -Pk . 2>/dev/null)
  echo "$_free KiB were free on the disk" >&2
  command -p rm -f -- "${_names[@]}"     # half a file only fills the disk
  exit 1
fi
if ! command -pv sha256sum >/dev/null; then
  for _name in "${_names[@]}"; do echo -; done
elif ((${#_names[@]})); then
  command -p sha256sum -- "${_names[@]}" || exit
fi
echo ok
