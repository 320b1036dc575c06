-- What keeps the queue worth reading: silences, budgets, and what each rule says of its alerts.
-- Nothing here drops an alert. An alert is in an incident, or held by a silence (silence_alert), or both are empty
-- because its rule only hunts (rule_info.hunt_only) or late events took its ground before anyone saw it.

-- What a rule says beyond its alerts, as of the last time it was loaded or fired. An alert that a silence held comes to
-- the queue with this when the silence ends.
CREATE TABLE rule_info (
    rule TEXT PRIMARY KEY,           -- as in alert.rule
    title TEXT NOT NULL,
    owner TEXT NOT NULL,             -- the team that answers for it; empty = nobody
    rationale TEXT NOT NULL,
    playbook TEXT NOT NULL,
    severity BIGINT NOT NULL,        -- enum alert_severity; -1 = not known
    safety BIGINT NOT NULL,          -- TARA safety impact 0 to 3; -1 = not assessed
    hunt_only BIGINT NOT NULL,
    actions TEXT NOT NULL,           -- names with a blank between; "name:on_repeat"
    tara TEXT NOT NULL,              -- lists with a comma between
    r155 TEXT NOT NULL,
    atm TEXT NOT NULL,
    path TEXT NOT NULL,              -- file it was read from; empty = not told
    loaded BIGINT NOT NULL,          -- part of what runs now
    changed_us BIGINT NOT NULL
);

CREATE TABLE silence (
    number BIGINT PRIMARY KEY,       -- shown as SIL-<number>
    cause TEXT NOT NULL,             -- code, respond/silence.h
    reason TEXT NOT NULL,
    ticket TEXT,
    incident BIGINT,                 -- it was made from this incident
    author TEXT NOT NULL,
    created_us BIGINT NOT NULL,
    starts_us BIGINT NOT NULL,
    expires_us BIGINT NOT NULL,
    severities BIGINT NOT NULL,      -- bits of enum alert_severity
    spread_factor BIGINT NOT NULL,   -- an alert on more than so many times the vehicles it had when held gets through
    vehicles_max BIGINT NOT NULL,    -- alerts of further vehicles are not held; 0 = any number
    needs_second BIGINT NOT NULL,    -- holds nothing until another person has approved
    approved_by TEXT,
    approved_us BIGINT,
    ended_us BIGINT,
    ended_by TEXT,
    ended_why TEXT,                  -- expired, revoked, refused
    ended_reason TEXT
);
CREATE INDEX silence_by_end ON silence (ended_us, expires_us);

CREATE TABLE silence_matcher (
    silence BIGINT NOT NULL REFERENCES silence (number),
    at BIGINT NOT NULL,
    field TEXT NOT NULL,             -- rule, vid, model, hardware, sw_version, region, signature, tag, group.<name>
    op TEXT NOT NULL,                -- is, glob
    value TEXT NOT NULL,
    PRIMARY KEY (silence, at)
);

-- Every alert that a silence holds or held. Rows stay: what was silenced can be read years later.
CREATE TABLE silence_alert (
    silence BIGINT NOT NULL REFERENCES silence (number),
    alert TEXT NOT NULL REFERENCES alert (id),
    since_us BIGINT NOT NULL,
    severity_at BIGINT NOT NULL,     -- of the alert when it was held first
    vehicles_at BIGINT NOT NULL,
    ended_us BIGINT,                 -- null: held now
    ended_why TEXT,                  -- severity, spread, no_match, ended, superseded, retracted
    PRIMARY KEY (silence, alert)
);
CREATE INDEX silence_alert_by_alert ON silence_alert (alert, ended_us);
CREATE INDEX silence_alert_by_silence ON silence_alert (silence, ended_us);

CREATE TABLE silence_vehicle (
    silence BIGINT NOT NULL REFERENCES silence (number),
    vid TEXT NOT NULL,
    PRIMARY KEY (silence, vid)
);

-- Alerts that respond_settle has to place at the end of the transaction; empty between transactions.
CREATE TABLE alert_waiting (
    alert TEXT PRIMARY KEY REFERENCES alert (id)
);

-- Alerts a day that may come to the queue. name '*' = every rule or team without a row of its own.
CREATE TABLE budget_limit (
    scope TEXT NOT NULL,             -- rule, team
    name TEXT NOT NULL,
    per_day BIGINT NOT NULL,
    PRIMARY KEY (scope, name)
);

-- What became of each alert when it asked for attention the last time.
CREATE TABLE alert_outcome (
    alert TEXT PRIMARY KEY REFERENCES alert (id),
    rule TEXT NOT NULL,
    day_us BIGINT NOT NULL,
    outcome BIGINT NOT NULL,         -- enum budget_outcome
    at_us BIGINT NOT NULL
);
CREATE INDEX alert_outcome_by_rule ON alert_outcome (rule, day_us);

-- The same, counted: days are UTC, by the event log's time.
CREATE TABLE budget_day (
    rule TEXT NOT NULL,
    day_us BIGINT NOT NULL,
    owner TEXT NOT NULL,
    queued BIGINT NOT NULL,          -- came to the queue within the budget
    through BIGINT NOT NULL,         -- came to the queue in spite of a silence or the budget, because they are grave
    joined BIGINT NOT NULL,          -- over budget, but part of an incident that was there already
    over BIGINT NOT NULL,            -- grouped under the rule's over-budget incident of the day
    silenced BIGINT NOT NULL,
    PRIMARY KEY (rule, day_us)
);
CREATE INDEX budget_day_by_owner ON budget_day (owner, day_us);

CREATE TABLE budget_incident (
    incident BIGINT PRIMARY KEY REFERENCES incident (number),
    rule TEXT NOT NULL,
    day_us BIGINT NOT NULL,
    scope TEXT NOT NULL,             -- whose budget was used up first: rule, team
    name TEXT NOT NULL,
    per_day BIGINT NOT NULL,
    stale BIGINT NOT NULL            -- its row has to be worked out again at the end of the transaction
);
CREATE UNIQUE INDEX budget_incident_once ON budget_incident (rule, day_us);

-- What people know of a vehicle that no event tells: test fleet, workshop, press car.
CREATE TABLE vehicle_tag (
    vid TEXT NOT NULL,
    tag TEXT NOT NULL,
    who TEXT NOT NULL,
    reason TEXT NOT NULL,
    at_us BIGINT NOT NULL,
    until_us BIGINT,                 -- null = until taken away
    PRIMARY KEY (vid, tag)
);
CREATE INDEX vehicle_tag_by_tag ON vehicle_tag (tag, vid);
