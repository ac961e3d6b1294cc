# shellcheck shell=bash
# Take files for the run's folder.  stdin: the folder, the names to be checked, each ended by NUL, an empty one, then a tar stream.
# stdout: the digest of each (- where there is no sha256sum), and "ok".
IFS= read -rd '' _root && cd -- "$_root" || exit
umask 077
_names=()
while IFS= read -rd '' _name && [[ $_name ]]; do _names+=("$_name"); done
command -p tar -xf - || exit
if ! command -pv sha256sum >/dev/null; then
  for _name in "${_names[@]}"; do echo -; done
elif ((${#_names[@]})); then
  command -p sha256sum -- "${_names[@]}" || exit
fi
echo ok
