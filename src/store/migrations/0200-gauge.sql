-- Single figures that one process keeps and others show: rules_loaded, rules_failed, ...
CREATE TABLE gauge (
    name TEXT PRIMARY KEY,
    value BIGINT NOT NULL,
    at_us BIGINT NOT NULL
);
