-- The rules behind alerts, kept for as long as the alerts: what exactly was it that fired?
CREATE TABLE rule_version (
    version TEXT PRIMARY KEY,  -- SHA-256 of text, hex
    rule TEXT NOT NULL,        -- as alert.rule
    text TEXT NOT NULL,        -- the rule with all that it refers to; loads as it stands
    first_us BIGINT NOT NULL   -- when an alert of it was first written
);
CREATE INDEX rule_version_by_rule ON rule_version (rule, first_us);

-- Every version that wrote a revision of the alert: more than one when the rule changed while the alert was open.
CREATE TABLE alert_rule_version (
    alert TEXT NOT NULL REFERENCES alert (id),
    version TEXT NOT NULL REFERENCES rule_version (version),
    first_us BIGINT NOT NULL,
    PRIMARY KEY (alert, version)
);
