-- An over-budget incident is worked out again when it has grown enough or some time has passed, not with every alert.
ALTER TABLE budget_incident ADD COLUMN refreshed_us BIGINT NOT NULL DEFAULT 0;
ALTER TABLE budget_incident ADD COLUMN refreshed_alerts BIGINT NOT NULL DEFAULT 0;
