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

const event = `SELECT id::INT AS id, grp::TEXT AS grp, mag::DOUBLE AS mag, ts::TIMESTAMP AS ts, ts::DATE AS ds
FROM read_csv('DATA/events.csv', header = true, all_varchar = true)`;

export const files = {
  'seeds/groups.csv': 'grp,label\na,Alpha\nb,Beta\nc,Gamma\n',
  'models/groups.sql': `MODEL (name s.groups, kind SEED (path '../seeds/groups.csv'), columns (grp TEXT, label TEXT));`,
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
};

/** Names whose tables are compared. */
export const tables = Object.keys(files)
  .filter((name) => name.startsWith('models/') && name !== 'models/labelled.sql')
  .map((name) => `s.${name.slice('models/'.length, -'.sql'.length)}`);

export const steps = [
  { name: 'first load', data: events(first), do: 'plan', at: '2024-01-04 00:30:00' },
  { name: 'next day', data: events(nextDay), do: 'run', at: '2024-01-05 00:30:00' },
  { name: 'late row', data: events(lateRow), do: 'run', at: '2024-01-06 00:30:00' },
  { name: 'nothing new', data: events(lateRow), do: 'run', at: '2024-01-06 00:45:00' },
  {
    name: 'restatement',
    data: events(lateRow.filter((row) => !row.startsWith('2,'))),
    do: 'restate',
    model: 's.events',
    at: '2024-01-06 00:50:00',
  },
  {
    name: 'changed model',
    data: events(lateRow),
    files: { 'models/by_full.sql': files['models/by_full.sql'].replace('max(mag)', 'max(mag) + 1') },
    do: 'plan',
    at: '2024-01-06 01:00:00',
  },
  {
    name: 'changed seed',
    data: events(lateRow),
    files: { 'seeds/groups.csv': 'grp,label\na,Alpha\nb,Bravo\nc,Gamma\nd,Delta\n' },
    do: 'plan',
    at: '2024-01-06 01:10:00',
  },
];
