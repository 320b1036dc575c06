-- People, their sessions, and the hash-chained audit log.

CREATE TABLE app_user (
    name TEXT PRIMARY KEY,
    display TEXT NOT NULL,
    roles TEXT NOT NULL,             -- comma-separated codes
    password TEXT NOT NULL,          -- argon2id in its encoded form
    disabled BIGINT NOT NULL,
    created_us BIGINT NOT NULL
);

CREATE TABLE session (
    token TEXT PRIMARY KEY,          -- SHA-256 of the cookie
    name TEXT NOT NULL REFERENCES app_user (name),
    csrf TEXT NOT NULL,
    created_us BIGINT NOT NULL,
    seen_us BIGINT NOT NULL,
    expires_us BIGINT NOT NULL
);

CREATE TABLE login_attempt (
    subject TEXT PRIMARY KEY,        -- user:<name> or address:<ip>
    window_us BIGINT NOT NULL,       -- start of the window that is counted
    failures BIGINT NOT NULL
);

-- hash = SHA-256 over the hash before and the canonical bytes of the record (respond/audit.h). Rows are only added.
CREATE TABLE audit (
    seq BIGINT PRIMARY KEY,          -- from 1, without gaps
    at_us BIGINT NOT NULL,
    who TEXT NOT NULL,
    act TEXT NOT NULL,
    object TEXT NOT NULL,
    before TEXT,
    after TEXT,
    reason TEXT,
    source TEXT,
    hash TEXT NOT NULL
);
CREATE INDEX audit_by_object ON audit (object, seq);
CREATE INDEX audit_by_who ON audit (who, seq);

-- The newest record, kept apart so that a cut tail is seen.
CREATE TABLE audit_head (
    one BIGINT PRIMARY KEY,
    seq BIGINT NOT NULL,
    hash TEXT NOT NULL
);
INSERT INTO audit_head (one, seq, hash) VALUES (1, 0, '0000000000000000000000000000000000000000000000000000000000000000');
