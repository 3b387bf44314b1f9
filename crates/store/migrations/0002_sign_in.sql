-- What sign-in, messages and the return keep. For the types and the words block, home, sealed see 0001.

-- Microseconds at which a deletion that its owner asked for is carried out.
ALTER TABLE account ADD COLUMN erase_at BIGINT;
CREATE INDEX account_erase ON account (block, erase_at) WHERE erase_at IS NOT NULL;
-- The language of the last page that its owner used: en, de.
ALTER TABLE account ADD COLUMN locale TEXT;

-- When its owner was told that it is in lists of stolen passwords; said once.
ALTER TABLE password ADD COLUMN told_at BIGINT;

-- NULL: since the account was made.
ALTER TABLE contact ADD COLUMN added_at BIGINT;
-- NULL: good. What bounces have told.
ALTER TABLE contact ADD COLUMN reach TEXT CHECK (reach IN ('good', 'soft', 'dead'));

-- Several may lie on one account; each is lifted for itself. action 'change' asks for a new password, 'hold' turns the old one off.
CREATE TABLE hold (
  block       BIGINT NOT NULL,
  account_no  BIGINT NOT NULL,
  hold_no     BIGINT NOT NULL,
  action      TEXT   NOT NULL CHECK (action IN ('hold', 'change')),
  source      TEXT   NOT NULL CHECK (source IN ('containment', 'administrator', 'sign-in')),
  kind        TEXT   CHECK (kind IN ('ours', 'stealer', 'dump')),
  leak_no     BIGINT,
  placed_at   BIGINT NOT NULL,
  placed_by   TEXT   NOT NULL,
  lifted_at   BIGINT,
  lifted_by   TEXT,
  PRIMARY KEY (block, account_no, hold_no),
  FOREIGN KEY (block, account_no) REFERENCES account (block, account_no)
) /*strict, clustered*/;

-- step: the last time step of which a code was accepted (RFC 6238); it only rises.
CREATE TABLE authenticator (
  block       BIGINT NOT NULL,
  account_no  BIGINT NOT NULL,
  authenticator_no BIGINT NOT NULL,
  kind        TEXT   NOT NULL CHECK (kind IN ('app')),
  name        TEXT   NOT NULL,
  sealed      BYTEA  NOT NULL,
  step        BIGINT NOT NULL,
  made_at     BIGINT NOT NULL,
  used_at     BIGINT,
  ended_at    BIGINT,
  PRIMARY KEY (block, account_no, authenticator_no),
  FOREIGN KEY (block, account_no) REFERENCES account (block, account_no)
) /*strict, clustered*/;

CREATE TABLE recovery_code (
  block       BIGINT NOT NULL,
  account_no  BIGINT NOT NULL,
  digest      BYTEA  NOT NULL,
  made_at     BIGINT NOT NULL,
  spent_at    BIGINT,
  PRIMARY KEY (block, account_no, digest),
  FOREIGN KEY (block, account_no) REFERENCES account (block, account_no)
) /*strict, clustered*/;

-- The token carries the block, masked: one look-up in one block. session_id is what pages name it by.
CREATE TABLE session (
  block       BIGINT NOT NULL,
  account_no  BIGINT NOT NULL,
  token_hash  BYTEA  NOT NULL,
  session_id  UUID   NOT NULL,
  use         TEXT   NOT NULL CHECK (use IN ('browser', 'api')),
  epoch       BIGINT NOT NULL,
  mark        BIGINT NOT NULL,
  acr         TEXT   NOT NULL,
  methods     TEXT   NOT NULL,
  agent       TEXT   NOT NULL,
  address     TEXT   NOT NULL,
  browser_id  UUID,
  proved_at   BIGINT NOT NULL,
  made_at     BIGINT NOT NULL,
  seen_at     BIGINT NOT NULL,
  expires_at  BIGINT NOT NULL,
  ended_at    BIGINT,
  PRIMARY KEY (block, token_hash),
  FOREIGN KEY (block, account_no) REFERENCES account (block, account_no)
) /*strict, clustered*/;
CREATE INDEX session_account ON session (block, account_no, made_at);

-- Browsers on which the owner signed in before.
CREATE TABLE browser (
  block       BIGINT NOT NULL,
  account_no  BIGINT NOT NULL,
  token_hash  BYTEA  NOT NULL,
  browser_id  UUID   NOT NULL,
  agent       TEXT   NOT NULL,
  mark        BIGINT NOT NULL,
  made_at     BIGINT NOT NULL,
  seen_at     BIGINT NOT NULL,
  ended_at    BIGINT,
  PRIMARY KEY (block, token_hash),
  FOREIGN KEY (block, account_no) REFERENCES account (block, account_no)
) /*strict, clustered*/;
CREATE INDEX browser_account ON browser (block, account_no);

-- A stored conversation. It may begin before its account is known: then home is a block drawn for it, and account_no is NULL.
CREATE TABLE flow (
  home        BIGINT NOT NULL,
  token_hash  BYTEA  NOT NULL,
  purpose     TEXT   NOT NULL,
  account_no  BIGINT,
  epoch       BIGINT NOT NULL,
  mark        BIGINT NOT NULL,
  methods     TEXT   NOT NULL,
  body        TEXT   NOT NULL,
  version     BIGINT NOT NULL,
  made_at     BIGINT NOT NULL,
  expires_at  BIGINT NOT NULL,
  spent_at    BIGINT,
  PRIMARY KEY (home, token_hash)
) /*strict, clustered*/;
CREATE INDEX flow_account ON flow (home, account_no);
-- A newer request kills the older: one at a time. Only sign-ins may stand side by side, one in each browser.
CREATE UNIQUE INDEX flow_one ON flow (home, account_no, purpose) WHERE spent_at IS NULL AND purpose <> 'sign-in';
CREATE INDEX flow_expiry ON flow (home, expires_at);

-- full_at: the theoretical arrival time of GCRA. A name that nobody has, has a budget too: home and subject are made from it.
CREATE TABLE budget (
  home        BIGINT NOT NULL,
  subject     BIGINT NOT NULL,
  scope       TEXT   NOT NULL,
  full_at     BIGINT NOT NULL,
  PRIMARY KEY (home, subject, scope)
) /*strict, clustered*/;
CREATE INDEX budget_full ON budget (home, full_at);

-- Every sign-in, and every attempt that its budget let through.
CREATE TABLE sign_in (
  block       BIGINT NOT NULL,
  account_no  BIGINT NOT NULL,
  at          BIGINT NOT NULL,
  sign_in_id  UUID   NOT NULL,
  outcome     TEXT   NOT NULL CHECK (outcome IN ('open', 'refused')),
  why         TEXT   NOT NULL,
  methods     TEXT   NOT NULL,
  address     TEXT   NOT NULL,
  agent       TEXT   NOT NULL,
  place       TEXT   NOT NULL,
  known       BIGINT NOT NULL CHECK (known IN (0, 1)),
  browser_id  UUID,
  PRIMARY KEY (block, account_no, at, sign_in_id),
  FOREIGN KEY (block, account_no) REFERENCES account (block, account_no)
) /*strict, clustered*/;

-- One message to one owner. subject: the account's number, or a negative number made from an address that has no account.
CREATE TABLE notice (
  home        BIGINT NOT NULL,
  subject     BIGINT NOT NULL,
  notice_id   UUID   NOT NULL,
  kind        TEXT   NOT NULL,
  channel     TEXT   NOT NULL,
  contact_no  BIGINT,
  masked      TEXT   NOT NULL,
  digest      BYTEA  NOT NULL,
  state       TEXT   NOT NULL CHECK (state IN ('queued', 'sending', 'sent', 'failed', 'unknown', 'cancelled')),
  made_at     BIGINT NOT NULL,
  changed_at  BIGINT NOT NULL,
  PRIMARY KEY (home, subject, notice_id)
) /*strict, clustered*/;
CREATE INDEX notice_made ON notice (home, made_at);

-- What is still to be sent of a notice; the row goes when it is sent, or given up.
CREATE TABLE outbox (
  home         BIGINT NOT NULL,
  subject      BIGINT NOT NULL,
  notice_id    UUID   NOT NULL,
  sealed       BYTEA  NOT NULL,
  due_at       BIGINT NOT NULL,
  attempts     BIGINT NOT NULL,
  lease        UUID,
  leased_until BIGINT NOT NULL,
  PRIMARY KEY (home, subject, notice_id)
) /*strict, clustered*/;
CREATE INDEX outbox_due ON outbox (home, due_at);
CREATE INDEX outbox_wake ON outbox (due_at);
