-- Incidents, containments over frozen cohorts, and the waves in which they act. For the types and the words see 0001.

CREATE TABLE incident (
  incident_no  BIGINT NOT NULL PRIMARY KEY,
  slug         TEXT   NOT NULL UNIQUE,
  title        TEXT   NOT NULL,
  state        TEXT   NOT NULL CHECK (state IN ('open', 'closed')),
  version      BIGINT NOT NULL,
  owner_no     BIGINT NOT NULL,
  opened_at    BIGINT NOT NULL,
  closed_at    BIGINT,
  published_at BIGINT
) /*strict, clustered*/;

CREATE TABLE incident_leak (
  incident_no  BIGINT NOT NULL,
  leak_no      BIGINT NOT NULL,
  attached_at  BIGINT NOT NULL,
  PRIMARY KEY (incident_no, leak_no),
  FOREIGN KEY (incident_no) REFERENCES incident (incident_no),
  FOREIGN KEY (leak_no) REFERENCES leak (leak_no)
) /*strict, clustered*/;

-- A note is for colleagues; an update is what the public page says.
CREATE TABLE incident_entry (
  incident_no  BIGINT NOT NULL,
  entry_no     BIGINT NOT NULL,
  kind         TEXT   NOT NULL CHECK (kind IN ('note', 'update')),
  author_no    BIGINT NOT NULL,
  body         TEXT   NOT NULL,
  at           BIGINT NOT NULL,
  PRIMARY KEY (incident_no, entry_no),
  FOREIGN KEY (incident_no) REFERENCES incident (incident_no)
) /*strict, clustered*/;

-- author_no drafted it, approver_no agreed; alone: there was nobody else who could. The same of undoing it.
-- takes: members from whom something is taken. digest: over all members, so that the audit log says exactly whom it was about.
CREATE TABLE containment (
  containment_no BIGINT NOT NULL PRIMARY KEY,
  incident_no    BIGINT NOT NULL,
  state          TEXT   NOT NULL CHECK (state IN ('draft', 'freezing', 'dry-run', 'approved', 'running', 'paused', 'done',
                                                  'undoing', 'undone')),
  version        BIGINT NOT NULL,
  plan           TEXT   NOT NULL,
  author_no      BIGINT NOT NULL,
  approver_no    BIGINT,
  alone          BIGINT NOT NULL CHECK (alone IN (0, 1)),
  members        BIGINT NOT NULL,
  takes          BIGINT NOT NULL,
  digest         BYTEA,
  undo_author_no   BIGINT,
  undo_approver_no BIGINT,
  undo_alone       BIGINT NOT NULL CHECK (undo_alone IN (0, 1)),
  undo_asked_at    BIGINT,
  made_at        BIGINT NOT NULL,
  frozen_at      BIGINT,
  approved_at    BIGINT,
  started_at     BIGINT,
  ended_at       BIGINT,
  FOREIGN KEY (incident_no) REFERENCES incident (incident_no),
  CHECK (approver_no IS NULL OR approver_no <> author_no OR alone = 1),
  CHECK (undo_approver_no IS NULL OR undo_approver_no <> undo_author_no OR undo_alone = 1)
) /*strict, clustered*/;
CREATE INDEX containment_incident ON containment (incident_no);

-- told_at: when all of its members had their notice queued. A wave starts by this row: from its COMMIT on, what its members proved under a lower mark is dead on every node.
CREATE TABLE wave (
  containment_no BIGINT NOT NULL,
  wave_no        BIGINT NOT NULL,
  members        BIGINT NOT NULL,
  state          TEXT   NOT NULL CHECK (state IN ('waiting', 'running', 'done')),
  due_at         BIGINT,
  mark           BIGINT,
  started_at     BIGINT,
  done_at        BIGINT,
  told_at        BIGINT,
  PRIMARY KEY (containment_no, wave_no),
  FOREIGN KEY (containment_no) REFERENCES containment (containment_no)
) /*strict, clustered*/;
CREATE INDEX wave_state ON wave (state, due_at);

-- Whom a containment is about, why, and what became of it. frozen: nothing was done yet. changed: the password was changed since
-- it was tested, so nothing was. returned: the owner chose a new password. undone: taken back.
CREATE TABLE cohort (
  block          BIGINT NOT NULL,
  account_no     BIGINT NOT NULL,
  containment_no BIGINT NOT NULL,
  wave_no        BIGINT NOT NULL,
  action         TEXT   NOT NULL CHECK (action IN ('notice', 'change', 'hold')),
  grade          TEXT   NOT NULL CHECK (grade IN ('exact', 'variant', 'former', 'untested')),
  kind           TEXT   NOT NULL CHECK (kind IN ('ours', 'stealer', 'dump')),
  leak_no        BIGINT NOT NULL,
  password_no    BIGINT,
  attacked       BIGINT NOT NULL CHECK (attacked IN (0, 1)),
  state          TEXT   NOT NULL CHECK (state IN ('frozen', 'done', 'changed', 'returned', 'undone')),
  told_at        BIGINT,
  changed_at     BIGINT NOT NULL,
  PRIMARY KEY (block, account_no, containment_no),
  FOREIGN KEY (block, account_no) REFERENCES account (block, account_no)
) /*strict, clustered*/;
CREATE INDEX cohort_wave ON cohort (containment_no, wave_no, block, account_no);

ALTER TABLE hold ADD COLUMN containment_no BIGINT;
ALTER TABLE notice ADD COLUMN containment_no BIGINT;
