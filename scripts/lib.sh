# shellcheck shell=bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Shared by the scripts beside it; sourced, not run.
set -euo pipefail
# shellcheck disable=SC2034 # for those who source this
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# What building needs, and what testing needs besides (Debian 12 names).
# shellcheck disable=SC2034
build_packages=(gcc libc6-dev cmake ninja-build pkg-config gettext libetpan-dev
	libssl-dev libsqlite3-dev zlib1g-dev libbz2-dev liblzma-dev libzstd-dev libpst-dev
	libutf8proc-dev libjansson-dev)
# shellcheck disable=SC2034
server_packages=(dovecot-imapd openssl python3)

# Cyrus, Courier and mailutils cannot be installed beside Dovecot: their packages are
# unpacked, and only the libraries they are linked with installed.
# shellcheck disable=SC2034
other_server_libraries=(libcourier-unicode4 libgamin0 libgdbm6 libgnutls30 libical3
	libicu72 libidn12 libjansson4 libldap-2.5-0 libmailutils9 libnsl2 libpcre3 libpq5
	libsasl2-2 libsasl2-modules libsqlite3-0 libssl3 libuuid1 libwrap0 libxapian30
	libxml2)

say() {
	printf '== %s\n' "$*"
}

die() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo > /dev/null; then
		sudo "$@"
	else
		die "this needs root or sudo: $*"
	fi
}

is_installed() {
	[[ $(dpkg-query -W -f='${db:Status-Abbrev}' "$1" 2> /dev/null) == ii* ]]
}

# Install those that are missing, and nothing when none is.
need_packages() {
	local package missing=()
	command -v dpkg-query > /dev/null || die "this is for Debian 12"
	for package in "$@"; do
		is_installed "$package" || missing+=("$package")
	done
	if [ ${#missing[@]} -eq 0 ]; then
		return
	fi
	say "installing: ${missing[*]}"
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -q update < /dev/null
	without_services env DEBIAN_FRONTEND=noninteractive apt-get -q -y \
		--no-install-recommends install "${missing[@]}" < /dev/null
}

# Servers are installed for private use: the system's own are not to be started.
without_services() {
	local policy=/usr/sbin/policy-rc.d status=0
	if [ -e $policy ]; then
		as_root "$@"
		return
	fi
	as_root sh -c "printf '#!/bin/sh\nexit 101\n' > $policy; chmod 755 $policy"
	as_root "$@" || status=$?
	as_root rm -f $policy
	return $status
}

download() {
	apt-get -q -o APT::Sandbox::User="$(id -un)" download "$@" < /dev/null
}

# Put a server's packages, unpacked, where tests/lib/servers.py looks for it; once.
unpack_server() {
	local name=$1 cache=${XDG_CACHE_HOME:-$HOME/.cache}/mailhaul-tests work status=0
	shift
	if [ -e "$cache/$name" ]; then
		return
	fi
	say "unpacking: $*"
	mkdir -p "$cache"
	work=$(mktemp -d "$cache/$name.XXXXXX")
	(
		cd "$work" && mkdir root &&
			{ download "$@" ||
				{ as_root apt-get -q update && download "$@"; } } &&
			find . -name '*.deb' -exec dpkg-deb -x {} root \; &&
			mv root "$cache/$name"
	) || status=$?
	rm -rf "$work"
	return $status
}

# The tests of a server that is not there say so and are skipped.
need_other_servers() {
	if ! (need_packages "${other_server_libraries[@]}"); then
		say "without libraries for Cyrus, Courier and mailutils"
	fi
	unpack_server cyrus cyrus-common cyrus-imapd || say "without Cyrus"
	unpack_server courier courier-base courier-imap courier-authlib ||
		say "without Courier"
	unpack_server mailutils mailutils-imap4d mailutils-common || say "without mailutils"
}

# Configure and build a preset of CMakePresets.json.
build_preset() {
	local preset=$1 generator=()
	shift
	if [ ! -e "$root/build/$preset/CMakeCache.txt" ]; then
		generator=(-G Ninja)
	fi
	say "building preset $preset in build/$preset"
	(
		cd "$root"
		cmake --preset "$preset" "${generator[@]}"
		cmake --build --preset "$preset" -j "$(nproc)" "$@"
	)
}
