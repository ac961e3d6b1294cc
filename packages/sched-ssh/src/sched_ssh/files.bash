# shellcheck shell=bash
# Take files for the run's folder and give files of it, as long as the connection lasts: one request after the other.
#
#   stdin    put FOLDER SIZE NAMES, then a tar stream of that size, in which these names are plain files
#            get FOLDER MARK NAMES
#            Fields are ended by NUL, the names by an empty one.
#   stdout   "ok" and a line for each name: its digest (- where there is no sha256sum), "folder" or "none"; an empty line;
#            for get a tar stream, and a line of the mark, tar's status and what it said.  Or "no", lines that say why, an empty line.
#
# The next request is sent when the last one was answered, so that head and tar may read as far as they can.
printf '\n%s\n' "$1"              # what a login script prints comes before
umask 077
exec {_out}>&1
_sums=$(command -pv sha256sum) _tar=$(command -pv tar) _head=$(command -pv head)

_take_names() {
  local name
  _names=()
  while IFS= read -rd '' name && [[ $name ]]; do _names+=("$name"); done
}

# Digests of the files named, in their order; _said is what sha256sum has to say else.
_digest() {
  local line
  _digests=("${@//*/-}") _said=''
  [[ $_sums ]] && (($#)) || return 0
  _digests=()
  while read -r line; do
    if [[ ${line%% *} == *:* ]]; then _said+=$line$'\n'; else line=${line%% *} _digests+=("${line#\\}"); fi
  done < <(exec "$_sums" -- "$@" 2>&1)
  ((${#_digests[@]} == $#))        # what cannot be digested would shift all others
}

_refuse() {
  local line
  echo no
  while IFS= read -r line; do [[ ! $line ]] || echo "$line"; done < <(printf '%s\n' "$@")
  echo
}

_put() {
  local said free='' name
  _said=''
  if said=$("$_head" -c "$1" | { "$_tar" -xf - 2>&1; _rc=$?; while read -rN 65536 _; do :; done; exit "$_rc"; }) &&
    _digest "${_names[@]}"; then
    printf '%s\n' ok "${_digests[@]}" ''
    return
  fi
  while read -r _ _ _ name _; do free=$name; done < <(command -p df -Pk . 2>/dev/null)
  command -p rm -f -- "${_names[@]}"     # half a file only fills the disk
  _refuse "$said" "$_said" "$free KiB were free on the disk"
}

_get() {
  local name n=0 said='' status=0
  local -a kinds=() plain=() there=() as_they_are=()
  for name in "${_names[@]}"; do
    if [[ -f $name ]]; then
      kinds+=(plain) plain+=("$name") there+=("$name")
    elif [[ -d $name ]]; then
      kinds+=(folder) there+=("$name")
    else
      kinds+=(none)
    fi
  done
  if ! _digest "${plain[@]}"; then
    _refuse "$_said"
    return
  fi
  for name in "${!kinds[@]}"; do [[ ${kinds[name]} != plain ]] || kinds[name]=${_digests[n++]}; done
  printf '%s\n' ok "${kinds[@]}" ''
  # GNU's tar takes a backslash in a name that it is given for the beginning of an escape.
  if [[ ${there[*]} == *\\* ]] && "$_tar" --no-unquote --version >/dev/null 2>&1; then as_they_are=(--no-unquote); fi
  ((!${#there[@]})) || { said=$(exec "$_tar" "${as_they_are[@]}" -chf - -- "${there[@]}" 2>&1 >&"$_out"); status=$?; }
  printf '\n%s %s\n' "$1" "$status; ${said//$'\n'/; }"
}

while IFS= read -rd '' _request && IFS= read -rd '' _folder && IFS= read -rd '' _more; do
  _take_names
  if cd -- "$_folder" 2>/dev/null; then
    "_$_request" "$_more"
  else
    [[ $_request != put ]] || "$_head" -c "$_more" >/dev/null
    _refuse "there is no folder $_folder"
  fi
done
