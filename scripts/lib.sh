# shellcheck shell=bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Shared by the scripts beside it; sourced, not run.
set -euo pipefail
# shellcheck disable=SC2034 # for those who source this
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# What building needs, and what testing needs besides (Debian 12 names).
# shellcheck disable=SC2034
build_packages=(gcc libc6-dev cmake ninja-build pkg-config gettext libetpan-dev
	libssl-dev libsqlite3-dev zlib1g-dev libutf8proc-dev libjansson-dev)
# shellcheck disable=SC2034
server_packages=(dovecot-imapd openssl python3)

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
