-- What detection took, per day and cohort: the figures of reports, so that no report has to read the log.
CREATE TABLE rollup_day (
    day_us BIGINT NOT NULL,        -- midnight UTC of the event time
    type TEXT NOT NULL,
    model TEXT NOT NULL,           -- empty when unknown, as the next ones
    sw_version TEXT NOT NULL,
    region TEXT NOT NULL,
    events BIGINT NOT NULL,        -- records
    occurrences BIGINT NOT NULL,   -- what they stand for, aggregated ones counted in full
    PRIMARY KEY (day_us, type, model, sw_version, region)
);

-- How far detection has read each partition of the event log; written in the transaction that wrote what came of it.
CREATE TABLE log_position (
    log_partition BIGINT PRIMARY KEY,
    log_offset BIGINT NOT NULL,    -- of the next record
    at_us BIGINT NOT NULL
);
