# shellcheck shell=bash
# Give files of the run's folder.  stdin: the folder and names, each ended by NUL, and an empty one.
# stdout: a line for each name: its digest (- where there is no sha256sum), "folder" or "none"; an empty line; a tar stream.
printf '\n%s\n' "$1"              # what a login script prints comes before
IFS= read -rd '' _root && cd -- "$_root" || exit
_names=() _kinds=() _plain=() _there=() _digests=() _n=0
while IFS= read -rd '' _name && [[ $_name ]]; do
  _names+=("$_name")
  if [[ -f $_name ]]; then
    _kinds+=(plain) _plain+=("$_name") _there+=("$_name")
  elif [[ -d $_name ]]; then
    _kinds+=(folder) _there+=("$_name")
  else
    _kinds+=(none)
  fi
done
if ((${#_plain[@]})) && command -pv sha256sum >/dev/null; then
  # What cannot be digested would shift all others.
  while read -r _name _; do _digests+=("${_name#\\}"); done < <(command -p sha256sum -- "${_plain[@]}")
  ((${#_digests[@]} == ${#_plain[@]})) || exit 3
fi
for _name in "${_kinds[@]}"; do
  if [[ $_name == plain ]]; then echo "${_digests[_n++]:--}"; else echo "$_name"; fi
done
echo
((!${#_there[@]})) || command -p tar -chf - -- "${_there[@]}"
