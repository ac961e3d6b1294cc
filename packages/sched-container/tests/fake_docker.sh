#!/bin/bash
# A client whose containers are plain processes with an environment of their own.  What there is lies in $0.d:
# images/NAME (its id), registry/NAME, unreached (the registry is away), down, down_for_runs (the daemon is), deaf (the client hears
# nothing of containers), calls (what was asked for).
state=$0.d
printf '%s\n' "$*" >>"$state/calls"

daemon() {
  if [[ -e $state/down || -e $state/down_for_$2 ]]; then
    echo 'docker: Cannot connect to the Docker daemon at unix:///fake.sock. Is the docker daemon running?' >&2
    exit "$1"
  fi
}

fetch() {
  [[ ! -e $state/images/$1 ]] || return 0
  if [[ -e $state/unreached ]]; then echo "Error response from daemon: dial tcp: connect: connection refused" >&2; exit "$2"; fi
  if [[ ! -e $state/registry/$1 ]]; then echo "Error response from daemon: pull access denied for $1" >&2; exit "$2"; fi
  cp "$state/registry/$1" "$state/images/$1"
}

run() {
  local -a variables=(PATH=/usr/bin:/bin HOME=/ container=fake)
  local entrypoint='' pull=missing
  while [[ $1 == -* ]]; do
    case $1 in
      --env) [[ ! ${!2+x} ]] || variables+=("$2=${!2}"); shift ;;
      --entrypoint) entrypoint=$2; shift ;;
      --pull) pull=$2; shift ;;
      --mount)
        if [[ $2 == *source=/no/such* ]]; then
          echo 'docker: Error response from daemon: bind source path does not exist: /no/such' >&2
          exit 125
        fi
        shift
        ;;
      --no-such*) echo "unknown flag: $1" >&2; exit 125 ;;
      --init | --rm | --interactive) ;;
      *) shift ;;
    esac
    shift
  done
  daemon 125 runs
  [[ $pull == never ]] || fetch "$1" 125
  if [[ ! -e $state/images/$1 ]]; then echo "docker: Error response from daemon: No such image: $1" >&2; exit 125; fi
  shift
  cd /
  [[ ! -e $state/deaf ]] || exec >/dev/null 2>&1
  exec env -i "${variables[@]}" "$entrypoint" "$@"
}

case "$1 $2" in
  '--version '*) echo 'Docker version 28.2.2, build x' ;;
  'version '*) daemon 1; echo 28.2.2 ;;
  'info '*) daemon 1; cat "$state/info" ;;
  'image inspect')
    daemon 1
    if [[ ! -e $state/images/$3 ]]; then echo "Error response from daemon: No such image: $3" >&2; exit 1; fi
    printf '[{"Id": "sha256:%s"}]\n' "$(<"$state/images/$3")"
    ;;
  'image pull') daemon 1; fetch "${!#}" 1 ;;
  'container list') daemon 1 ;;
  'rm -f') daemon 1; echo "Error response from daemon: No such container: ${!#}" >&2; exit 1 ;;
  'run '*) shift; run "$@" ;;
  *) echo "unknown command: $*" >&2; exit 1 ;;
esac
