# SPDX-License-Identifier: GPL-3.0-or-later
# Turns migrations/NNNN_what.sql into a C table, in order, so that the program carries
# them. Called with OUT and FILES.
set(body "/* Made from migrations/ at build time. */\n#include \"storage/ledger/schema.h\"\n\n")
set(table "")
list(SORT FILES)
foreach(file ${FILES})
	get_filename_component(name ${file} NAME)
	string(SUBSTRING ${name} 0 4 number)
	string(REGEX REPLACE "^0+" "" number ${number})
	file(READ ${file} sql)
	string(REPLACE "\\" "\\\\" sql "${sql}")
	string(REPLACE "\"" "\\\"" sql "${sql}")
	string(REPLACE "\n" "\\n\"\n\t\t\"" sql "${sql}")
	string(APPEND table "\t{ .number = ${number}, .name = \"${name}\", .sql =\n\t\t\"${sql}\" },\n")
endforeach()
file(WRITE ${OUT} "${body}const struct ledger_migration ledger_migrations[] = {\n${table}\t{ .number = 0 },\n};\n")
