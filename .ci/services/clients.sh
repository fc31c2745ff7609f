#!/usr/bin/env bash
# Other people's Kafka clients for tests, each of a pinned version, fetched once into the cache:
#   clients.sh python SCRIPT [ARGUMENT...]   with confluent-kafka (librdkafka)
#   clients.sh node SCRIPT [ARGUMENT...]     with kafkajs
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

confluent=confluent-kafka==2.16.1
kafkajs=kafkajs@2.2.4

# fetch NAME PACKAGE COMMAND...: runs COMMAND with the folder to fill as its last argument, once for each PACKAGE; sets lib to it.
fetch() {
  local name=$1 new
  lib=$cache/$1-${2//[^A-Za-z0-9.]/-}
  shift 2
  [[ -d $lib ]] && return
  mkdir -p "$cache"
  (
    flock 8
    [[ -d $lib ]] && exit
    say "fetching $name into $lib"
    new=$lib.new
    rm -rf "$new"
    "$@" "$new" >"$lib.log" 2>&1 </dev/null || { tail -5 "$lib.log" >&2; die "could not fetch $name; its output is in $lib.log"; }
    rm -f "$lib.log"
    mv "$new" "$lib"
  ) 8>"$cache/clients.lock"
}

case ${1:-} in
  python)
    debian 'python3 pip3' python3 python3-pip
    fetch confluent-kafka "$confluent" pip3 install -q --disable-pip-version-check --root-user-action=ignore "$confluent" --target
    PYTHONPATH=$lib exec python3 "${@:2}"
    ;;
  node)
    debian 'node npm' nodejs npm
    fetch kafkajs "$kafkajs" npm install --silent --no-audit --no-fund --no-save "$kafkajs" --prefix
    NODE_PATH=$lib/node_modules KAFKAJS_NO_PARTITIONER_WARNING=1 exec node "${@:2}"
    ;;
  fetch) # both, run nothing: what a gate does first
    "$0" python -c 'import confluent_kafka'
    "$0" node -e 'require("kafkajs")'
    ;;
  *) die "usage: clients.sh python|node SCRIPT [ARGUMENT...], clients.sh fetch" ;;
esac
