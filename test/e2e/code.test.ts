import { afterEach, describe, expect, test } from 'vitest';
import { makeRig, type Rig, SOURCE_MODEL } from '../support/cli-rig.js';

let rig: Rig;
afterEach(() => rig.dispose());
const src = { 'models/src.sql': SOURCE_MODEL };
const steps = async (
  ...argv: readonly string[]
): Promise<readonly { readonly type: string; readonly model?: string }[]> =>
  (await rig.ok('plan', ...argv, '--json')).json<{ steps: { type: string; model?: string }[] }>().steps;

describe('a model written in TypeScript', () => {
  const rows = (factor: number): string => `
    import { defineModel } from 'scilake';
    export default defineModel(
      {
        name: 's.doubled',
        kind: 'FULL',
        columns: { id: 'INTEGER', big: 'BIGINT', at: 'TIMESTAMP', tags: 'VARCHAR[]', note: 'VARCHAR' },
        dependsOn: ['s.src'],
        audits: ['not_null(columns := (id))'],
        description: "It's computed",
      },
      async function* (context) {
        for (const row of await context.query('SELECT id FROM s.src')) {
          yield { id: Number(row.id) * ${factor}, big: 9007199254740993n, at: new Date(Date.UTC(2024, 0, 2)), tags: ['a', "b'c"] };
        }
      },
    );`;

  test('gives rows, which are cast to what it declares', async () => {
    rig = makeRig({
      ...src,
      'models/doubled.ts': rows(2),
      'models/reader.sql': 'MODEL (name s.reader, kind FULL);\nSELECT id + 1 AS id FROM s.doubled',
    });
    await rig.ok('apply', '-y');
    expect(await rig.rows('SELECT id, big::VARCHAR AS big, "at"::VARCHAR AS "at", tags, note FROM s.doubled')).toEqual([
      { id: 2, big: '9007199254740993', at: '2024-01-02 00:00:00', tags: ['a', "b'c"], note: null },
    ]);
    expect(await rig.rows('FROM s.reader')).toEqual([{ id: 3 }]);
    expect(await steps()).toEqual([]);
  });

  test('is built again, with what reads it, when its code changes, and not for a comment', async () => {
    rig = makeRig({
      ...src,
      'models/doubled.ts': rows(2),
      'models/reader.sql': 'MODEL (name s.reader, kind FULL);\nSELECT id + 1 AS id FROM s.doubled',
    });
    await rig.ok('apply', '-y');
    rig.write({ 'models/doubled.ts': `// said\n${rows(2)}` });
    expect(await steps()).toEqual([]);
    rig.write({ 'models/doubled.ts': rows(3) });
    await rig.ok('apply', '-y');
    expect(await rig.rows('FROM s.reader')).toEqual([{ id: 4 }]);
  });

  test('may give SQL for each interval', async () => {
    rig = makeRig({
      'models/days.ts': `
        import { defineModel } from 'scilake';
        export default defineModel(
          { name: 's.days', kind: 'INCREMENTAL_BY_TIME_RANGE (time_column ds, batch_size 1)', columns: { ds: 'DATE', n: 'INTEGER' }, start: '2024-01-07' },
          (context) => \`SELECT 1 AS n, DATE '\${context.start.toISOString().slice(0, 10)}' AS ds\`,
        );`,
    });
    await rig.ok('apply', '-y');
    expect(await rig.rows('SELECT ds, n FROM s.days ORDER BY ds')).toEqual([
      { ds: '2024-01-07', n: 1 },
      { ds: '2024-01-08', n: 1 },
      { ds: '2024-01-09', n: 1 },
    ]);
    await rig.ok('run', '--execution-time', '2024-01-11 01:00:00');
    expect(await rig.rows('SELECT count(*) AS n FROM s.days')).toEqual([{ n: 4 }]);
  });

  test('is not run by its file of today where the environment was built with another', async () => {
    rig = makeRig({ ...src, 'models/doubled.ts': rows(2) });
    await rig.ok('apply', '-y');
    rig.write({ 'models/doubled.ts': rows(3) });
    const outcome = await rig.run('run', '--execution-time', '2024-01-12 01:00:00');
    expect(outcome.code).toBe(1);
    expect(outcome.err).toContain('SL0411');
  });

  test('says what it threw, or which row does not fit, and leaves the lake as it was', async () => {
    rig = makeRig({ ...src, 'models/doubled.ts': rows(2).replace("tags: ['a'", "tagz: ['a'") });
    const outcome = await rig.run('apply', '-y');
    expect(outcome.code).toBe(1);
    expect(outcome.err).toContain('a row has "tagz", which is not declared');
    expect((await rig.run('query', 'FROM s.doubled')).code).toBe(1);
  });

  test('must declare its columns', async () => {
    rig = makeRig({
      'models/a.ts':
        "import { defineModel } from 'scilake';\nexport default defineModel({ name: 's.a', kind: 'FULL' }, () => 'SELECT 1 AS x');",
    });
    expect((await rig.run('plan')).err).toContain('a model in TypeScript declares its columns');
  });
});

describe('kind CUSTOM', () => {
  const files = {
    ...src,
    'materializations/own.ts': `
      import { defineMaterialization } from 'scilake';
      export const append_new = defineMaterialization(({ target, query, properties }) =>
        \`INSERT INTO \${target} SELECT * FROM (\${query}) AS q WHERE \${properties.key} NOT IN (SELECT \${properties.key} FROM \${target})\`);`,
    'models/a.sql':
      "MODEL (name s.a, kind CUSTOM (materialization 'append_new', materialization_properties (key = id)));\nSELECT id, mag FROM s.src",
  };

  test('fills its table by the project’s own statements', async () => {
    rig = makeRig(files);
    await rig.ok('apply', '-y');
    await rig.ok('run', '--execution-time', '2024-01-12 01:00:00');
    expect(await rig.rows('FROM s.a')).toEqual([{ id: 1, mag: 10 }]);
  });

  test('needs a function of that name', async () => {
    rig = makeRig({ ...files, 'models/a.sql': files['models/a.sql'].replace('append_new', 'append_now') });
    const outcome = await rig.run('plan');
    expect(outcome.err).toContain('there is no materialization "append_now"');
    expect(outcome.err).toContain('did you mean "append_new"?');
  });
});

describe('a signal', () => {
  const signal = (body: string): string =>
    `import { defineSignal } from 'scilake';\nexport const arrived = defineSignal((intervals, given) => ${body});`;
  const files = {
    'models/days.sql':
      "MODEL (name s.days, kind INCREMENTAL_BY_TIME_RANGE (time_column ds), start '2024-01-07', signals (arrived(until := '2024-01-09')));\nSELECT @start_date AS ds",
    'models/reader.sql':
      'MODEL (name s.reader, kind FULL, signals (arrived(until := never)));\nSELECT count(*) AS n FROM s.days',
  };

  test('lets through the intervals that are ready, and holds tables that are made as a whole', async () => {
    rig = makeRig({
      ...files,
      'signals/own.ts': signal('intervals.filter((one) => one.end <= Date.parse(given.until))'),
    });
    const plan = (await rig.ok('plan', '--json')).json<{ missing: object }>();
    expect(plan.missing).toEqual({ 's.days': [['2024-01-07T00:00:00Z', '2024-01-09T00:00:00Z']] });
  });

  test('that throws is an error of the model that waits for it', async () => {
    rig = makeRig({ ...files, 'signals/own.ts': signal("{ throw new Error('no answer'); }") });
    const outcome = await rig.run('plan');
    expect(outcome.code).toBe(1);
    expect(outcome.err).toContain('signal arrived of s.days failed: no answer');
  });

  test('must be there', async () => {
    rig = makeRig(files);
    expect((await rig.run('plan')).err).toContain('there is no signal "arrived"');
  });
});
