-- How far the counts of rollup_day go in each partition: they are written less often than the rest, as what was added
-- since, in the transaction that moves this position. Until now they were written with log_position.
CREATE TABLE rollup_position (
    log_partition BIGINT PRIMARY KEY,
    log_offset BIGINT NOT NULL     -- of the next record
);
INSERT INTO rollup_position (log_partition, log_offset) SELECT log_partition, log_offset FROM log_position;
