-- SPDX-License-Identifier: GPL-3.0-or-later
-- How far a folder's file was read, so that a file that only grew is read from there
-- on. It goes with the fingerprint, and says nothing without it.

ALTER TABLE folder ADD COLUMN bookmark BLOB; -- NULL: from the beginning
