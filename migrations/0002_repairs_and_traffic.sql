-- SPDX-License-Identifier: GPL-3.0-or-later
-- What goes out in place of a message that the server refused as it was, and what was
-- sent when, for the daily limit. Repairs are rare: the message's row has the set, which
-- costs nothing where it is 0, and a table of its own what belongs to it.

ALTER TABLE message ADD COLUMN repairs INTEGER NOT NULL DEFAULT 0;

CREATE TABLE sent_instead (
	message INTEGER PRIMARY KEY REFERENCES message,
	size INTEGER NOT NULL CHECK (size >= 0),
	full_digest BLOB NOT NULL CHECK (length(full_digest) = 32),
	core_digest BLOB NOT NULL CHECK (length(core_digest) = 32)
) STRICT;

-- L4: what a message that is done was sent as is part of what is done.
CREATE TRIGGER l4_done_keeps_its_repairs BEFORE UPDATE OF repairs ON message
WHEN OLD.state = 2 AND NEW.repairs <> OLD.repairs
BEGIN
	SELECT RAISE(ABORT, 'L4: a message that is done keeps its repairs');
END;
-- REPLACE fires no trigger for the row it removes: it is stopped as what it puts there.
CREATE TRIGGER l4_done_was_sent_as_it_was BEFORE INSERT ON sent_instead
WHEN (SELECT state FROM message WHERE id = NEW.message) = 2
BEGIN
	SELECT RAISE(ABORT, 'L4: a message that is done was sent as it was');
END;
CREATE TRIGGER l4_what_was_sent_does_not_change BEFORE UPDATE ON sent_instead
WHEN (SELECT state FROM message WHERE id = OLD.message) = 2
BEGIN
	SELECT RAISE(ABORT, 'L4: what was sent of a done message stays');
END;
CREATE TRIGGER l4_what_was_sent_is_not_deleted BEFORE DELETE ON sent_instead
WHEN (SELECT state FROM message WHERE id = OLD.message) = 2
BEGIN
	SELECT RAISE(ABORT, 'L4: what was sent of a done message stays');
END;

CREATE TABLE traffic (
	hour INTEGER PRIMARY KEY,	-- seconds since 1970 at its begin
	bytes INTEGER NOT NULL
) STRICT;
