import { afterEach, describe, expect, test } from 'vitest';
import { makeRig, type Rig } from '../support/cli-rig.js';

let rig: Rig;
afterEach(() => rig?.dispose());

interface Diff {
  readonly source: string;
  readonly target: string;
  readonly tables: readonly {
    readonly model: string | null;
    readonly on: readonly string[];
    readonly schema: { readonly added: object; readonly removed: object; readonly modified: object };
    readonly rows: Readonly<Record<string, number>> & { readonly percent: Readonly<Record<string, number>> };
    readonly columns: Readonly<Record<string, { readonly matches: number; readonly percent: number }>>;
    readonly samples: {
      readonly partial: readonly object[];
      readonly sourceOnly: readonly object[];
      readonly targetOnly: readonly object[];
    };
  }[];
  readonly diagnostics?: readonly { readonly code: string }[];
}

const model = (rows: string, columns: string, header = 'grain id'): string =>
  `MODEL (name s.a, kind FULL, ${header});\nSELECT * FROM (VALUES ${rows}) AS v(${columns})`;

const before = model("(1, 1.0, 'x'), (2, 2.0, NULL), (3, 3.0, 'z'), (NULL, 9.0, 'n')", 'id, mag, cls');
const after = model("(1, 1.0001, 'x'), (2, 2.5, NULL), (4, 4.0, 'w'), (NULL, 9.0, 'n')", 'id, mag, cls');

async function twoEnvironments(files: Readonly<Record<string, string>> = {}): Promise<void> {
  rig = makeRig({ 'models/a.sql': before, ...files });
  await rig.ok('apply');
  rig.write({ 'models/a.sql': after });
  await rig.ok('apply', 'dev');
}

describe('environments', () => {
  test('are compared row by row on the grain, NULL keys and NULL values included, up to three decimals', async () => {
    await twoEnvironments();
    const diff = (await rig.ok('table_diff', 'prod:dev', 's.a', '--show-sample', '--json')).json<Diff>();
    expect(diff.tables).toEqual([
      {
        model: 's.a',
        on: ['id'],
        schema: { added: {}, removed: {}, modified: { mag: { from: 'DECIMAL(2,1)', to: 'DECIMAL(5,4)' } } },
        rows: {
          source: 4,
          target: 4,
          joined: 3,
          fullMatch: 2,
          partialMatch: 1,
          sourceOnly: 1,
          targetOnly: 1,
          percent: { fullMatch: 50, partialMatch: 25, joined: 75, sourceOnly: 12.5, targetOnly: 12.5 },
        },
        columns: { mag: { matches: 2, percent: 66.67 }, cls: { matches: 3, percent: 100 } },
        samples: {
          partial: [{ key: { id: 2 }, columns: { mag: ['2.0', '2.500'] } }],
          sourceOnly: [{ id: 3, mag: '3.0', cls: 'z' }],
          targetOnly: [{ id: 4, mag: '4.000', cls: 'w' }],
        },
      },
    ]);
  });

  test('differ by more where more decimals count, and by less where a column is skipped', async () => {
    await twoEnvironments();
    const exact = (await rig.ok('table_diff', 'prod:dev', 's.a', '-d', '4', '--json')).json<Diff>();
    expect(exact.tables[0]?.rows).toMatchObject({ fullMatch: 1, partialMatch: 2 });
    const skipped = (await rig.ok('table_diff', 'prod:dev', 's.a', '-s', 'mag', '--json')).json<Diff>();
    expect(skipped.tables[0]?.rows).toMatchObject({ fullMatch: 3, partialMatch: 0 });
    const some = (await rig.ok('table_diff', 'prod:dev', 's.a', '--where', 'id <= 2', '--json')).json<Diff>();
    expect(some.tables[0]?.rows).toMatchObject({ source: 2, target: 2, sourceOnly: 0, targetOnly: 0 });
  });

  test('are compared model by model where none is named: those that have other tables', async () => {
    await twoEnvironments({
      'models/b.sql': 'MODEL (name s.b, kind FULL, tags (down));\nSELECT id, mag FROM s.a',
      'models/c.sql': 'MODEL (name s.c, kind FULL, grain one);\nSELECT 1 AS one',
    });
    const all = await rig.run('table_diff', 'prod:dev', '--json');
    expect(all.code).toBe(1);
    expect(all.json<Diff>().tables.map((table) => table.model)).toEqual(['s.a', 's.b']);
    expect(all.json<Diff>().diagnostics).toMatchObject([{ code: 'SL0421', message: expect.stringContaining('s.b') }]);
    const warned = await rig.ok('table_diff', 'prod:dev', '-m', 'tag:down', '--warn-grain-check', '--json');
    expect(warned.json<Diff>().tables).toMatchObject([{ model: 's.b', on: [], rows: { source: 4, target: 4 } }]);
    const on = await rig.ok('table_diff', 'prod:dev', '-m', 's.a+', '-o', 'id', '--json');
    expect(on.json<Diff>().tables).toMatchObject([
      { rows: { joined: 3 } },
      { model: 's.b', on: ['id'], rows: { joined: 3 } },
    ]);
  });

  test('at a snapshot or a time are what they were then, views included', async () => {
    rig = makeRig({
      'models/a.sql': before,
      'models/v.sql': 'MODEL (name s.v, kind VIEW, grain id);\nSELECT id, mag FROM s.a',
    });
    const first = (await rig.ok('apply', '--json')).json<{ lakeSnapshot: number }>().lakeSnapshot;
    const between = new Date().toISOString();
    rig.write({ 'models/a.sql': after });
    await rig.ok('apply');
    for (const moment of [String(first), between.slice(0, 23), between]) {
      const diff = (await rig.ok('table_diff', `prod@${moment}:prod`, '--json')).json<Diff>();
      expect(diff.source).toBe(`prod@${moment}`);
      expect(diff.tables).toMatchObject([
        { model: 's.a', rows: { joined: 3, fullMatch: 2 } },
        { model: 's.v', rows: { joined: 3, fullMatch: 2 } },
      ]);
    }
  });

  test('that do not exist, and models that do not, are errors with a name', async () => {
    await twoEnvironments();
    expect((await rig.run('table_diff', 'prod:nope')).err).toContain('SL0710');
    expect((await rig.run('table_diff', 'prod@9999:prod')).err).toContain('SL0422');
    const near = await rig.run('table_diff', 'prod:dev', 's.aa');
    expect(near).toMatchObject({ code: 1, err: expect.stringContaining('did you mean "s.a"') });
    expect((await rig.run('table_diff', 'prod')).code).toBe(2);
    expect((await rig.run('table_diff', 'prod:s.a')).code).toBe(2);
    expect((await rig.run('table_diff', 'prod:dev', 's.a', '--where', 'nope = 1')).err).toContain('nope');
  });
});

test('two tables are compared on the columns given, with added, removed and changed columns', async () => {
  rig = makeRig({
    'models/a.sql': "MODEL (name s.a, kind FULL);\nSELECT 1 AS id, 'x' AS gone, 5::INT AS n",
    'models/b.sql': "MODEL (name s.b, kind FULL);\nSELECT 1 AS ID, 5.0::DOUBLE AS n, DATE '2024-01-01' AS fresh",
  });
  await rig.ok('apply');
  const diff = (await rig.ok('table_diff', 's.a:s.b', '-o', 'id', '--json')).json<Diff>();
  expect(diff.tables).toMatchObject([
    {
      model: null,
      schema: {
        added: { fresh: 'DATE' },
        removed: { gone: 'VARCHAR' },
        modified: { n: { from: 'INTEGER', to: 'DOUBLE' } },
      },
      rows: { joined: 1, fullMatch: 1 },
      columns: { n: { matches: 1 } },
    },
  ]);
  const drawn = (await rig.ok('table_diff', 's.a:s.b', '-o', 'id')).out;
  expect(drawn).toContain('  + fresh DATE\n  - gone VARCHAR\n  ~ n INTEGER → DOUBLE');
  expect(drawn).toMatch(/full match +1 +100\.00/);
});

test('a key that several rows have is an error, unless it is not checked', async () => {
  rig = makeRig({ 'models/a.sql': "MODEL (name s.a, kind FULL);\nFROM (VALUES (1, 'x'), (1, 'y')) AS v(id, cls)" });
  await rig.ok('apply');
  const refused = await rig.run('table_diff', 's.a:s.a', '-o', 'id', '--json');
  expect(refused.code).toBe(1);
  expect(refused.json<Diff>().diagnostics).toMatchObject([
    { code: 'SL0421', message: expect.stringContaining('1 in the source, 1 in the target') },
  ]);
  const unchecked = (await rig.ok('table_diff', 's.a:s.a', '-o', 'id', '--skip-grain-check', '--json')).json<Diff>();
  expect(unchecked.tables[0]?.rows).toMatchObject({ source: 2, target: 2, joined: 4, fullMatch: 2 });
  expect((await rig.run('table_diff', 's.a:s.a', '-o', 'nope')).err).toContain('both tables need the key column nope');
});
