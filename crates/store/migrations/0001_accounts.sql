-- The account group, what finds an account, and the control tables.
--
-- PostgreSQL reads this text as it stands; for SQLite the store makes a mechanical view of it (src/migrate.rs):
-- BIGINT becomes INTEGER, BYTEA and UUID become BLOB, and the comment after a table becomes STRICT, WITHOUT ROWID.
--
-- account_no  dense number, inside only.
-- block       account_no / 4096, first in every key of the account group and in every statement on it.
-- home        a block, or a negative number for what has no account.
-- slot        16-bit hash of a key, computed by the store: what the block is for rows that find an account.
-- *_at        microseconds, UTC, always bound, never now().
-- sealed      encrypted under the site's keys before it comes here.
-- JSON is TEXT that no statement looks into.

-- ---------------------------------------------------------------- the account group

CREATE TABLE account (
  block       BIGINT NOT NULL,
  account_no  BIGINT NOT NULL,
  public_id   UUID   NOT NULL,
  reference   TEXT,
  role        TEXT   NOT NULL,
  groups      TEXT   NOT NULL,
  state       TEXT   NOT NULL CHECK (state IN ('open', 'held', 'erased')),
  epoch       BIGINT NOT NULL,
  version     BIGINT NOT NULL,
  import_no   BIGINT,
  created_at  BIGINT NOT NULL,
  PRIMARY KEY (block, account_no),
  CHECK (block = account_no / 4096)
) /*strict, clustered*/;

-- The names of an account in the order they were given; identifier says whose they are.
CREATE TABLE account_name (
  block       BIGINT NOT NULL,
  account_no  BIGINT NOT NULL,
  name_no     BIGINT NOT NULL,
  kind        TEXT   NOT NULL,
  name_key    TEXT   NOT NULL,
  given       TEXT   NOT NULL,
  PRIMARY KEY (block, account_no, name_no),
  FOREIGN KEY (block, account_no) REFERENCES account (block, account_no)
) /*strict, clustered*/;

CREATE TABLE contact (
  block       BIGINT NOT NULL,
  account_no  BIGINT NOT NULL,
  contact_no  BIGINT NOT NULL,
  kind        TEXT   NOT NULL,
  address     TEXT   NOT NULL,
  verified_at BIGINT,
  replaced_at BIGINT,
  PRIMARY KEY (block, account_no, contact_no),
  FOREIGN KEY (block, account_no) REFERENCES account (block, account_no)
) /*strict, clustered*/;

-- password_no is the password version of an account: 1 for the first, one more with each new one.
CREATE TABLE password (
  block       BIGINT NOT NULL,
  account_no  BIGINT NOT NULL,
  password_no BIGINT NOT NULL,
  state       TEXT   NOT NULL CHECK (state IN ('current', 'former')),
  sealed      BYTEA  NOT NULL,
  kind        TEXT   NOT NULL,
  weak        BIGINT NOT NULL CHECK (weak IN (0, 1)),
  origin      TEXT   NOT NULL CHECK (origin IN ('imported', 'set')),
  set_at      BIGINT NOT NULL,
  changed_at  BIGINT NOT NULL,
  PRIMARY KEY (block, account_no, password_no),
  FOREIGN KEY (block, account_no) REFERENCES account (block, account_no)
) /*strict, clustered*/;
CREATE UNIQUE INDEX password_current ON password (block, account_no) WHERE state = 'current';
CREATE INDEX password_weak ON password (block, account_no, password_no) WHERE weak = 1;

-- A keyed digest of every hash that was replaced: a leak that holds one of them is our own.
CREATE TABLE replaced_hash (
  block       BIGINT NOT NULL,
  account_no  BIGINT NOT NULL,
  digest      BYTEA  NOT NULL,
  replaced_at BIGINT NOT NULL,
  PRIMARY KEY (block, account_no, digest),
  FOREIGN KEY (block, account_no) REFERENCES account (block, account_no)
) /*strict, clustered*/;

-- secret_tag is a keyed digest of the leaked secret: the same secret has the same tag in every leak.
CREATE TABLE exposure (
  block       BIGINT NOT NULL,
  account_no  BIGINT NOT NULL,
  leak_no     BIGINT NOT NULL,
  secret_tag  BYTEA  NOT NULL,
  grade       TEXT   NOT NULL CHECK (grade IN ('exact', 'variant', 'former', 'untested', 'named')),
  kind        TEXT   NOT NULL CHECK (kind IN ('ours', 'stealer', 'dump')),
  password_no BIGINT,
  loose       BIGINT NOT NULL CHECK (loose IN (0, 1)),
  position    BYTEA  NOT NULL,
  found_at    BIGINT NOT NULL,
  PRIMARY KEY (block, account_no, leak_no, secret_tag),
  FOREIGN KEY (block, account_no) REFERENCES account (block, account_no)
) /*strict, clustered*/;
CREATE INDEX exposure_leak ON exposure (leak_no, block, account_no);

-- The verdict of a pair that was tested, and the password version it was tested against, sealed.
CREATE TABLE pair (
  block       BIGINT NOT NULL,
  account_no  BIGINT NOT NULL,
  secret_tag  BYTEA  NOT NULL,
  leak_no     BIGINT NOT NULL,
  sealed      BYTEA  NOT NULL,
  PRIMARY KEY (block, account_no, secret_tag),
  FOREIGN KEY (block, account_no) REFERENCES account (block, account_no)
) /*strict, clustered*/;

-- Leaked hashes that wait for the next sign-in. The number is the cap: nobody pays for more than 16 at a sign-in.
CREATE TABLE untested (
  block       BIGINT NOT NULL,
  account_no  BIGINT NOT NULL,
  untested_no BIGINT NOT NULL CHECK (untested_no BETWEEN 1 AND 16),
  secret_tag  BYTEA  NOT NULL,
  leak_no     BIGINT NOT NULL,
  sealed      BYTEA  NOT NULL,
  found_at    BIGINT NOT NULL,
  expires_at  BIGINT NOT NULL,
  PRIMARY KEY (block, account_no, untested_no),
  UNIQUE (block, account_no, secret_tag),
  FOREIGN KEY (block, account_no) REFERENCES account (block, account_no)
) /*strict, clustered*/;

-- One chain per (home, subject); hash covers the row and prev_hash.
CREATE TABLE audit (
  home        BIGINT NOT NULL,
  subject     BIGINT NOT NULL,
  seq         BIGINT NOT NULL,
  event       TEXT   NOT NULL,
  actor       TEXT   NOT NULL,
  body        TEXT   NOT NULL,
  prev_hash   BYTEA  NOT NULL,
  hash        BYTEA  NOT NULL,
  at          BIGINT NOT NULL,
  PRIMARY KEY (home, subject, seq)
) /*strict, clustered*/;

-- The end of each chain. seal covers the last row's number and hash; every append overwrites it, so that whoever cuts rows off
-- the end would need the seal of an earlier end, which is kept nowhere.
CREATE TABLE audit_head (
  home        BIGINT NOT NULL,
  subject     BIGINT NOT NULL,
  seq         BIGINT NOT NULL,
  hash        BYTEA  NOT NULL,
  seal        BYTEA  NOT NULL,
  PRIMARY KEY (home, subject)
) /*strict, clustered*/;

-- ---------------------------------------------------------------- what finds an account

-- The strict keys: unique over all accounts and kinds. Public ids and references are rows here too.
CREATE TABLE identifier (
  slot        BIGINT NOT NULL,
  name_key    TEXT   NOT NULL,
  kind        TEXT   NOT NULL,
  account_no  BIGINT NOT NULL,
  state       TEXT   NOT NULL CHECK (state IN ('claimed', 'live', 'released')),
  made_at     BIGINT NOT NULL,
  PRIMARY KEY (slot, name_key)
) /*strict, clustered*/;

-- The loose keys, as bytes, because leaks hold bytes: one may name several accounts.
CREATE TABLE match_key (
  slot        BIGINT NOT NULL,
  match_key   BYTEA  NOT NULL,
  account_no  BIGINT NOT NULL,
  PRIMARY KEY (slot, match_key, account_no)
) /*strict, clustered*/;

-- ---------------------------------------------------------------- the control plane

CREATE TABLE counter (
  name        TEXT   NOT NULL PRIMARY KEY,
  next        BIGINT NOT NULL
) /*strict, clustered*/;

CREATE TABLE setting (
  name        TEXT   NOT NULL PRIMARY KEY,
  body        TEXT   NOT NULL,
  version     BIGINT NOT NULL
) /*strict, clustered*/;

-- Data keys, wrapped by the key file's key (kek_id says which). Useless without that file.
CREATE TABLE data_key (
  purpose     TEXT   NOT NULL,
  key_no      BIGINT NOT NULL,
  wrapped     BYTEA  NOT NULL,
  kek_id      TEXT   NOT NULL,
  made_at     BIGINT NOT NULL,
  PRIMARY KEY (purpose, key_no)
) /*strict, clustered*/;

CREATE TABLE import (
  import_no   BIGINT NOT NULL PRIMARY KEY,
  sha256      BYTEA  NOT NULL,
  name        TEXT   NOT NULL,
  state       TEXT   NOT NULL CHECK (state IN ('running', 'done')),
  version     BIGINT NOT NULL,
  rows_done   BIGINT NOT NULL,
  tallies     TEXT   NOT NULL,
  started_at  BIGINT NOT NULL,
  done_at     BIGINT
) /*strict, clustered*/;
CREATE UNIQUE INDEX import_running ON import (sha256) WHERE state = 'running';

CREATE TABLE leak (
  leak_no       BIGINT NOT NULL PRIMARY KEY,
  name          TEXT   NOT NULL UNIQUE,
  kind_override TEXT,
  received_from TEXT   NOT NULL,
  leak_date     BIGINT,
  received_at   BIGINT NOT NULL,
  variations    BIGINT NOT NULL CHECK (variations >= 0),
  state         TEXT   NOT NULL CHECK (state IN ('reading', 'done', 'forgotten')),
  version       BIGINT NOT NULL,
  checkpoint    BYTEA,
  tallies       TEXT   NOT NULL,
  done_at       BIGINT
) /*strict, clustered*/;

CREATE TABLE leak_file (
  leak_no     BIGINT NOT NULL,
  file_no     BIGINT NOT NULL,
  name        TEXT   NOT NULL,
  sha256      BYTEA  NOT NULL,
  bytes       BIGINT NOT NULL,
  PRIMARY KEY (leak_no, file_no),
  FOREIGN KEY (leak_no) REFERENCES leak (leak_no)
) /*strict, clustered*/;
