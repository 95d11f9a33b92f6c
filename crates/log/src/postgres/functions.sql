-- The checksum of a row: that of its content, which whoever appends has reckoned, and its place. Sums of products modulo a
-- prime below 2^32, so that no single number that changes leaves it the same.
CREATE FUNCTION {schema}.place_checksum(content bigint, place bigint, recorded_at bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $place_checksum$
    SELECT (content + place % 4294967291 * 461845907 + recorded_at % 4294967291 * 268435399) % 4294967291
$place_checksum$;

-- Appends the events of those wishes whose expectation holds, one after another, all in the transaction of the one
-- statement that calls this. Whoever calls it waits for nobody but those who append at the same time, and holds nothing up
-- when he goes: the server finishes by itself.
--
-- One for each wish: its stream, the revision of its first event, how many it has, and which wish of the same stream came
-- before it here (0: none). One for each event: its wish, and what is stored of it.
--
-- Tells where the log ended before; for each wish whether it was stored, and the last revision of its stream after it (-1:
-- none); and of those not stored but found to be stored before (again), at which positions their last events stand (ends).
CREATE FUNCTION {schema}.append(
    clock bigint,
    streams text[], firsts bigint[], counts integer[], earlier integer[],
    event_wishes integer[], event_streams text[], revisions bigint[], ids uuid[], kinds text[], contents bigint[],
    metadatas bytea[], datas bytea[],
    OUT head bigint, OUT is_stored boolean[], OUT lasts bigint[], OUT again integer[], OUT ends bigint[]
) LANGUAGE plpgsql AS $append$
DECLARE
    last_time bigint;
    last bigint;
    stored bigint := 0;
BEGIN
    -- Held until the commit can be seen. So positions follow the order in which commits become visible, without gaps, and
    -- every statement below sees all that was committed before.
    PERFORM pg_advisory_xact_lock(hashtextextended('chopmark appends in ' || {name}, 0));
    SELECT e.position, e.recorded_at INTO head, last_time FROM {schema}.events e ORDER BY e.position DESC LIMIT 1;
    head := coalesce(head, 0);
    clock := greatest(clock, last_time);
    SELECT array_agg(coalesce(
            (SELECT e.revision FROM {schema}.events e WHERE e.stream = w.stream ORDER BY e.revision DESC LIMIT 1), -1
        ) ORDER BY w.wish)
        INTO lasts FROM unnest(streams) WITH ORDINALITY AS w(stream, wish);
    is_stored := array_fill(false, ARRAY[cardinality(streams)]);
    FOR wish IN 1 .. cardinality(streams) LOOP
        last := CASE WHEN earlier[wish] > 0 THEN lasts[earlier[wish]] ELSE lasts[wish] END;
        IF last + 1 = firsts[wish] THEN
            is_stored[wish] := true;
            last := last + counts[wish];
            stored := stored + counts[wish];
        END IF;
        lasts[wish] := last;
    END LOOP;

    IF stored > 0 THEN
        INSERT INTO {schema}.events (position, stream, revision, id, kind, recorded_at, checksum, metadata, data)
            SELECT n.place, n.stream, n.revision, n.id, n.kind, clock,
                    {schema}.place_checksum(n.content, n.place, clock), n.metadata, n.data
                FROM (
                    SELECT head + row_number() OVER (ORDER BY u.event) AS place, u.*
                        FROM unnest(event_wishes, event_streams, revisions, ids, kinds, contents, metadatas, datas)
                            WITH ORDINALITY AS u(wish, stream, revision, id, kind, content, metadata, data, event)
                        WHERE is_stored[u.wish]
                ) n;
        PERFORM pg_notify({name}, (head + stored)::text);
    END IF;

    IF false = ANY (is_stored) THEN
        SELECT array_agg(found.wish), array_agg(found.place) INTO again, ends
            FROM (
                SELECT n.wish, max(e.position) AS place
                    FROM unnest(event_wishes, event_streams, revisions, ids) AS n(wish, stream, revision, id)
                    JOIN {schema}.events e ON e.stream = n.stream AND e.revision = n.revision AND e.id = n.id
                    WHERE NOT is_stored[n.wish]
                    GROUP BY n.wish
                    HAVING count(*) = counts[n.wish]
            ) found;
    END IF;
    again := coalesce(again, '{}');
    ends := coalesce(ends, '{}');
END
$append$;

-- Takes records of another log over, all or none. Those that are there already are passed over. Tells where the last of
-- them stands and where the log ends now. What cannot be is raised: CM001 where a place holds another record or is not its
-- stream's next, CM002 for a record older than what the log ends with; the detail is which, counted from 1, and the last
-- revision of its stream.
CREATE FUNCTION {schema}.import(
    streams text[], revisions bigint[], ids uuid[], kinds text[], times bigint[], contents bigint[], metadatas bytea[],
    datas bytea[],
    OUT place bigint, OUT head bigint
) LANGUAGE plpgsql AS $import$
DECLARE
    last_time bigint;
    last bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('chopmark appends in ' || {name}, 0));
    SELECT e.position, e.recorded_at INTO head, last_time FROM {schema}.events e ORDER BY e.position DESC LIMIT 1;
    head := coalesce(head, 0);
    FOR i IN 1 .. cardinality(streams) LOOP
        SELECT e.revision INTO last
            FROM {schema}.events e WHERE e.stream = streams[i] ORDER BY e.revision DESC LIMIT 1;
        last := coalesce(last, -1);
        IF revisions[i] <> last + 1 THEN
            SELECT e.position INTO place
                FROM {schema}.events e WHERE e.stream = streams[i] AND e.revision = revisions[i] AND e.id = ids[i];
            CONTINUE WHEN FOUND;
            RAISE EXCEPTION 'the place is taken' USING ERRCODE = 'CM001', DETAIL = i || ' ' || last;
        END IF;
        IF times[i] < last_time THEN
            RAISE EXCEPTION 'the record is too old' USING ERRCODE = 'CM002', DETAIL = i || ' ' || last;
        END IF;
        head := head + 1;
        place := head;
        last_time := times[i];
        INSERT INTO {schema}.events (position, stream, revision, id, kind, recorded_at, checksum, metadata, data)
            VALUES (place, streams[i], revisions[i], ids[i], kinds[i], times[i],
                {schema}.place_checksum(contents[i], place, times[i]), metadatas[i], datas[i]);
    END LOOP;
    PERFORM pg_notify({name}, head::text);
END
$import$;
