-- Fleet statistics: campaigns beside their alerts, and the versions of what is usual.
-- Fractions are kept as whole thousandths (columns ending in _milli), because both engines read those alike.

CREATE TABLE campaign (
    id TEXT PRIMARY KEY,              -- of the alert
    signature TEXT NOT NULL,
    model TEXT,                       -- null: left open, as the next two
    software TEXT,
    region TEXT,
    state TEXT NOT NULL,              -- open, closed, retracted
    verdict TEXT NOT NULL,            -- attack_suspected, software_regression_suspected, hardware_fault_suspected
    attack_milli BIGINT NOT NULL,     -- shares of the three readings
    regression_milli BIGINT NOT NULL,
    fault_milli BIGINT NOT NULL,
    first_us BIGINT NOT NULL,
    detected_us BIGINT NOT NULL,      -- event time
    last_us BIGINT NOT NULL,
    told_us BIGINT NOT NULL,          -- receive time at which it was written first
    changed_us BIGINT NOT NULL,
    alarm_hours BIGINT NOT NULL,
    vehicles BIGINT NOT NULL,
    expected_milli BIGINT NOT NULL,
    score_milli BIGINT NOT NULL,
    threshold_milli BIGINT NOT NULL,
    window_h BIGINT NOT NULL,
    explains_milli BIGINT NOT NULL,
    baseline BIGINT NOT NULL,         -- armed version, 0 = none
    cold BIGINT NOT NULL,
    page BIGINT NOT NULL,
    reasons TEXT NOT NULL,            -- [{"text":..,"attack":..,"regression":..,"fault":..}]
    curve TEXT NOT NULL               -- [[hour as microseconds, cases, expected in thousandths], ..]
);
CREATE INDEX campaign_by_last ON campaign (last_us, id);
CREATE INDEX campaign_by_signature ON campaign (signature, last_us);

CREATE TABLE campaign_baseline (
    version BIGINT PRIMARY KEY,       -- 0: what could be learned now; from 1: versions that a person took
    state TEXT NOT NULL,              -- candidate, learned
    learned_us BIGINT NOT NULL,       -- event time up to which it was learned
    days BIGINT NOT NULL,
    who TEXT NOT NULL,
    reason TEXT NOT NULL,
    body TEXT NOT NULL                -- docs/campaigns.md
);

CREATE TABLE campaign_arming (
    seq BIGINT PRIMARY KEY,
    from_us BIGINT NOT NULL,          -- event time from which it decides
    version BIGINT NOT NULL,          -- 0: nothing is armed
    at_us BIGINT NOT NULL,
    who TEXT NOT NULL,
    reason TEXT NOT NULL
);
