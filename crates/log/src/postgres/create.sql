-- Tables and functions of the event log, made once for each schema. {schema} is its name, quoted; {name} the name as a text.
DO $create$
BEGIN
PERFORM pg_advisory_xact_lock(hashtextextended('chopmark makes an event log in ' || {name}, 0));
IF to_regclass({name} || '.format') IS NOT NULL THEN
    RETURN;
END IF;
-- Who may not create schemas may still use one that was made for them.
IF to_regnamespace({name}) IS NULL THEN
    CREATE SCHEMA {schema};
END IF;

CREATE TABLE {schema}.format (version integer NOT NULL);
INSERT INTO {schema}.format VALUES (1);
COMMENT ON TABLE {schema}.format IS 'The format of the event log in this schema.';

CREATE TABLE {schema}.events (
    position bigint PRIMARY KEY,
    stream text COLLATE "C" NOT NULL,
    revision bigint NOT NULL,
    id uuid NOT NULL,
    kind text COLLATE "C" NOT NULL,
    recorded_at bigint NOT NULL,
    checksum bigint NOT NULL,
    metadata bytea NOT NULL,
    data bytea NOT NULL,
    UNIQUE (stream, revision)
);
COMMENT ON TABLE {schema}.events IS 'The event log. Rows are added by the function append and never changed.';
COMMENT ON COLUMN {schema}.events.position IS 'The place in the log: 1, 2, 3 and so on, in the order of commits.';
COMMENT ON COLUMN {schema}.events.revision IS 'The place in the stream: 0, 1, 2 and so on.';
COMMENT ON COLUMN {schema}.events.recorded_at IS 'When the log took it: microseconds since 1970, UTC.';
COMMENT ON COLUMN {schema}.events.checksum IS 'Of all other columns; see docs/reference/log-in-postgresql.md.';

{functions}
END
$create$
