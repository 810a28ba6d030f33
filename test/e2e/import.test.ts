import * as path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { duckdb } from '../../src/effects/duckdb.js';
import { files } from '../../src/effects/files.js';
import { makeRig, type Rig } from '../support/cli-rig.js';

let rig: Rig;
afterEach(() => rig?.dispose());

const project = {
  'old/config.yaml': `gateways:
  shop:
    connection: {type: duckdb, database: shop.db}
    variables: {limit: 1}
default_gateway: shop
model_defaults: {dialect: snowflake, start: '2024-01-01'}
variables: {limit: 7, other: x}
users: []
cicd_bot: {type: github}
`,
  'old/models/a.sql': `MODEL (
  name s.a,
  kind FULL, -- all of it
  gateway shop
);

SELECT id, IFF(id > @limit, 'big', 'small') AS size FROM raw.orders`,
  'old/models/b.sql': 'MODEL (name s.b, kind FULL, dialect duckdb);\nSELECT size, count(*) AS n FROM s.a GROUP BY ALL',
  'old/models/broken.sql': 'MODEL (name s.broken, kind FULL);\nSELECT a FROM (',
  'old/models/py.py': "@model('s.py')\ndef execute(context, **kwargs):\n  pass\n",
  'old/models/reads_py.sql': 'MODEL (name s.reads_py, kind FULL);\nSELECT 1 AS x FROM s.py',
  'old/macros/__init__.py': '',
  'old/macros/m.py': '@macro()\ndef m(evaluator):\n  return 1\n',
  'old/audits/ok.sql': 'AUDIT (name ok);\nSELECT * FROM @this_model WHERE FALSE',
  'old/tests/t.yaml':
    'test_b:\n  model: s.b\n  inputs: {s.a: {rows: [{id: 1, size: x}]}}\n  outputs: {query: {rows: [{size: x, n: 1}]}}\n',
  'old/tests/bad.yaml': 'test_c:\n  modl: s.b\n',
  'old/README.md': 'not read',
};

interface Report {
  readonly files: readonly { readonly path: string; readonly outcome: string; readonly notes: readonly string[] }[];
  readonly written: readonly string[];
}

async function makeShop(): Promise<void> {
  rig = makeRig(project);
  const database = await duckdb.open({ path: path.join(rig.folder, 'old', 'shop.db') });
  await database.run('CREATE SCHEMA raw; CREATE TABLE raw.orders AS SELECT 1 AS id UNION ALL SELECT 2');
  database.close();
}

describe('import', () => {
  test('says of each file what becomes of it, and writes nothing', async () => {
    await makeShop();
    const before = files.list(rig.folder);
    const report = (await rig.ok('import', 'old', '--json')).json<Report>();
    expect(Object.fromEntries(report.files.map((file) => [file.path, file.outcome]))).toEqual({
      'audits/ok.sql': 'carries over',
      'config.yaml': 'changes',
      'macros/m.py': 'does not carry over',
      'models/a.sql': 'changes',
      'models/b.sql': 'carries over',
      'models/broken.sql': 'does not carry over',
      'models/py.py': 'does not carry over',
      'models/reads_py.sql': 'does not carry over',
      'tests/bad.yaml': 'does not carry over',
      'tests/t.yaml': 'carries over',
    });
    const notes = Object.fromEntries(report.files.map((file) => [file.path, file.notes.join('\n')]));
    expect(notes['models/a.sql']).toBe('translated from snowflake; compare its results\nkept, without effect: gateway');
    expect(notes['config.yaml']).toContain('these change nothing here: users; these do not carry over: cicd_bot');
    expect(notes['models/broken.sql']).toContain('cannot be translated from snowflake');
    expect(notes['models/reads_py.sql']).toContain('"s.py" not found');
    expect(notes['models/py.py']).toContain('Python model');
    expect(report.written).toEqual([]);
    expect(files.list(rig.folder)).toEqual(before);
    expect(files.entries(path.join(rig.folder, 'old'))).not.toContain('.scilake');
    expect((await rig.ok('import', 'old')).out).toContain('3 carry over, 2 change, 5 do not carry over\n');
  });

  test('writes a project that runs once what does not carry over is gone', async () => {
    await makeShop();
    for (const name of ['models/broken.sql', 'models/reads_py.sql', 'tests/bad.yaml']) rig.remove(`old/${name}`);
    const report = (await rig.ok('import', 'old', '--out', 'new', '--json')).json<Report>();
    expect(report.written).not.toContain('models/py.py');
    expect(rig.read('new/scilake.yaml')).toBe(`name: old
model_defaults:
  dialect: duckdb
  start: 2024-01-01
variables:
  limit: 7
  other: x
gateways:
  shop:
    connection:
      type: duckdb
      catalogs:
        shop: ../old/shop.db
    variables:
      limit: 1
`);
    expect(rig.read('new/models/a.sql')).toBe(
      "MODEL (\n  name s.a,\n  kind FULL, -- all of it\n  gateway shop\n);\n\nSELECT id, CASE WHEN id > @limit THEN 'big' ELSE 'small' END AS size FROM raw.orders",
    );
    expect(rig.read('new/models/b.sql')).toBe(project['old/models/b.sql']);
    await rig.ok('apply', '-p', path.join(rig.folder, 'new'));
    const rows = await rig.ok('query', 'FROM s.b ORDER BY size', '--json', '-p', path.join(rig.folder, 'new'));
    expect(rows.json()).toEqual([
      { size: 'big', n: 1 },
      { size: 'small', n: 1 },
    ]);
    await rig.ok('test', '-p', path.join(rig.folder, 'new'));
  });

  test('takes no folder that is no project, and writes into none that is not empty', async () => {
    await makeShop();
    rig.write({ 'empty/note.txt': 'x' });
    expect(await rig.run('import', 'empty')).toMatchObject({ code: 1, err: expect.stringContaining('SL0137') });
    expect(await rig.run('import', 'old', '--out', 'empty')).toMatchObject({
      code: 1,
      err: expect.stringContaining('is not empty'),
    });
    expect(files.list(path.join(rig.folder, 'empty'))).toEqual(['note.txt']);
  });
});
