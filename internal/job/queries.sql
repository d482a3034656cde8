-- name: count_jobs
-- How many jobs of all tenants are in each state.
SELECT CAST(state AS TEXT), count(*) FROM river_job GROUP BY state;

-- name: lock_migration_postgres
-- One process at a time changes the queue's tables; SQLite has one writer anyway. The
-- number is ours alone: "moatjobs" as eight bytes.
SELECT pg_advisory_lock(7885628625178813043);
