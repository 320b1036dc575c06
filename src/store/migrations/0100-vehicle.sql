-- Vehicles: what is known of them, their software over time, their VIN under seal, and where their events are.
-- A vehicle that was seen but never enrolled has a row, too, with enrolled_us null: that is a gap in coverage to show.

CREATE TABLE vehicle (
    vid TEXT PRIMARY KEY,
    model TEXT,                    -- null when not known, as the next ones
    hardware TEXT,
    region TEXT,                   -- a market, never a position
    owner TEXT,                    -- pseudonym, never owner data
    enrolled_us BIGINT,
    version BIGINT NOT NULL,       -- of the registry when the row's facts changed last; 0 = never enrolled
    first_contact_us BIGINT,
    last_contact_us BIGINT,
    clock_offset_us BIGINT         -- backend clock minus vehicle clock at the last upload that told
);
CREATE INDEX vehicle_by_version ON vehicle (version);
CREATE INDEX vehicle_by_model ON vehicle (model, vid);
CREATE INDEX vehicle_by_contact ON vehicle (last_contact_us, vid);

-- Which software ran on it from when on, and when we learned it. Nothing is overwritten.
CREATE TABLE vehicle_software (
    vid TEXT NOT NULL,
    component TEXT NOT NULL,       -- empty: the vehicle as a whole
    from_us BIGINT NOT NULL,
    recorded_us BIGINT NOT NULL,
    software TEXT NOT NULL,        -- version
    source BIGINT NOT NULL,        -- enum software_source: 1 import, 2 event, 3 ota
    version BIGINT NOT NULL,       -- of the registry
    PRIMARY KEY (vid, component, from_us, recorded_us)
);
CREATE INDEX vehicle_software_by_version ON vehicle_software (version);

-- The only place where a VIN stands: nonce (12 bytes), AES-256-GCM of the VIN with the vid as associated data, tag.
CREATE TABLE vehicle_vin (
    vid TEXT PRIMARY KEY,
    sealed BLOB NOT NULL
);

-- Sums over all epochs of a vehicle: produced = stored + merged + dead_lettered + missing.
CREATE TABLE ledger (
    vid TEXT PRIMARY KEY,
    produced BIGINT NOT NULL,
    stored BIGINT NOT NULL,
    merged BIGINT NOT NULL,
    dead_lettered BIGINT NOT NULL,
    missing BIGINT NOT NULL,
    duplicates BIGINT NOT NULL,    -- apart from the equation
    epochs BIGINT NOT NULL
);
CREATE INDEX ledger_by_missing ON ledger (missing, vid);

-- Runs of numbers that are missing; the newest LEDGER_GAPS_KEPT of each vehicle.
CREATE TABLE ledger_gap (
    vid TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    seq_first BIGINT NOT NULL,
    seq_last BIGINT NOT NULL,
    noticed_us BIGINT NOT NULL,
    PRIMARY KEY (vid, epoch, seq_first)
);

-- What arrived and was refused: a sample of the newest DEAD_LETTERS_KEPT, and how many there were per hour and reason.
CREATE TABLE dead_letter (
    log_partition BIGINT NOT NULL,
    log_offset BIGINT NOT NULL,
    at_index BIGINT NOT NULL,      -- event in the record; -1 = the whole record
    number BIGINT NOT NULL,        -- rises; the lowest are pruned
    received_us BIGINT NOT NULL,
    vid TEXT,                      -- null when not known
    epoch BIGINT NOT NULL,
    seq BIGINT NOT NULL,           -- 0 = not known
    type BIGINT NOT NULL,          -- numeric event type, 0 = not known
    reason TEXT NOT NULL,          -- as in ingest/normalise.h
    error TEXT NOT NULL,           -- as in schema/errors.yaml
    text TEXT NOT NULL,
    field TEXT NOT NULL,           -- name of the field at fault, or empty
    at_byte BIGINT NOT NULL,
    sample BLOB NOT NULL,          -- the first DEAD_LETTER_SAMPLE_MAX bytes
    PRIMARY KEY (log_partition, log_offset, at_index)
);
CREATE INDEX dead_letter_by_number ON dead_letter (number);
CREATE INDEX dead_letter_by_vid ON dead_letter (vid, number);

CREATE TABLE dead_letter_hour (
    hour_us BIGINT NOT NULL,       -- of reception
    reason TEXT NOT NULL,
    count BIGINT NOT NULL,
    PRIMARY KEY (hour_us, reason)
);
