-- SPDX-License-Identifier: GPL-3.0-or-later
-- Flags of a copy that was found after its message had gone out: to be added on the
-- server. A row goes when they are there.

CREATE TABLE late_flags (
	message INTEGER PRIMARY KEY REFERENCES message,
	flags TEXT NOT NULL		-- those that are missing
) STRICT;
