#!/usr/bin/env bash
# A toy engine, by which this package works before yours is in its place. Delete it then.
#
#   toyqueue.bash QUEUE submit NAME CPUS SCRIPT   has a job run, and prints its id
#   toyqueue.bash QUEUE list ID...                prints "ID running", "ID ended CODE" or "ID lost"
#   toyqueue.bash QUEUE cancel SECONDS ID...      ends jobs by TERM, and after these seconds by KILL
#
# It takes no notice of CPUS. QUEUE is a folder; in QUEUE/ID are who runs the job, its name, and how it
# ended. It returns 65 for what it refuses, 75 for what may work later, 64 for what it does not understand.
set -u

queue=$1

submit() { # NAME CPUS SCRIPT
  local id folder
  [ -r "$3" ] || fail 65 "$3 cannot be read"
  (umask 077 && mkdir -p -- "$queue") 2>/dev/null || fail 75 "$queue cannot be made"
  folder=$(mktemp -d -- "$queue/XXXXXXXXXX" 2>/dev/null) || fail 75 "$queue cannot be written to"
  printf '%s\n' "$1" >"$folder/name"
  id=${folder##*/}
  # By this variable the processes of a job are known, as an engine knows them by a control group.
  read -r id < <(TOYQUEUE_JOB_ID=$id exec setsid bash "$0" "$queue" run "$3" </dev/null 2>/dev/null) ||
    fail 75 "the job could not be started"
  printf '%s\n' "$id"
}

run() { # SCRIPT
  local folder=$queue/$TOYQUEUE_JOB_ID stat
  trap : TERM # it has to see the end of what is told to end
  read -r -a stat <"/proc/$$/stat"
  printf '%s\n' "$$ ${stat[21]}" >"$folder/leader"
  printf '%s\n' "$TOYQUEUE_JOB_ID"
  bash "$1" >/dev/null
  printf '%s\n' "$?" >"$folder/ended.new" && mv -- "$folder/ended.new" "$folder/ended"
}

list() { # ID...
  local id folder
  # As engines do, it forgets: here what ended an hour ago.
  find "$queue" -mindepth 2 -maxdepth 2 -name ended -mmin +60 -printf '%h\0' | xargs -0r rm -rf --
  for id; do
    folder=$queue/$id
    if is_led "$folder"; then
      printf '%s running\n' "$id"
    elif [ -e "$folder/ended" ]; then
      printf '%s ended %s\n' "$id" "$(<"$folder/ended")"
    elif [ -d "$folder" ]; then
      printf '%s lost\n' "$id"
    fi
  done
}

is_led() { # FOLDER: whether the process that runs the job lives; its number may have passed to another
  local pid began stat
  read -r pid began <"$1/leader" && read -r -a stat <"/proc/$pid/stat" &&
    [ "${stat[21]}" = "$began" ] && [ "${stat[2]}" != Z ]
} 2>/dev/null

cancel() { # SECONDS ID...
  local ids=("${@:2}") grace id
  sleep "$1" &
  grace=$!
  send TERM "${ids[@]}"
  while [ -n "$(processes "${ids[@]}")" ]; do
    kill -0 "$grace" 2>/dev/null || send KILL "${ids[@]}"
    sleep 0.05
  done
  kill "$grace" 2>/dev/null
  for id in "${ids[@]}"; do
    [ ! -d "$queue/$id" ] || [ -e "$queue/$id/ended" ] || echo 137 >"$queue/$id/ended"
  done
}

send() { # SIGNAL ID...
  local pid
  for pid in $(processes "${@:2}"); do
    kill -s "$1" "$pid" 2>/dev/null
  done
}

processes() { # ID...
  local found
  # shellcheck disable=SC2062 # the patterns are on the standard input
  found=$(printf 'TOYQUEUE_JOB_ID=%s\n' "$@" | grep -lszxF --file=- /proc/[0-9]*/environ)
  found=${found//\/proc\//}
  printf '%s\n' "${found//\/environ/}"
}

fail() { # CODE MESSAGE
  printf 'toyqueue: %s\n' "$2" >&2
  exit "$1"
}

case ${2-} in
  submit | run | list | cancel) "$2" "${@:3}" ;;
  *) fail 64 "no such command: ${2-}" ;;
esac
