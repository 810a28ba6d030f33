// A project that SQLMesh and Scilake both load, and what happens to it: `steps` are done to both, and after each all tables are
// compared. Times are UTC. Rows arrive in a CSV file, as they would from somebody else.
const events = (rows) => ['id,grp,mag,ts', ...rows].join('\n').concat('\n');

const first = [
  '1,a,10,2024-01-01 03:00:00',
  '2,a,20,2024-01-02 04:00:00',
  '3,b,30,2024-01-03 05:00:00',
  '4,b,40,2024-01-03 06:00:00',
];
const nextDay = [...first, '5,c,50,2024-01-04 01:00:00', '1,a,11,2024-01-04 02:00:00'];
const lateRow = [...nextDay, '6,a,60,2024-01-03 23:00:00', '7,d,70,2024-01-05 10:00:00'];
const today = [...lateRow, '8,d,80,2024-01-06 01:30:00'];

const event = `SELECT id::INT AS id, grp::TEXT AS grp, mag::DOUBLE AS mag, ts::TIMESTAMP AS ts, ts::DATE AS ds
FROM read_csv('DATA/events.csv', header = true, all_varchar = true)`;

export const files = {
  'seeds/groups.csv': 'grp,label\na,Alpha\nb,Beta\nc,Gamma\n',
  'models/groups.sql': `MODEL (name s.groups, kind SEED (path '../seeds/groups.csv'), columns (grp TEXT, label TEXT));`,
  'seeds/odd.csv': 'id; word;n~1; "a;~b"; -~2; x y;  7~3;-; 8~',
  'models/odd.sql': `MODEL (name s.odd, kind SEED (path '../seeds/odd.csv', csv_settings (delimiter = ';', skipinitialspace = true, lineterminator = '~', na_values = (n = ('-')))), columns (id INT, word TEXT, n DOUBLE));`,
  'models/events.sql': `MODEL (name s.events, kind FULL, cron '@daily', grain id);\n${event}`,
  'models/labelled.sql': `MODEL (name s.labelled, kind EMBEDDED);\nSELECT e.id, e.grp, g.label, e.mag, e.ds FROM s.events AS e LEFT JOIN s.groups AS g ON e.grp = g.grp`,
  'models/by_view.sql': `MODEL (name s.by_view, kind VIEW);\nSELECT label, count(*) AS n, sum(mag)::DOUBLE AS total FROM s.labelled GROUP BY label`,
  'models/by_full.sql': `MODEL (name s.by_full, kind FULL);\nSELECT grp, max(mag) AS top, @IF(@low > 1, min(mag), NULL) AS bottom FROM s.events GROUP BY grp`,
  'models/by_day.sql': `MODEL (name s.by_day, kind INCREMENTAL_BY_TIME_RANGE (time_column ds, lookback 1), start '2024-01-01');
SELECT ds, grp, count(*) AS n, sum(mag)::DOUBLE AS total FROM s.events WHERE ds BETWEEN @start_ds AND @end_ds GROUP BY ds, grp`,
  'models/by_batch.sql': `MODEL (name s.by_batch, kind INCREMENTAL_BY_TIME_RANGE (time_column ts, batch_size 1), start '2024-01-01');
SELECT ts, id, @start_ds AS first_day, @end_ds AS last_day FROM s.events WHERE ts BETWEEN @start_ts AND @end_ts`,
  'models/by_key.sql': `MODEL (name s.by_key, kind INCREMENTAL_BY_UNIQUE_KEY (unique_key id), start '2024-01-01');
SELECT id, grp, mag, ds FROM s.events WHERE ds BETWEEN @start_ds AND @end_ds QUALIFY row_number() OVER (PARTITION BY id ORDER BY ts DESC) = 1`,
  'models/by_partition.sql': `MODEL (name s.by_partition, kind INCREMENTAL_BY_PARTITION, partitioned_by grp, start '2024-01-01');
SELECT grp, id, mag FROM s.events WHERE grp IN (SELECT grp FROM s.events WHERE ds BETWEEN @start_ds AND @end_ds)`,
  'models/unmanaged.sql': `MODEL (name s.unmanaged, kind INCREMENTAL_UNMANAGED, start '2024-01-01');
SELECT id, mag, ds FROM s.events WHERE ds BETWEEN @start_ds AND @end_ds`,
  'models/by_time.sql': `MODEL (name s.by_time, kind SCD_TYPE_2_BY_TIME (unique_key id, updated_at_name ts, invalidate_hard_deletes true), start '2024-01-01');
SELECT id, grp, mag, ts FROM s.events QUALIFY row_number() OVER (PARTITION BY id ORDER BY ts DESC) = 1`,
  'models/by_column.sql': `MODEL (name s.by_column, kind SCD_TYPE_2_BY_COLUMN (unique_key id, columns (mag)), start '2024-01-01');
SELECT id, grp, mag FROM s.events QUALIFY row_number() OVER (PARTITION BY id ORDER BY ts DESC) = 1`,
  'models/macros.sql': `MODEL (name s.macros, kind FULL);
SELECT @GENERATE_SURROGATE_KEY(label, n) AS key, @EACH([n, total], c -> c AS @{c}_copy), @SAFE_DIV(total, n) AS mean FROM s.by_view`,
  'models/replaced.sql': `MODEL (name s.replaced, kind INCREMENTAL_UNMANAGED (insert_overwrite true), partitioned_by ds, start '2024-01-01');
SELECT id, mag, ds FROM s.events WHERE ds BETWEEN @start_ds AND @end_ds`,
  'models/partials.sql': `MODEL (name s.partials, kind INCREMENTAL_BY_TIME_RANGE (time_column ds, batch_size 2, batch_concurrency 2), allow_partials true, start '2024-01-02');
SELECT ds, count(*) AS n FROM s.events WHERE ds BETWEEN @start_ds AND @end_ds GROUP BY ds`,
  'models/by_hour.sql': `MODEL (name s.by_hour, kind INCREMENTAL_BY_TIME_RANGE (time_column ts), cron '@hourly', start '2024-01-01');
SELECT ts, id, mag FROM s.events WHERE ts BETWEEN @start_dt AND @end_dt`,
  'models/half_days.sql': `MODEL (name s.half_days, kind INCREMENTAL_BY_TIME_RANGE (time_column ds), cron '@hourly', interval_unit day, allow_partials true, start '2024-01-02');
SELECT ds, count(*) AS n, max(ts) AS latest FROM (${event}) AS e WHERE ds BETWEEN @start_ds AND @end_ds GROUP BY ds`,
  'models/weekly.sql': `MODEL (name s.weekly, kind INCREMENTAL_BY_TIME_RANGE (time_column ds), cron '@weekly', start '2023-12-20');
SELECT ds, id, mag FROM s.events WHERE ds BETWEEN @start_date AND @end_date`,
  'models/key_batches.sql': `MODEL (name s.key_batches, kind INCREMENTAL_BY_UNIQUE_KEY (unique_key (id, grp), batch_size 1), start '2024-01-01');
SELECT id, grp, max(mag) AS mag FROM s.events WHERE ds BETWEEN @start_ds AND @end_ds GROUP BY id, grp`,
  'models/macros_two.sql': `MODEL (name s.macros_two, kind FULL);
@DEF(limit_of, x -> @x + 5);
SELECT
  @STAR(s.events, e, exclude := [ts], prefix := 'e_'),
  @SAFE_ADD(e.mag, NULL, 2) AS added, @SAFE_SUB(e.mag, NULL) AS less,
  round(@HAVERSINE_DISTANCE(e.id, e.mag, 3, 4, 'km'), 9) AS far,
  @REDUCE([1, 2, 3], (x, y) -> x + y) AS six,
  @limit_of(2) AS seven,
  @EACH(@FILTER(['p', 'q', 'r'], x -> x <> 'q'), x -> @x AS @{x}_n)
FROM s.events AS e
@WHERE(@low = 2) @AND(e.mag > 5, NULL, @OR(e.grp = 'a', e.grp = 'b'))`,
  'models/pivoted.sql': `MODEL (name s.pivoted, kind FULL);
SELECT e.ds, @PIVOT(e.grp, ['a', 'b'], agg := 'max', then_value := e.mag, else_value := 0) FROM s.events AS e GROUP BY e.ds`,
  'models/spine.sql': `MODEL (name s.spine, kind FULL);
WITH days AS (@DATE_SPINE('day', '2024-01-01', '2024-01-05'))
SELECT d.date_day, count(e.id) AS n FROM days AS d LEFT JOIN s.events AS e ON e.ds = d.date_day GROUP BY 1`,
  'models/united.sql': `MODEL (name s.united, kind FULL);
@UNION('all', s.by_full, s.by_full)`,
  'models/latest.sql': `MODEL (name s.latest, kind FULL);
WITH last_rows AS (@DEDUPLICATE(s.events, [id], ['ts DESC']))
SELECT id, mag FROM last_rows`,
  'models/jinja.sql': `MODEL (name s.jinja, kind FULL);
JINJA_QUERY_BEGIN;
{% set words = ['x', 'y'] %}
SELECT {% for word in words %}'{{ word }}' AS {{ word }}, {% endfor %}id FROM s.events WHERE id > {{ var('low') }}
JINJA_END;`,
};

/** Names whose tables are compared. */
export const tables = Object.keys(files)
  .filter((name) => name.startsWith('models/') && name !== 'models/labelled.sql')
  .map((name) => `s.${name.slice('models/'.length, -'.sql'.length)}`);

// SQLMesh folds constants before it runs a query: the last digits of numbers may differ.
export const steps = [
  { name: 'first load', data: events(first), do: 'plan', at: '2024-01-04 00:30:00' },
  { name: 'next day', data: events(nextDay), do: 'run', at: '2024-01-05 00:30:00' },
  { name: 'late row', data: events(lateRow), do: 'run', at: '2024-01-06 00:30:00' },
  { name: 'nothing new', data: events(lateRow), do: 'run', at: '2024-01-06 00:45:00' },
  { name: 'part of a day', data: events(today), do: 'run', at: '2024-01-06 02:15:00' },
  {
    name: 'more of the day',
    data: events([...today, '9,d,90,2024-01-06 02:30:00']),
    do: 'run',
    at: '2024-01-06 03:05:00',
  },
  {
    name: 'restatement',
    data: events(lateRow.filter((row) => !row.startsWith('2,'))),
    do: 'restate',
    model: 's.events',
    at: '2024-01-06 03:10:00',
  },
  {
    name: 'changed model',
    data: events(lateRow),
    files: { 'models/by_full.sql': files['models/by_full.sql'].replace('max(mag)', 'max(mag) + 1') },
    do: 'plan',
    at: '2024-01-06 03:20:00',
  },
  {
    name: 'changed seed',
    data: events(lateRow),
    files: { 'seeds/groups.csv': 'grp,label\na,Alpha\nb,Bravo\nc,Gamma\nd,Delta\n' },
    do: 'plan',
    at: '2024-01-06 03:30:00',
  },
];
