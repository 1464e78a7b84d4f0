-- SPDX-License-Identifier: GPL-3.0-or-later
-- The ledger of one target mailbox. What the tables mean is said in
-- storage/ledger/ledger.h; here stands why they are shaped as they are.
--
-- Names of files and folders on disk are bytes, hence BLOB. Checks are written with
-- BETWEEN: for IN with more than two values SQLite builds a table at every write. Columns called run
-- are labels, not references: a check of each would cost a look-up per write and
-- protect nothing.

PRAGMA application_id = 0x6d686c67; -- "mhlg"

CREATE TABLE meta (
	one INTEGER PRIMARY KEY CHECK (one = 1),
	target TEXT NOT NULL,		-- user@host, '' until it is claimed
	digest_version INTEGER NOT NULL,
	created INTEGER NOT NULL
) STRICT;

CREATE TABLE run (
	id INTEGER PRIMARY KEY,
	command TEXT NOT NULL,
	began INTEGER NOT NULL,
	ended INTEGER,			-- NULL: runs still, or was cut off
	exit_status INTEGER
) STRICT;

CREATE TABLE source (
	id INTEGER PRIMARY KEY,
	format TEXT NOT NULL,
	path BLOB NOT NULL,
	UNIQUE (path, format)
) STRICT;

CREATE TABLE folder (
	id INTEGER PRIMARY KEY,
	source INTEGER NOT NULL REFERENCES source,
	id_text BLOB NOT NULL,
	shown TEXT NOT NULL,
	seen_run INTEGER NOT NULL,
	extent INTEGER NOT NULL DEFAULT 0 CHECK (extent BETWEEN 0 AND 2),
	fingerprint BLOB,		-- NULL: never seen to its end
	UNIQUE (source, id_text)
) STRICT;

CREATE TABLE target_folder (
	id INTEGER PRIMARY KEY,
	key BLOB NOT NULL UNIQUE,
	shown TEXT NOT NULL,
	wire TEXT NOT NULL DEFAULT '',
	uidvalidity INTEGER NOT NULL DEFAULT 0,
	floor INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE message (
	id INTEGER PRIMARY KEY,
	target_folder INTEGER NOT NULL REFERENCES target_folder,
	state INTEGER NOT NULL DEFAULT 0 CHECK (state BETWEEN 0 AND 3),
	size INTEGER NOT NULL CHECK (size >= 0),
	date INTEGER,			-- NULL: not known
	run INTEGER NOT NULL,
	uid INTEGER NOT NULL DEFAULT 0,
	uidvalidity INTEGER NOT NULL DEFAULT 0,
	full_digest BLOB NOT NULL CHECK (length(full_digest) = 32),
	core_digest BLOB NOT NULL CHECK (length(core_digest) = 32),
	message_id TEXT,		-- NULL: it has none
	subject TEXT,
	flags TEXT NOT NULL DEFAULT '',
	why TEXT,
	UNIQUE (target_folder, full_digest)
) STRICT;

CREATE INDEX message_core ON message (target_folder, core_digest);
CREATE INDEX message_same_id ON message (message_id, target_folder)
	WHERE message_id IS NOT NULL;
-- Each state that is asked for has an index of its own. Together they are
-- smaller than one over every state, and to leave PLANNED touches one of them.
-- The id is spelled out to get order by id with the size behind it, so that
-- counts and sums read nothing but the index.
CREATE INDEX message_open ON message (target_folder) WHERE state = 1;
CREATE INDEX message_done ON message (target_folder, id, size) WHERE state = 2;
CREATE INDEX message_refused ON message (target_folder) WHERE state = 3;
CREATE INDEX message_uid ON message (target_folder, uid) WHERE state = 2;

-- A second line behind the statements, which ask for the state they start from.
-- One trigger for both promises: each costs as much as a small statement.
CREATE TRIGGER l4_done_stays_done_l2_done_was_an_intent
BEFORE UPDATE OF state ON message
WHEN OLD.state <> 1 AND (OLD.state = 2) <> (NEW.state = 2)
BEGIN
	SELECT CASE OLD.state
		WHEN 2 THEN RAISE(ABORT, 'L4: a message that is done stays done')
		ELSE RAISE(ABORT, 'L2: only an open intent becomes done')
	END;
END;
CREATE TRIGGER l4_done_is_not_deleted BEFORE DELETE ON message
WHEN OLD.state = 2
BEGIN
	SELECT RAISE(ABORT, 'L4: a message that is done is not deleted');
END;

CREATE TABLE copy (
	id INTEGER PRIMARY KEY,
	folder INTEGER NOT NULL REFERENCES folder,
	locator BLOB NOT NULL,
	state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 5),
	message INTEGER REFERENCES message,
	offset INTEGER NOT NULL,
	length INTEGER NOT NULL,
	size INTEGER NOT NULL,
	date INTEGER,
	notes INTEGER NOT NULL,
	seen_run INTEGER NOT NULL,
	sent_run INTEGER NOT NULL,	-- its message's run when UPLOADED, else 0
	full_digest BLOB,		-- NULL: as its message's, or not known
	subject TEXT,			-- NULL: as its message's
	why TEXT,
	UNIQUE (folder, locator)
) STRICT;

CREATE INDEX copy_of_message ON copy (message) WHERE message IS NOT NULL;
-- Totals read nothing but this, and lists come in its order.
CREATE INDEX copy_by_state ON copy (folder, state, id, size, sent_run);

-- Mail on the server that is not ours: it was there before we came, or came by another
-- way. What a source holds of it is recognised and not sent.
CREATE TABLE foreign_mail (
	target_folder INTEGER NOT NULL REFERENCES target_folder,
	uid INTEGER NOT NULL,
	size INTEGER NOT NULL,
	message_id TEXT,		-- NULL: it has none
	PRIMARY KEY (target_folder, uid)
) STRICT, WITHOUT ROWID;

CREATE INDEX foreign_mail_id ON foreign_mail (target_folder, message_id, uid);
CREATE INDEX foreign_mail_size ON foreign_mail (target_folder, size, uid)
	WHERE message_id IS NULL;
