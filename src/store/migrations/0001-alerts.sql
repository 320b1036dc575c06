-- Alerts, what they are made of, and the feed of changes.
-- Conventions of all tables: times are microseconds since 1970 UTC in columns ending in _us; yes/no is 1/0; ids of alerts
-- and vehicle pseudonyms are lower-case hex text.

CREATE TABLE counter (
    name TEXT PRIMARY KEY,
    value BIGINT NOT NULL
);

-- What changed, for people who watch: one row per change, pruned from the old end.
CREATE TABLE change (
    seq BIGINT PRIMARY KEY,
    topic TEXT NOT NULL,     -- incident, alert, vehicle, ledger, health
    object TEXT NOT NULL,
    version BIGINT NOT NULL,
    at_us BIGINT NOT NULL
);

CREATE TABLE alert (
    id TEXT PRIMARY KEY,
    number BIGINT NOT NULL,        -- order of coming, for lists
    rule TEXT NOT NULL,
    title TEXT NOT NULL,
    severity INTEGER NOT NULL,      -- enum alert_severity
    state BIGINT NOT NULL,         -- enum alert_state
    late BIGINT NOT NULL,
    group_json TEXT NOT NULL,      -- {"field":"value",...} in the rule's order
    vid TEXT,                      -- the vehicle when the group names one, else null: a campaign
    first_us BIGINT NOT NULL,
    last_us BIGINT NOT NULL,
    count BIGINT NOT NULL,
    vehicles BIGINT NOT NULL,
    peak TEXT NOT NULL,
    revision BIGINT NOT NULL,
    superseded_by TEXT,            -- the alert that took this one in
    superseded_count BIGINT NOT NULL,
    members_total BIGINT NOT NULL, -- may be more than the rows of alert_member
    created_us BIGINT NOT NULL,    -- when detection made it
    changed_us BIGINT NOT NULL,
    cluster BIGINT,                -- alerts of one vehicle that stand close in time share one
    incident BIGINT                -- where it is worked on now
);
CREATE INDEX alert_by_last ON alert (last_us, number);
CREATE INDEX alert_by_rule ON alert (rule, group_json, first_us);
CREATE INDEX alert_by_vid ON alert (vid, first_us);
CREATE INDEX alert_by_cluster ON alert (cluster);
CREATE INDEX alert_by_incident ON alert (incident);

CREATE TABLE alert_supersedes (
    id TEXT NOT NULL REFERENCES alert (id),
    old TEXT NOT NULL,
    PRIMARY KEY (id, old)
);
CREATE INDEX alert_supersedes_by_old ON alert_supersedes (old);

CREATE TABLE alert_revision (
    id TEXT NOT NULL REFERENCES alert (id),
    revision BIGINT NOT NULL,
    at_us BIGINT NOT NULL,
    state BIGINT NOT NULL,
    severity BIGINT NOT NULL,
    count BIGINT NOT NULL,
    vehicles BIGINT NOT NULL,
    why TEXT NOT NULL,
    PRIMARY KEY (id, revision)
);

-- The events of an alert, by name and by place in the event log. At most ALERT_MEMBERS_MAX rows per alert.
CREATE TABLE alert_member (
    alert TEXT NOT NULL REFERENCES alert (id),
    vid TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    time_us BIGINT NOT NULL,
    count BIGINT NOT NULL,
    log_partition BIGINT NOT NULL,
    log_offset BIGINT NOT NULL,
    type TEXT NOT NULL,
    signature TEXT NOT NULL,
    ecu TEXT NOT NULL,
    bus TEXT NOT NULL,
    PRIMARY KEY (alert, vid, epoch, seq)
);
CREATE INDEX alert_member_by_time ON alert_member (alert, time_us);

-- The vehicles of an alert by signature: all of them, however many events there were.
CREATE TABLE alert_vehicle (
    alert TEXT NOT NULL REFERENCES alert (id),
    vid TEXT NOT NULL,
    signature TEXT NOT NULL,
    events BIGINT NOT NULL,
    first_us BIGINT NOT NULL,
    last_us BIGINT NOT NULL,
    model TEXT,
    hardware TEXT,
    sw_version TEXT,
    region TEXT,
    motion BIGINT NOT NULL,        -- enum alert_motion
    PRIMARY KEY (alert, vid, signature)
);
CREATE INDEX alert_vehicle_by_vid ON alert_vehicle (vid, signature);
CREATE INDEX alert_vehicle_by_signature ON alert_vehicle (signature, last_us);
