#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Includes go down only: cmd -> core -> importers | storage -> core/base. Foreign
# libraries stay behind their wrapper, and only cmd/ talks to people.
#
# usage: check_layers.sh [DIR]       check itself on planted violations, then the tree
#        check_layers.sh --self-test only the first
set -u
export LC_ALL=C
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# One pass over the files named as arguments. Comments and the text of strings are
# taken out first, but for includes. Prints FILE:LINE: text <- why.
# shellcheck disable=SC2016
rules='
function wrong(why) {
	printf "%s:%d: %s\t<- %s\n", FILENAME, FNR, $0, why
	bad++
}

# The room a file is in, by its path below the root.
function room_of(file) {
	if (file ~ /^core\/base\//) return "base"
	if (file ~ /^storage\/imap\//) return "imap"
	if (file ~ /^storage\/ledger\//) return "ledger"
	sub(/\/.*/, "", file)
	return file
}

function bare(line,    out, i, n, c, two, quote) {
	n = length(line)
	for (i = 1; i <= n; i++) {
		two = substr(line, i, 2)
		c = substr(line, i, 1)
		if (in_comment) {
			if (two == "*/") { in_comment = 0; i++ }
		} else if (quote != "") {
			if (c == "\\") i++
			else if (c == quote) { quote = ""; out = out c }
		} else if (two == "/*") {
			in_comment = 1; i++; out = out " "
		} else if (two == "//") {
			break
		} else {
			if (c == "\"" || c == "\047") quote = c
			out = out c
		}
	}
	return out
}

BEGIN {
	target = "storage\\/[a-z_]+\\.h"
	may["base"] = "core\\/base\\/"
	may["importers"] = "(importers|core\\/base)\\/"
	may["ledger"] = "(storage\\/ledger|core\\/base)\\/"
	may["imap"] = "(storage\\/imap|core\\/base)\\/|" target
	may["storage"] = "core\\/base\\/|" target
	may["core"] = "(core|importers|storage)\\/"
	may["cmd"] = "(cmd|core|importers|storage)\\/"
	why["base"] = "the floor stands on nothing of ours"
	why["importers"] = "sources know no server, no ledger and no engine"
	why["ledger"] = "the ledger knows no server and no source"
	why["imap"] = "the server side knows no ledger and no source"
	why["storage"] = "targets know only the floor"
	why["core"] = "the engine does not know who asks"
	why["cmd"] = "includes are written from the root, and go down"
	begin = "(^|[^_[:alnum:]])"
	prints = begin "(v?f?printf|v?dprintf|puts|fputs|putchar|fputc|putc|perror|psignal)[ \t]*\\("
	streams = begin "(stdout|stderr)([^_[:alnum:]]|$)"
	writes = begin "write[ \t]*\\([ \t]*([12]|STD(OUT|ERR)_FILENO)[ \t]*,"
}

FNR == 1 { room = room_of(FILENAME); in_comment = 0 }

!in_comment && /^[ \t]*#[ \t]*include/ {
	named = $0
	sub(/^[ \t]*#[ \t]*include[ \t]*/, "", named)
	ours = named ~ /^"/ || named ~ /^<(cmd|core|importers|storage|tests)\//
	named = substr(named, 2)
	if (ours && named !~ "^(" may[room] ")")
		wrong(why[room])
	if (named ~ /^libetpan\// && room != "imap")
		wrong("libetpan lives behind storage/imap")
	if (named ~ /^openssl\/(ssl|bio|x509)/ && room != "imap")
		wrong("TLS lives behind storage/imap")
	if (named ~ /^sqlite3/ && room != "ledger")
		wrong("SQLite lives behind storage/ledger")
	if (named ~ /^jansson/ && room != "importers" && room != "cmd")
		wrong("JSON is read by importers and written by cmd")
	if (named ~ /^(err|error|syslog)\.h>/ && room != "cmd")
		wrong("only cmd talks to people")
	next
}

{
	line = bare($0)
	if (room == "cmd")
		next
	# out_of_memory() has nobody left to hand its error to.
	if (line ~ prints || line ~ streams ||
	    (line ~ writes && FILENAME != "core/base/buf.c"))
		wrong("only cmd talks to people")
}

END { exit bad > 0 }
'

check() ( # DIR
	cd "$1" || exit 2
	mapfile -t files < <(find cmd core importers storage -name '*.[ch]' | sort)
	if [ ${#files[@]} -eq 0 ]; then
		echo "no sources below $1"
		exit 2
	fi
	if ! awk "$rules" "${files[@]}"; then
		echo "the layers are broken in the lines above"
		exit 1
	fi
	echo "layers: ${#files[@]} files keep them"
)

# Each of these, added to a clean little tree, must be found: FILE|LINE.
planted='
core/base/buf.h|#include "core/engine.h"
core/base/date.c|#include "importers/importer.h"
core/base/date.c|#include "storage/target.h"
core/base/date.c|#include "../engine.h"
core/base/date.c|	fprintf(stderr, "no\n");
core/base/date.c|	write(2, "no\n", 3);
importers/mbox.c|#include "storage/ledger/ledger.h"
importers/mbox.c|#include <storage/target.h>
importers/mbox.c|#include "core/engine.h"
importers/mbox.c|#include "cmd/out.h"
importers/mbox.c|	printf("%d\n", 1);
importers/mbox.c|	puts("no");
importers/mbox.c|	perror("no");
importers/mbox.c|#include <sqlite3.h>
storage/dry.c|#include "storage/imap/session.h"
storage/ledger/ledger.c|#include "storage/imap/session.h"
storage/ledger/ledger.c|#include "storage/target.h"
storage/ledger/ledger.c|#include "importers/importer.h"
storage/ledger/ledger.c|#include <jansson.h>
storage/imap/session.c|#include "storage/ledger/ledger.h"
storage/imap/session.c|#include "core/engine.h"
storage/imap/session.c|#  include  "importers/importer.h"
core/engine.c|#include "cmd/out.h"
core/engine.c|#include <libetpan/libetpan.h>
core/engine.c|#include <openssl/ssl.h>
core/engine.c|#include <sqlite3.h>
core/engine.c|#include <err.h>
core/engine.c|	vfprintf(out, format, ap);
core/engine.c|	/* a comment */ write(STDERR_FILENO, s, n);
core/engine.c|	fputs("no", stdout);
cmd/main.c|#include <sqlite3.h>
cmd/main.c|#include "tests/lib/check.h"
cmd/main.c|#include <openssl/ssl.h>
'

skeleton() { # DIR: a tree that keeps the layers, with lines that only look bad
	local dir
	for dir in core/base importers storage/ledger storage/imap cmd; do
		mkdir -p "$1/$dir"
	done
	: > "$1/core/base/buf.h"
	printf '#include "core/base/buf.h"\n\twrite(2, "out of memory\\n", 14);\n' > "$1/core/base/buf.c"
	printf '/* printf(" in\n   a comment, stderr too */\n\tsnprintf(b, n, "printf(stderr)");\n\tx = %s;\n' "'\"'" > "$1/core/base/date.c"
	printf '#include "core/base/buf.h"\n#include <jansson.h>\n' > "$1/importers/mbox.c"
	printf '#include "storage/target.h"\n' > "$1/storage/dry.c"
	printf '#include "core/base/buf.h"\n' > "$1/storage/target.h"
	printf '#include "storage/ledger/schema.h"\n#include <sqlite3.h>\n' > "$1/storage/ledger/ledger.c"
	printf '#include "storage/target.h"\n#include <openssl/ssl.h>\n' > "$1/storage/imap/session.c"
	printf '#include "importers/importer.h"\n#include "storage/imap/account.h"\n' > "$1/core/engine.c"
	printf '#include "core/engine.h"\n\tprintf("hello\\n");\n' > "$1/cmd/main.c"
}

self_test() {
	local dir file line said n=0
	dir=$(mktemp -d) || return 2
	# shellcheck disable=SC2064
	trap "rm -rf '$dir'" EXIT
	skeleton "$dir"
	if ! said=$(check "$dir"); then
		printf 'not ok: a clean tree is refused\n%s\n' "$said"
		return 1
	fi
	while IFS='|' read -r file line; do
		[ -n "$file" ] || continue
		cp "$dir/$file" "$dir/kept"
		printf '%s\n' "$line" >> "$dir/$file"
		if said=$(check "$dir") || ! grep -qF "$file:" <<< "$said"; then
			printf 'not ok: not found in %s: %s\n' "$file" "$line"
			return 1
		fi
		mv "$dir/kept" "$dir/$file"
		n=$((n + 1))
	done <<< "$planted"
	[ "$n" -ge 25 ] || { printf 'not ok: only %d were planted\n' "$n"; return 1; }
	printf 'self-test: %d planted violations, all found\n' "$n"
}

case ${1:-} in
--self-test) self_test ;;
'') self_test && check "$here/.." ;;
-*) sed -n '5,7s/^# //p' "$0"; exit 64 ;;
*) check "$1" ;;
esac
