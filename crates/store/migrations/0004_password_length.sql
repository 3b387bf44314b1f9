-- Whether a password may open its account by itself. For the types see 0001.

-- 1: it has as many characters as a password without a second factor must have. 0: it has not, or nobody knows: that of an
-- import, or of a time before this column. A sign-in with it tells.
ALTER TABLE password ADD COLUMN alone BIGINT NOT NULL DEFAULT 0 CHECK (alone IN (0, 1));
