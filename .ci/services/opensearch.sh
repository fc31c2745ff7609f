#!/usr/bin/env bash
# OpenSearch for tests: one node on loopback, without TLS and passwords.
#   opensearch.sh start|stop|status [--port P] [-- key=value...]
# `start` prints the node's address: HTTP on P; it also takes P+100. key=value pairs are settings on
# top of opensearch.yml. `start` again brings back a node that was killed, with its data.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

arguments opensearch 19200 'opensearch.sh start|stop|status [--port P] [-- key=value...]' "$@"
url=http://127.0.0.1:$port

# module NAME JAR CLASS [EXTENDS]: puts a module, which Maven brings as a bare jar, into the folder and
# beside the descriptor that a node loads it from.
module() {
  mkdir -p "$home/modules/$1"
  mv "$home/lib/$2-$version.jar" "$home/modules/$1/"
  cat >"$home/modules/$1/plugin-descriptor.properties" <<END
name=$1
description=$1
version=$version
opensearch.version=$version
java.version=21
classname=org.opensearch.$3
extended.plugins=${4:-}
END
}

# install: sets home to a folder laid out as OpenSearch expects, made from the jars once.
install() {
  jars opensearch
  home=$lib/home
  [[ -d $home ]] && return
  local version
  version=$(sed -n 's:.*<opensearch>\(.*\)</opensearch>.*:\1:p' "$here/opensearch/pom.xml")
  home=$lib/home.$$
  mkdir -p "$home/lib"
  cp -l "$lib"/*.jar "$home/lib/"
  module aggs-matrix-stats aggs-matrix-stats-client search.aggregations.matrix.MatrixAggregationModulePlugin
  module analysis-common analysis-common analysis.common.CommonAnalysisModulePlugin lang-painless
  module geo geo geo.GeoModulePlugin
  module ingest-common ingest-common ingest.common.IngestCommonModulePlugin lang-painless
  module lang-expression lang-expression script.expression.ExpressionModulePlugin
  module lang-mustache lang-mustache-client script.mustache.MustacheModulePlugin
  module lang-painless lang-painless painless.PainlessModulePlugin
  mv "$home/lib/opensearch-scripting-painless-spi-$version.jar" "$home/modules/lang-painless/"
  module mapper-extras mapper-extras-client index.mapper.MapperExtrasModulePlugin
  module parent-join parent-join-client join.ParentJoinModulePlugin
  module percolator percolator-client percolator.PercolatorModulePlugin
  module reindex reindex-client index.reindex.ReindexModulePlugin
  module transport-netty4 transport-netty4-client transport.Netty4ModulePlugin
  mv -T "$home" "$lib/home" 2>/dev/null || rm -rf "$home"
  home=$lib/home
}

ready() { curl -sf "$url/_cluster/health?wait_for_status=yellow&timeout=1s"; }

case $action in
  start)
    if ! alive node; then
      free node "$port" $((port + 100))
      command -v curl >/dev/null || "$here/install.sh" curl 9>&-
      find_java 21
      install
      mkdir -p "$dir/config"
      cp "$here/opensearch/log4j2.properties" "$dir/config/"
      cat >"$dir/config/opensearch.yml" <<END
cluster.name: millrace
node.name: node
network.host: 127.0.0.1
http.port: $port
transport.port: $((port + 100))
discovery.type: single-node
path.home: $home
path.data: $dir/data
path.logs: $dir
cluster.routing.allocation.disk.threshold_enabled: false
END
      class_archive write
      read -ra jvm <<<"${OPENSEARCH_JVM_OPTS:--Xms512m -Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1}"
      # Without its native library (jna) OpenSearch cannot see that it runs as root, and so it does.
      launch node "$java" "${classes[@]}" "${jvm[@]}" \
        -Djna.nounpack=true -Djna.nosys=true --enable-native-access=ALL-UNNAMED \
        "-Dopensearch.path.home=$home" "-Dopensearch.path.conf=$dir/config" \
        -cp "$home/lib/*" org.opensearch.bootstrap.OpenSearch "${rest[@]/#/-E}"
    fi
    await node ready
    echo "$url"
    ;;
  stop) stop_all ;;
  status) status "$url" ;;
esac
