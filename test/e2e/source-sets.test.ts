import * as fs from 'node:fs';
import * as path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { makeRig, type Rig } from '../support/cli-rig.js';

let rig: Rig;
afterEach(() => rig.dispose());

describe('a pattern of paths', () => {
  test('that means files of different kinds becomes a table of each', async () => {
    rig = makeRig({
      'sources/lab.sql': "SOURCE (name lab, uri 'data/**/*.{csv,json}', license 'CC0-1.0');",
      'sources/data/plates.csv': 'id,plate\n1,p1\n2,p2\n',
      'sources/data/more/doses.json': '[{"id": 1, "dose": 0.5}]',
      'sources/data/more/notes.txt': 'words',
      'models/m.sql': 'MODEL (name s.m, kind FULL);\nSELECT plate, dose FROM lab.plates JOIN lab.doses USING (id)',
    });
    await rig.ok('apply');
    expect(await rig.rows('FROM s.m')).toEqual([{ plate: 'p1', dose: 0.5 }]);
    expect((await rig.ok('plan')).out).toContain('Nothing to do');
    const size = ['plates.csv', 'more/doses.json', 'more/notes.txt'].reduce(
      (sum, name) => sum + fs.statSync(path.join(rig.folder, 'sources/data', name)).size,
      0,
    );
    const [source] = (await rig.ok('sources', '--json')).json<{ readonly sources: readonly { sizeBytes: number }[] }>()
      .sources;
    // The notes are of no kind that the pattern means.
    expect(source?.sizeBytes).toBe(size - fs.statSync(path.join(rig.folder, 'sources/data/more/notes.txt')).size);
    // The user's files stay the only ones of their bytes.
    expect(fs.statSync(path.join(rig.folder, 'sources/data/plates.csv')).nlink).toBe(1);
  });

  test('that means nothing is an error at the address', async () => {
    rig = makeRig({ 'sources/lab.sql': "SOURCE (name lab, uri 'data/*.csv', license 'CC0-1.0');" });
    expect((await rig.run('plan')).err).toMatch(/lab\.sql:1:\d+.*SL0501.*no file is meant by data\/\*\.csv/);
  });

  test('goes after a file of that name', async () => {
    rig = makeRig({
      'sources/lab.sql': "SOURCE (name lab, uri 'a{1,2}.csv', license 'CC0-1.0');",
      'sources/a{1,2}.csv': 'id\n7\n',
      'sources/a1.csv': 'id\n1\n',
      'models/m.sql': 'MODEL (name s.m, kind FULL);\nSELECT id FROM lab.a_1_2',
    });
    await rig.ok('apply');
    expect(await rig.rows('FROM s.m')).toEqual([{ id: 7 }]);
  });
});

test('matrices of one folder become tables of each, with the names beside them', async () => {
  const matrix = '%%MatrixMarket matrix coordinate integer general\n1 1 1\n1 1 5\n';
  rig = makeRig({
    'sources/geo.sql': "SOURCE (name geo, uri 'm/*', license 'CC0-1.0');",
    ...Object.fromEntries(
      ['GSM1', 'GSM2'].flatMap((sample) => [
        [`sources/m/${sample}_matrix.mtx`, matrix],
        [`sources/m/${sample}_barcodes.tsv`, `${sample}C\n`],
        [`sources/m/${sample}_features.tsv`, 'g1\tG1\tGene Expression\n'],
      ]),
    ),
    'models/m.sql':
      'MODEL (name s.m, kind FULL);\nSELECT obs_name FROM geo.GSM1__obs UNION ALL SELECT obs_name FROM geo.GSM2__obs',
  });
  await rig.ok('apply');
  expect(await rig.rows('FROM s.m ORDER BY obs_name')).toEqual([{ obs_name: 'GSM1C' }, { obs_name: 'GSM2C' }]);
});

describe('files of one kind', () => {
  const project = (options = ''): Rig => {
    rig = makeRig({
      'sources/runs.sql': `SOURCE (name runs, uri 'r/**/*.csv*', license 'CC0-1.0'${options});`,
      'sources/r/a.csv': 'id,value\n1,1.5\n2,\n',
      'sources/r/b.csv': 'ID;note;empty\n3;x;\n',
      'sources/r/2024/c.csv': 'id,value\n4,7\n',
      'sources/r/README.csv': 'words\n',
      'models/m.sql': 'MODEL (name s.m, kind FULL);\nSELECT * FROM runs.runs',
    });
    return rig;
  };

  test('are one table: columns by name, types by all of them, nothing where a file has none', async () => {
    project();
    await rig.ok('apply');
    expect(await rig.rows('SELECT id, value, note FROM s.m ORDER BY id')).toEqual([
      { id: 1, value: 1.5, note: null },
      { id: 2, value: null, note: null },
      { id: 3, value: null, note: 'x' },
      { id: 4, value: 7, note: null },
    ]);
    rig.remove('sources/r/b.csv');
    rig.write({ 'sources/r/d.csv': 'id,value\nfive,\n' });
    await rig.ok('apply');
    expect(await rig.rows('SELECT id FROM s.m ORDER BY id')).toEqual([
      { id: '1' },
      { id: '2' },
      { id: '4' },
      { id: 'five' },
    ]);
  });

  test('say which file a row is from, where that is wanted', async () => {
    project(', format_options (filename = true)');
    await rig.ok('apply');
    expect(await rig.rows('SELECT id, filename FROM s.m ORDER BY id')).toEqual([
      { id: 1, filename: 'a.csv' },
      { id: 2, filename: 'a.csv' },
      { id: 3, filename: 'b.csv' },
      { id: 4, filename: '2024/c.csv' },
    ]);
  });

  test('name the file that is broken', async () => {
    project();
    rig.write({ 'sources/r/b.csv': 'id,value\n1,2,3\n' });
    expect((await rig.run('plan')).err).toMatch(/b\.csv/);
  });
});
