# shellcheck shell=dash
# A task's machine, in namespaces of its own: this file's functions are called by the script that is made for a job.
# Its argument is the folder for what the task prints.
# The first process ends as the task does, and with it all that is left of the task.

failed='' logs=$1

# The disk of the machine is new: what lies below /mnt goes with the task.
mount -t tmpfs none /mnt && mkdir -p "$TMPDIR" && cd "$TMPDIR" || exit 1

broken() { # words
  echo "$1" >&2
  exit 1
}

bucket() { # folder of the bucket, folder in it, where, options
  [ -d "$1" ] || broken "there is no bucket at $1"
  mkdir -p "$1/$2" "$3" && mount --bind "$1/$2" "$3" || exit 1
  case $4 in *ro*) mount -o remount,bind,ro "$3" || exit 1 ;; esac
}

disk() { # where
  mkdir -p "$1" || exit 1
}

# A file that cannot be executed, as on most mounts, is the default shell's.
script() { # path
  if [ -x "$1" ]; then exec "$@"; fi
  exec /bin/sh "$@"
}

runnable() { # number, always, background, ignores its exit status, seconds or none
  if [ "$failed" ] && [ "$2" = no ]; then return; fi
  if [ "$3" = yes ]; then
    ("run_$1") >>"$logs/$1.out" 2>>"$logs/$1.err" </dev/null &
    return
  fi
  [ ! "$5" ] || began=$(date +%s)
  ("run_$1") >>"$logs/$1.out" 2>>"$logs/$1.err" </dev/null
  code=$?
  if [ "$code" = 0 ] || [ "$4" = yes ] || [ "$failed" ]; then return; fi
  # Killed by its own limit, or by somebody else?
  if [ "$code" = 137 ] && [ "$5" ] && [ $(($(date +%s) - began)) -ge "$5" ]; then : >"$logs/overrun"; fi
  failed=$code
}
