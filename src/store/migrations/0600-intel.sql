-- Threat intelligence: what came in (STIX objects in all versions), what is worked with (indicators), what was found.

-- Every version of every object as it came, so that what was known at a time can be shown, and shared again verbatim.
CREATE TABLE intel_object (
    id TEXT NOT NULL,
    modified_us BIGINT NOT NULL,
    type TEXT NOT NULL,
    tlp BIGINT NOT NULL,           -- enum stix_tlp
    marked_further BIGINT NOT NULL, -- by a marking that is not TLP: never shared again
    source TEXT NOT NULL,          -- the feed or file that brought it first
    body TEXT NOT NULL,
    PRIMARY KEY (id, modified_us)
);

-- The newest version of each indicator.
CREATE TABLE intel_indicator (
    number BIGINT PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    source TEXT NOT NULL,
    created_by TEXT,
    modified_us BIGINT NOT NULL,
    revoked BIGINT NOT NULL,
    name TEXT NOT NULL,
    pattern TEXT NOT NULL,
    valid_from_us BIGINT NOT NULL,
    valid_until_us BIGINT,         -- null: no end; a revocation ends validity as well
    confidence BIGINT,
    tlp BIGINT NOT NULL,
    refused TEXT,                  -- why it cannot be matched; null: it is matched
    version BIGINT NOT NULL,       -- of the table when the row changed
    hunted BIGINT NOT NULL         -- 1: the event log was searched for this version of it
);
CREATE INDEX intel_indicator_by_version ON intel_indicator (version);

CREATE TABLE intel_relation (
    id TEXT PRIMARY KEY,
    modified_us BIGINT NOT NULL,
    kind TEXT NOT NULL,            -- indicates, uses, ..
    source_ref TEXT NOT NULL,
    target_ref TEXT NOT NULL,
    revoked BIGINT NOT NULL
);
CREATE INDEX intel_relation_by_source ON intel_relation (source_ref);

-- Attack patterns and malware that indicators refer to.
CREATE TABLE intel_subject (
    id TEXT PRIMARY KEY,
    modified_us BIGINT NOT NULL,
    type TEXT NOT NULL,
    name TEXT NOT NULL,
    techniques TEXT NOT NULL       -- external ids, comma-separated: T0071,CAPEC-163
);

-- Sightings that others reported.
CREATE TABLE intel_sighting (
    id TEXT PRIMARY KEY,
    modified_us BIGINT NOT NULL,
    sighting_of TEXT NOT NULL,
    created_by TEXT,
    count BIGINT NOT NULL,
    first_us BIGINT,
    last_us BIGINT,
    tlp BIGINT NOT NULL,
    source TEXT NOT NULL,
    revoked BIGINT NOT NULL
);
CREATE INDEX intel_sighting_by_object ON intel_sighting (sighting_of);

-- What the fleet showed of an indicator: one row a vehicle and hour of event time.
CREATE TABLE intel_match (
    indicator BIGINT NOT NULL REFERENCES intel_indicator (number),
    vid TEXT NOT NULL,
    hour BIGINT NOT NULL,          -- of event time since 1970
    first_us BIGINT NOT NULL,
    last_us BIGINT NOT NULL,
    count BIGINT NOT NULL,
    late BIGINT NOT NULL,
    PRIMARY KEY (indicator, vid, hour)
);
CREATE INDEX intel_match_by_vid ON intel_match (vid);

-- The earliest events of each of these rows.
CREATE TABLE intel_member (
    indicator BIGINT NOT NULL,
    vid TEXT NOT NULL,
    hour BIGINT NOT NULL,
    time_us BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    count BIGINT NOT NULL,
    log_partition BIGINT NOT NULL,
    log_offset BIGINT NOT NULL,
    type TEXT NOT NULL,
    signature TEXT NOT NULL,
    ecu TEXT NOT NULL,
    bus TEXT NOT NULL,
    model TEXT NOT NULL,
    hardware TEXT NOT NULL,
    sw_version TEXT NOT NULL,
    region TEXT NOT NULL,
    PRIMARY KEY (indicator, vid, hour, time_us, epoch, seq, log_partition, log_offset)
);

CREATE TABLE intel_alert (
    alert TEXT PRIMARY KEY REFERENCES alert (id),
    indicator BIGINT NOT NULL REFERENCES intel_indicator (number),
    vid TEXT NOT NULL,
    first_us BIGINT NOT NULL,
    last_us BIGINT NOT NULL
);
CREATE INDEX intel_alert_by_indicator ON intel_alert (indicator, vid);

-- How far each TAXII collection was read.
CREATE TABLE intel_feed (
    name TEXT PRIMARY KEY,
    added_after TEXT,              -- from which time added (the server's) the next pull goes on
    polled_us BIGINT,
    objects BIGINT NOT NULL,
    fault TEXT                     -- of the last pull; null: it went well
);

-- How far each partition of the event log was matched.
CREATE TABLE intel_position (
    log_partition BIGINT PRIMARY KEY,
    log_offset BIGINT NOT NULL
);
