#!/bin/bash
# The first process of one test host, in namespaces of its own.  hostinit.sh STATE NAME USER UID SHELL WITHOUT ONLY [SHARED...]
# WITHOUT names programs that the host lacks, ONLY those that it has at all, if any does.
# STATE holds what survives a reboot (disk/, keys, sshd_config) and the boot id.
set -e
H=$1 N=$2 U=$3 I=$4 S=$5 WITHOUT=$6 ONLY=$7 R=$1/root
shift 7
mount --make-rprivate /
hostname "$N"
mkdir -p "$R"
mount -t tmpfs -o size=1g,mode=755 none "$R"
cd "$R"
mkdir usr etc proc dev run tmp home scratch var root small
for l in bin sbin lib lib32 lib64 libx32; do [ ! -L "/$l" ] || ln -s "usr/$l" "$l"; done
mount --bind /usr usr
mount -o remount,bind,ro usr
for f in ld.so.cache ld.so.conf ld.so.conf.d alternatives nsswitch.conf profile bash.bashrc csh.cshrc group localtime; do
  [ ! -e "/etc/$f" ] || cp -a "/etc/$f" etc/
done
mkdir -p etc/ssh run/sshd var/tmp var/empty
printf 'root:x:0:0::/root:/bin/bash\nsshd:x:105:65534::/run/sshd:/usr/sbin/nologin\n' >etc/passwd
entry="$U:x:$I:$I::/home/$U:$S"
# The first entry of a number is its name.
{ echo "$entry"; cat etc/passwd; } >etc/passwd.new && mv etc/passwd.new etc/passwd
printf '%s:x:%s:\n' "$U" "$I" >>etc/group
printf 'root:*:19000:0:99999:7:::\n%s:*:19000:0:99999:7:::\n' "$U" >etc/shadow
chmod 600 etc/shadow
mount -t proc proc proc
cp "$H/boot_id" run/boot_id
mount --bind run/boot_id proc/sys/kernel/random/boot_id
mount -t tmpfs -o mode=755 none dev
for d in null zero full random urandom tty; do touch "dev/$d"; mount --bind "/dev/$d" "dev/$d"; done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666 none dev/pts
ln -s pts/ptmx dev/ptmx
chmod 1777 dev/shm tmp var/tmp
ln -s /proc/self/fd dev/fd
mount --bind "$H/disk/home" home
mount --bind "$H/disk/scratch" scratch
mount -t tmpfs -o size=1m,mode=1777 none small         # to be filled
for d in "$@"; do mkdir -p ".$d"; mount --bind "$d" ".$d"; done
cp "$H"/ssh_host_ed25519_key* "$H/sshd_config" etc/ssh/
mkdir .old
pivot_root . .old
cd /
umount -l /.old
rmdir /.old
PATH=$PATH:/.programs
if [ "$WITHOUT$ONLY" ]; then
  mkdir .programs
  mount --bind usr/bin .programs
  mount -t tmpfs -o mode=755 none usr/bin
  if [ "$ONLY" ]; then
    for p in $ONLY; do ln -s "/.programs/$p" usr/bin/; done
  else
    find .programs -mindepth 1 -maxdepth 1 -printf '/%p\0' | xargs -0 ln -s -t usr/bin
  fi
  for p in $WITHOUT; do rm "usr/bin/$p"; done
fi
exec env -i PATH="/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin:/.programs" HOME=/root sh -c '
  /usr/sbin/sshd -E /run/sshd.log -f /etc/ssh/sshd_config
  trap : TERM HUP INT
  exec </dev/null >/dev/null 2>&1
  : >/run/up
  while :; do sleep 3600 & wait $!; done'
