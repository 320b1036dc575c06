-- Incidents and what people do with them. The row of `incident` holds everything its line in the queue shows; respond
-- works it out again whenever one of its alerts changes.

CREATE TABLE incident (
    number BIGINT PRIMARY KEY,       -- shown as INC-<number>
    version BIGINT NOT NULL,         -- rises with every change; writers name the one they saw
    edit_version BIGINT NOT NULL,    -- the version that the last act of a person (or a merge) made: a writer who saw it
                                     -- is not refused because a late event moved a count meanwhile
    created_seq BIGINT NOT NULL,     -- change feed position of its creation: snapshots of the queue
    kind BIGINT NOT NULL,            -- enum incident_kind
    title TEXT NOT NULL,
    description TEXT NOT NULL,
    severity INTEGER NOT NULL,
    stage INTEGER NOT NULL,          -- enum stage
    disposition INTEGER NOT NULL,    -- enum disposition
    confidence TEXT,
    assignee TEXT,
    rule TEXT NOT NULL,
    rule_title TEXT NOT NULL,
    signature TEXT,
    vid TEXT,
    vehicles BIGINT NOT NULL,
    vehicles_48h BIGINT NOT NULL,
    model TEXT,
    ecu TEXT,
    sw_version TEXT,
    bus TEXT,
    motion BIGINT NOT NULL,
    motion_us BIGINT,
    safety BIGINT,                   -- TARA safety impact 0 to 3
    priority BIGINT NOT NULL,        -- hundredths of a point, 0 to 10000
    alerts BIGINT NOT NULL,
    opened_us BIGINT NOT NULL,
    updated_us BIGINT NOT NULL,
    first_us BIGINT NOT NULL,
    last_us BIGINT NOT NULL,
    ack_us BIGINT,                   -- first human act
    triaged_us BIGINT,               -- first disposition
    contained_us BIGINT,
    remediated_us BIGINT,
    closed_us BIGINT,
    sla_clock BIGINT,                -- enum sla_clock that runs now
    sla_due_us BIGINT,
    playbook TEXT,
    analysis_isolated BIGINT NOT NULL, -- the vehicle's data is set apart for analysis; never an act on the vehicle
    merged_into BIGINT REFERENCES incident (number),
    search TEXT NOT NULL             -- lower case, what free text looks through
);
CREATE INDEX incident_by_priority ON incident (priority, number);
CREATE INDEX incident_by_signature ON incident (signature, last_us);
CREATE INDEX incident_by_vid ON incident (vid, last_us);
CREATE INDEX incident_by_rule ON incident (rule, last_us);
CREATE INDEX incident_by_merged ON incident (merged_into);

-- Every alert an incident ever had. A row is never deleted: an alert that went to a campaign stays visible here.
CREATE TABLE incident_alert (
    incident BIGINT NOT NULL REFERENCES incident (number),
    alert TEXT NOT NULL REFERENCES alert (id),
    joined_us BIGINT NOT NULL,
    PRIMARY KEY (incident, alert)
);
CREATE INDEX incident_alert_by_alert ON incident_alert (alert);

CREATE TABLE incident_fact (
    incident BIGINT NOT NULL REFERENCES incident (number),
    fact BIGINT NOT NULL,            -- enum fact
    text TEXT NOT NULL,
    who TEXT NOT NULL,
    at_us BIGINT NOT NULL,
    PRIMARY KEY (incident, fact)
);

CREATE TABLE incident_stage (
    id BIGINT PRIMARY KEY,
    incident BIGINT NOT NULL REFERENCES incident (number),
    stage BIGINT NOT NULL,
    entered_us BIGINT NOT NULL,
    left_us BIGINT
);
CREATE INDEX incident_stage_by_incident ON incident_stage (incident, id);

CREATE TABLE timeline (
    id BIGINT PRIMARY KEY,
    incident BIGINT NOT NULL REFERENCES incident (number),
    at_us BIGINT NOT NULL,
    lane TEXT NOT NULL,
    kind TEXT NOT NULL,
    who TEXT,
    text TEXT NOT NULL,
    detail TEXT,
    vid TEXT,
    ref TEXT
);
CREATE INDEX timeline_by_incident ON timeline (incident, at_us, id);

-- Work that a rule or playbook asks for and a person has to do.
CREATE TABLE task (
    id BIGINT PRIMARY KEY,
    incident BIGINT NOT NULL REFERENCES incident (number),
    kind TEXT NOT NULL,
    title TEXT NOT NULL,
    state TEXT NOT NULL,             -- open, pending_approval, done, declined
    opened_us BIGINT NOT NULL,
    ended_us BIGINT,
    ended_by TEXT,
    note TEXT
);
CREATE UNIQUE INDEX task_once ON task (incident, kind);

CREATE TABLE undo (
    token TEXT PRIMARY KEY,          -- SHA-256 of what the caller holds
    who TEXT NOT NULL,
    until_us BIGINT NOT NULL
);
CREATE TABLE undo_item (
    token TEXT NOT NULL REFERENCES undo (token),
    incident BIGINT NOT NULL REFERENCES incident (number),
    version BIGINT NOT NULL,         -- of the incident right after the act
    act TEXT NOT NULL,
    stage BIGINT NOT NULL,           -- what there was before the act
    disposition BIGINT NOT NULL,
    confidence TEXT,
    assignee TEXT,
    triaged_us BIGINT,
    contained_us BIGINT,
    remediated_us BIGINT,
    closed_us BIGINT,
    facts_added BIGINT NOT NULL,     -- bits of enum fact
    PRIMARY KEY (token, incident)
);
