#!/usr/bin/env bash
# Unpacks a real MySQL server beside its own libc, for tests and `npm run demo -- --engine mysql`.
# Debian stable ships none, Debian sid does, built for a newer libc than stable's: so the server, its libraries and
# their loader go into one folder, and a wrapper starts the server with that loader. The system stays as it is.
#
#   scripts/get-mysql.sh [DIRECTORY]     default: ~/.cache/srdf/mysql-server; leaves DIRECTORY/mysqld and DIRECTORY/mysql
#
# Needs apt-get, dpkg-deb and Debian's keyring; no root for anything but what apt itself asks. Downloads about 60 MB.
set -euo pipefail

target=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/srdf/mysql-server}
packages=(mysql-server-core mysql-client-core)
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

die() { echo "get-mysql: $*" >&2; exit 1; }
for tool in apt-get dpkg-deb dpkg; do command -v "$tool" >/dev/null || die "needs $tool: this works on Debian and its relatives only"; done
[ -r "$keyring" ] || die "needs $keyring: apt-get install debian-archive-keyring"
architecture=$(dpkg --print-architecture)
case $architecture in
  amd64) triplet=x86_64-linux-gnu loader=ld-linux-x86-64.so.2 ;;
  arm64) triplet=aarch64-linux-gnu loader=ld-linux-aarch64.so.1 ;;
  *) die "no MySQL for $architecture here" ;;
esac

mkdir -p "$(dirname "$target")"
# Everything happens in a folder beside the target, which takes its place only once the server has answered.
work=$(mktemp -d "$target.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/lists/partial "$work"/archives/partial "$work"/root

# The mirror this machine already uses: a server's way out may lead there and nowhere else.
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -m1 '/debian/\?$' || true)
[ -n "$mirror" ] || die "found no Debian mirror in apt's sources"
echo "deb [arch=$architecture signed-by=$keyring] $mirror sid main" >"$work/sources.list"
# An installation of its own, with nothing in it, but that perl be there: only maintainer scripts, which never run, want it.
cat >"$work/status" <<STATUS
Package: perl
Status: install ok installed
Version: 99
Architecture: $architecture
Multi-Arch: allowed
Maintainer: none <none@localhost>
Description: stand-in

STATUS
apt=(apt-get -o "Dir::Etc::SourceList=$work/sources.list" -o Dir::Etc::SourceParts=/dev/null -o Dir::Etc::PreferencesParts=/dev/null
  -o "Dir::State::Lists=$work/lists" -o "Dir::Cache::Archives=$work/archives" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache=
  -o "Dir::State::status=$work/status" -o APT::Sandbox::User=root -o Debug::NoLocking=1 -o APT::Install-Recommends=false
  -o Acquire::Retries=3 -o Acquire::Languages=none -qq)

echo "get-mysql: reading the package lists"
"${apt[@]}" update
echo "get-mysql: downloading ${packages[*]} and the libraries they need"
# apt checks signatures and hashes; --download-only installs nothing.
"${apt[@]}" --yes --download-only install "${packages[@]}" >/dev/null
for archive in "$work"/archives/*.deb; do dpkg-deb --extract "$archive" "$work/root"; done
rm -rf "$work"/lists "$work"/archives "$work"/sources.list "$work"/status

# Newer packages may move the loader or a library's folder (usr-merge did): found, not assumed.
interpreter=$(find "$work/root" -name "$loader" ! -type d | head -n 1)
[ -n "$interpreter" ] || die "no $loader among the packages"
server=$(find "$work/root" -type f -name mysqld | head -n 1)
client=$(find "$work/root" -type f -name mysql -perm -u+x | head -n 1)
[ -n "$server" ] && [ -n "$client" ] || die "no mysqld or mysql among the packages"
# Wrappers name the final place; libraries of both layouts are looked for.
place() { echo "$target${1#"$work"}"; }
libraries=$target/root/usr/lib/$triplet:$target/root/lib/$triplet:$target/root/usr/lib/mysql/private
write_wrapper() { # file, binary, options…
  local file=$1 binary=$2; shift 2
  {
    echo '#!/bin/sh'
    printf 'exec "%s" --library-path "%s" "%s" --no-defaults' "$(place "$interpreter")" "$libraries" "$(place "$binary")"
    if [ $# -gt 0 ]; then printf ' "%s"' "$@"; fi
    echo ' "$@"'
  } >"$file"
  chmod 755 "$file"
}
share=$target/root/usr/share/mysql
write_wrapper "$work/mysqld" "$server" "--basedir=$target/root/usr" "--lc-messages-dir=$share" "--character-sets-dir=$share/charsets" \
  "--plugin-dir=$target/root/usr/lib/mysql/plugin" --secure-file-priv=
write_wrapper "$work/mysql" "$client"

old=
if [ -e "$target" ]; then old=$(mktemp -d "$target.XXXXXX"); mv "$target" "$old/"; fi
chmod 755 "$work"
mv "$work" "$target"
if ! version=$("$target/mysqld" --version); then
  rm -rf "$target"
  if [ -n "$old" ]; then mv "$old/$(basename "$target")" "$target"; rmdir "$old"; fi
  die "the server does not run on this machine"
fi
rm -rf "$old"
echo "get-mysql: $version"
