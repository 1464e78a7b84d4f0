/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every statement of the ledger. Parameters stand in the order in which they
   are bound. A change of state names the state it starts from: that nothing was
   changed is how the caller learns of a broken promise (L2, L4). */
#include "storage/ledger/db.h"

/* What message.c's read_message() expects. */
#define MESSAGE_COLUMNS                                                        \
	"id, state, uid, uidvalidity, size, run, full_digest, core_digest, "   \
	"message_id, why, repairs"

/* Of message m, as it went out. */
#define SENT_SIZE                                                              \
	"CASE m.repairs WHEN 0 THEN m.size ELSE (SELECT s.size FROM "          \
	"sent_instead AS s WHERE s.message = m.id) END"

/* SQL is laid out by hand. */
/* clang-format off */
const struct statement_text statement_texts[STATEMENTS] = {
	[ST_BEGIN] = { "BEGIN IMMEDIATE", false },
	[ST_COMMIT] = { "COMMIT", false },

	[ST_RUN_BEGIN] = {
		"INSERT INTO run (command, began) VALUES (?1, ?2)", true },
	[ST_RUN_END] = {
		"UPDATE run SET ended = ?2, exit_status = ?3 WHERE id = ?1",
		true },
	[ST_RUN_LAST] = {
		"SELECT id, began, ended, exit_status, command FROM run "
		"ORDER BY id DESC LIMIT 1", false },

	[ST_SOURCE_FIND] = {
		"SELECT id FROM source WHERE path = ?1 AND format = ?2",
		false },
	[ST_SOURCE_ADD] = {
		"INSERT INTO source (path, format) VALUES (?1, ?2)", true },

	[ST_FOLDER_KNOWN] = {
		"SELECT 1 FROM folder WHERE source = ?1 AND id_text = ?2 "
		"AND fingerprint IS NOT NULL", false },

	[ST_FOLDER_FIND] = {
		"SELECT id, extent, fingerprint = ?3 FROM folder "
		"WHERE source = ?1 AND id_text = ?2", false },
	[ST_FOLDER_ADD] = {
		"INSERT INTO folder (source, id_text, shown, seen_run) "
		"VALUES (?1, ?2, ?3, ?4)", true },
	[ST_FOLDER_SEEN] = {
		"UPDATE folder SET shown = ?2, seen_run = ?3 WHERE id = ?1",
		true },
	[ST_FOLDER_DONE] = {
		"UPDATE folder SET fingerprint = ?2, extent = ?3, seen_run = ?4 "
		"WHERE id = ?1", true },
	[ST_FOLDER_FORGET] = {
		"DELETE FROM copy WHERE folder = ?1 AND seen_run <> ?2", true },
	[ST_FOLDER_NEXT_KNOWN] = {
		"SELECT id_text, fingerprint FROM folder "
		"WHERE source = ?1 AND id_text > ?2 "
		"AND fingerprint IS NOT NULL ORDER BY id_text LIMIT 1",
		false },
	[ST_FOLDER_MARK] = {
		"UPDATE folder SET bookmark = ?2 WHERE id = ?1", true },
	[ST_FOLDER_MARKED] = {
		"SELECT bookmark FROM folder WHERE id = ?1 "
		"AND bookmark IS NOT NULL AND fingerprint IS NOT NULL",
		false },
	[ST_FOLDER_KEEP] = {
		"UPDATE copy SET seen_run = ?2 WHERE folder = ?1", true },
	[ST_FOLDER_DATES] = {
		"SELECT min(date), max(date) FROM copy WHERE folder = ?1",
		false },
	[ST_FOLDERS] = {
		"SELECT id FROM folder WHERE ?1 = 0 OR seen_run = ?1", false },
	[ST_FOLDER_TOTALS] = {
		"SELECT state, count(*), sum(size), sum(sent_run = ?2) "
		"FROM copy WHERE folder = ?1 GROUP BY state", false },

	[ST_TARGET_FOLDER_FIND] = {
		"SELECT id, uidvalidity, floor, shown = ?2 FROM target_folder "
		"WHERE key = ?1", false },
	[ST_TARGET_FOLDER_ADD] = {
		"INSERT INTO target_folder (key, shown) VALUES (?1, ?2)", true },
	[ST_TARGET_FOLDER_SHOWN] = {
		"UPDATE target_folder SET shown = ?2 WHERE id = ?1", true },
	[ST_TARGET_FOLDER_COUNTS] = {
		"SELECT (SELECT count(*) FROM message "
		"	WHERE target_folder = ?1 AND state = 1), "
		"(SELECT count(*) FROM message "
		"	WHERE target_folder = ?1 AND state = 2)", false },
	/* L3's floor. Open intents were sent under the old one; if the folder was
	   made anew since, UIDs began again, and everything must be looked at.
	   A server that says no UIDVALIDITY does not take back what is known. */
	[ST_TARGET_FOLDER_OPENED] = {
		"UPDATE target_folder SET wire = ?2, "
		"uidvalidity = CASE WHEN ?3 = 0 THEN uidvalidity ELSE ?3 END, "
		"floor = CASE "
		"	WHEN NOT EXISTS (SELECT 1 FROM message "
		"		WHERE target_folder = ?1 AND state = 1) THEN ?4 "
		"	WHEN uidvalidity IN (0, ?3) THEN floor "
		"	ELSE 1 END "
		"WHERE id = ?1", true },
	[ST_TARGET_FOLDER_NEXT] = {
		"SELECT t.id, t.key, t.shown, t.wire, t.uidvalidity, "
		"(SELECT count(*) FROM message "
		"	WHERE target_folder = t.id AND state = 2), "
		"(SELECT count(*) FROM message "
		"	WHERE target_folder = t.id AND state = 1), "
		"(SELECT count(*) FROM message "
		"	WHERE target_folder = t.id AND state = 3), "
		"(SELECT coalesce(sum(size), 0) FROM message "
		"	WHERE target_folder = t.id AND state = 2) "
		"FROM target_folder t WHERE t.id > ?1 ORDER BY t.id LIMIT 1",
		false },

	[ST_MESSAGE_BY_FULL] = {
		"SELECT " MESSAGE_COLUMNS " FROM message "
		"WHERE target_folder = ?1 AND full_digest = ?2", false },
	[ST_MESSAGE_BY_CORE] = {
		"SELECT " MESSAGE_COLUMNS " FROM message "
		"WHERE target_folder = ?1 AND core_digest = ?2", false },
	/* Some programs give all their mail one Message-ID: do not count them all
	   for each of them. */
	[ST_MESSAGE_SAME_ID] = {
		"SELECT count(*) FROM (SELECT 1 FROM message "
		"	WHERE message_id = ?2 AND target_folder = ?1 "
		"	AND core_digest <> ?3 LIMIT 100)", false },
	[ST_MESSAGE_PLAN] = {
		"INSERT INTO message (target_folder, full_digest, core_digest, "
		"	size, message_id, subject, date, flags, run) "
		"VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)", true },
	[ST_MESSAGE_INTEND] = {
		"UPDATE message SET state = 1, run = ?2, why = NULL "
		"WHERE id = ?1 AND state IN (0, 3)", true },
	[ST_MESSAGE_CONFIRM] = {
		"UPDATE message SET state = 2, uid = ?2, uidvalidity = ?3, "
		"run = ?4 WHERE id = ?1 AND state = 1", true },
	[ST_MESSAGE_REFUSE] = {
		"UPDATE message SET state = 3, why = ?2, run = ?3 "
		"WHERE id = ?1 AND state IN (0, 1, 3)", true },
	[ST_MESSAGE_RETRACT] = {
		"UPDATE message SET state = 0 WHERE id = ?1 AND state = 1",
		true },
	[ST_MESSAGE_FLAGS] = {
		"SELECT flags FROM message WHERE id = ?1 AND state <> 2",
		false },
	[ST_MESSAGE_SET_FLAGS] = {
		"UPDATE message SET flags = ?2 WHERE id = ?1", true },
	[ST_MESSAGE_NEXT_INTENT] = {
		"SELECT " MESSAGE_COLUMNS " FROM message "
		"WHERE target_folder = ?1 AND state = 1 AND id > ?2 "
		"ORDER BY id LIMIT 1", false },
	[ST_MESSAGE_NEXT_DONE] = {
		"SELECT " MESSAGE_COLUMNS " FROM message "
		"WHERE target_folder = ?1 AND state = 2 AND id > ?2 "
		"ORDER BY id LIMIT 1", false },
	[ST_MESSAGE_OWNS_UID] = {
		"SELECT 1 FROM message WHERE target_folder = ?1 AND uid = ?2 "
		"AND uidvalidity = ?3 AND state = 2 LIMIT 1",
		false },
	/* What a copy need not say again. */
	[ST_MESSAGE_SAYS] = {
		"SELECT state, run, full_digest = ?2, subject = ?3 "
		"FROM message WHERE id = ?1", false },
	/* With its pending copies: the earliest, and how many. */
	[ST_MESSAGE_PENDING] = {
		"SELECT m.state, m.run, min(c.id), count(c.id) FROM message m "
		"LEFT JOIN copy c ON c.message = m.id AND c.state = 0 "
		"WHERE m.id = ?1 GROUP BY m.id", false },

	/* The whole of what another copy has only the beginning of: of the same
	   Message-ID, subject and, by and large, date (some programs give all their
	   mail one Message-ID), longer, and from a copy that is not partial itself. */
	[ST_MESSAGE_WHOLE] = {
		"SELECT " MESSAGE_COLUMNS " FROM message "
		"WHERE message_id = ?1 AND size > ?2 AND state <> 3 "
		"AND subject IS ?4 "
		"AND (date IS NULL OR ?5 IS NULL OR abs(date - ?5) <= 172800) "
		"AND EXISTS (SELECT 1 FROM copy "
		"	WHERE message = message.id AND (notes & ?3) = 0) "
		"LIMIT 1", false },

	[ST_REPAIR_SET] = {
		"UPDATE message SET repairs = ?2 "
		"WHERE id = ?1 AND state IN (0, 3)", true },
	[ST_REPAIR_PUT] = {
		"INSERT OR REPLACE INTO sent_instead "
		"(message, size, full_digest, core_digest) "
		"VALUES (?1, ?2, ?3, ?4)", true },
	[ST_REPAIR_DROP] = {
		"DELETE FROM sent_instead WHERE message = ?1", true },
	[ST_REPAIR_SENT] = {
		"SELECT size, full_digest, core_digest FROM sent_instead "
		"WHERE message = ?1", false },

	[ST_LATE_FLAGS] = {
		"SELECT m.flags, coalesce(l.flags, '') FROM message m "
		"LEFT JOIN late_flags l ON l.message = m.id WHERE m.id = ?1",
		false },
	[ST_LATE_PUT] = {
		"INSERT OR REPLACE INTO late_flags (message, flags) "
		"VALUES (?1, ?2)", true },
	/* Few, or none: the table leads. */
	[ST_LATE_NEXT] = {
		"SELECT m.id, m.uid, m.uidvalidity, l.flags FROM late_flags l "
		"CROSS JOIN message m ON m.id = l.message "
		"WHERE l.message > ?2 AND m.target_folder = ?1 "
		"AND m.state = 2 AND m.uid > 0 ORDER BY l.message LIMIT 1",
		false },
	[ST_LATE_DROP] = {
		"DELETE FROM late_flags WHERE message = ?1", true },
	[ST_LATE_ANY] = {
		"SELECT 1 FROM late_flags l CROSS JOIN message m "
		"ON m.id = l.message WHERE m.state = 2 AND m.uid > 0 LIMIT 1",
		false },

	[ST_TRAFFIC_ADD] = {
		"INSERT INTO traffic (hour, bytes) VALUES (?1, ?2) "
		"ON CONFLICT (hour) DO UPDATE SET bytes = bytes + ?2", true },
	[ST_TRAFFIC_TAKE_BACK] = {
		"UPDATE traffic SET bytes = max(bytes - ?2, 0) WHERE hour = ?1",
		true },
	[ST_TRAFFIC_FORGET] = {
		"DELETE FROM traffic WHERE hour < ?1", true },
	[ST_TRAFFIC_SINCE] = {
		"SELECT hour, bytes FROM traffic WHERE hour > ?1 ORDER BY hour",
		false },

	[ST_FOREIGN_ADD] = {
		"INSERT OR REPLACE INTO foreign_mail "
		"(target_folder, uid, size, message_id) "
		"VALUES (?1, ?2, ?3, ?4)", true },
	[ST_FOREIGN_BY_ID] = {
		"SELECT uid FROM foreign_mail INDEXED BY foreign_mail_id "
		"WHERE target_folder = ?1 AND uid > ?2 AND message_id = ?3 "
		"ORDER BY uid LIMIT 1", false },
	[ST_FOREIGN_BY_SIZE] = {
		"SELECT uid FROM foreign_mail INDEXED BY foreign_mail_size "
		"WHERE target_folder = ?1 AND uid > ?2 AND message_id IS NULL "
		"AND size = ?3 ORDER BY uid LIMIT 1", false },
	[ST_FOREIGN_TAKE] = {
		"DELETE FROM foreign_mail WHERE target_folder = ?1 AND uid = ?2",
		true },
	[ST_FOREIGN_FORGET] = {
		"DELETE FROM foreign_mail WHERE target_folder = ?1", true },
	[ST_FOREIGN_ANY] = {
		"SELECT 1 FROM foreign_mail WHERE target_folder = ?1 LIMIT 1",
		false },

	[ST_COPY_FIND] = {
		"SELECT id, state, message, length, seen_run, "
		"(SELECT target_folder FROM message WHERE id = copy.message) "
		"FROM copy WHERE folder = ?1 AND locator = ?2", false },
	[ST_COPY_SEEN] = {
		"UPDATE copy SET seen_run = ?2 WHERE id = ?1", true },
	[ST_COPY_CLAIMED] = {
		"SELECT 1 FROM copy WHERE message = ?1 AND seen_run = ?4 "
		"AND state < 3 AND (folder <> ?2 OR locator <> ?3) "
		"LIMIT 1", false },
	/* One row of values, and no ON CONFLICT DO UPDATE: otherwise SQLite keeps a
	   journal of its own for the statement, with every page that it changes. */
	[ST_COPY_ADD] = {
		"INSERT INTO copy (folder, locator, seen_run, state, message, "
		"	offset, length, size, date, notes, why, sent_run, "
		"	full_digest, subject) "
		"VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, "
		"	?13, ?14) ON CONFLICT (folder, locator) DO NOTHING",
		true },
	[ST_COPY_REPLACE] = {
		"UPDATE copy SET seen_run = ?3, state = ?4, message = ?5, "
		"	offset = ?6, length = ?7, size = ?8, date = ?9, "
		"	notes = ?10, why = ?11, sent_run = ?12, "
		"	full_digest = ?13, subject = ?14 "
		"WHERE folder = ?1 AND locator = ?2", true },
	[ST_COPY_STANDS] = {
		"UPDATE copy SET state = ?2, sent_run = ?3, "
		"why = coalesce(?4, why) WHERE id = ?1", true },
	[ST_COPY_ENDS] = {
		"UPDATE copy SET state = ?2, why = coalesce(?3, why) "
		"WHERE message = ?1 AND state = 0", true },

	[ST_CHECK_BEGIN] = {
		"INSERT INTO temp.checked (one, target_folder) VALUES (1, ?1)",
		false },
	[ST_CHECK_BY_UID] = {
		"SELECT id, message_id FROM message WHERE target_folder = "
		"	(SELECT target_folder FROM temp.checked) "
		"AND uid = ?2 AND state = 2 "
		"AND uidvalidity IN (0, ?1)", false },
	[ST_CHECK_FOUND] = {
		"INSERT OR IGNORE INTO temp.found (message, uid) "
		"VALUES (?1, ?2)", false },
	[ST_CHECK_CHANGED] = {
		"INSERT OR IGNORE INTO temp.changed (message) VALUES (?1)",
		false },
	[ST_CHECK_UNKNOWN] = {
		"INSERT OR REPLACE INTO temp.unknown (uid, size, message_id) "
		"VALUES (?1, ?2, ?3)", false },
	[ST_CHECK_TAKE_UNKNOWN] = {
		"DELETE FROM temp.unknown WHERE uid = ?1", false },
	/* The unknown mail with its Message-ID, of the size that was sent if there is
	   such; last, a repaired one's whose Message-ID is no longer in the header. */
	[ST_CHECK_NEXT_PAIR] = {
		"SELECT m.id, coalesce("
		"	(SELECT min(u.uid) FROM temp.unknown AS u "
		"		WHERE u.message_id IS m.message_id "
		"		AND u.size = " SENT_SIZE "), "
		"	(SELECT min(u.uid) FROM temp.unknown AS u "
		"		WHERE u.message_id = m.message_id), "
		"	CASE WHEN m.repairs <> 0 THEN "
		"	(SELECT min(u.uid) FROM temp.unknown AS u "
		"		WHERE u.message_id IS NULL "
		"		AND u.size = " SENT_SIZE ") END) "
		"FROM message AS m WHERE m.target_folder = "
		"	(SELECT target_folder FROM temp.checked) "
		"AND m.state = 2 AND m.id > ?1 "
		"AND m.id NOT IN (SELECT message FROM temp.found) "
		"AND m.id NOT IN (SELECT message FROM temp.changed) "
		"ORDER BY m.id LIMIT 1", false },
	[ST_CHECK_NEXT_MISSING] = {
		"SELECT id, uid, message_id, subject FROM message "
		"WHERE target_folder = (SELECT target_folder FROM temp.checked) "
		"AND state = 2 AND id > ?1 "
		"AND id NOT IN (SELECT message FROM temp.found) "
		"AND id NOT IN (SELECT message FROM temp.changed) "
		"ORDER BY id LIMIT 1", false },
	[ST_CHECK_NEXT_FOUND] = {
		"SELECT m.id, f.uid, m.full_digest, m.core_digest, m.repairs "
		"FROM temp.found AS f JOIN message AS m ON m.id = f.message "
		"WHERE f.uid > ?1 ORDER BY f.uid LIMIT 1", false },
};
/* clang-format on */

/* In the order of copy_by_state, so that nothing is sorted, and of copies in
   other states nothing is read but the index. */
const char statement_list_copies[] =
	"SELECT s.path, f.shown, c.locator, coalesce(c.subject, m.subject), "
	"	coalesce(c.why, m.why), t.shown, c.offset, c.size, c.date, "
	"	c.state, c.notes "
	"FROM folder f CROSS JOIN source s ON s.id = f.source "
	"CROSS JOIN copy c INDEXED BY copy_by_state ON c.folder = f.id "
	"LEFT JOIN message m ON m.id = c.message "
	"LEFT JOIN target_folder t ON t.id = m.target_folder "
	"WHERE (?2 = 0 OR f.seen_run = ?2) AND (?1 >> c.state) & 1 "
	"ORDER BY f.id, c.state, c.id";
