import { expect, test } from 'vitest';
import { writeElements } from '../../src/convert/element.js';
import { axisFrame } from '../../src/convert/memory-table.js';
import { duckdb } from '../../src/effects/duckdb.js';
import { temporaryFolder } from './support.js';

const folder = temporaryFolder();

async function warningsOf(table: string, names: readonly (string | null)[]): Promise<readonly string[]> {
  const database = await duckdb.open();
  try {
    const at = { path: 'obs', table, key: 'cell_idx', columns: [], indexName: null, warnsOfDuplicates: true } as const;
    const [part] = await writeElements([axisFrame({ ...at, names })], { database, folder, displayName: 'x' });
    return part?.warnings ?? [];
  } finally {
    database.close();
  }
}

test('repeated names are counted, however many there are', async () => {
  const names = Array.from({ length: 150_000 }, (_, i) => `cell-${i}`);
  expect(await warningsOf('different', names)).toEqual([]);
  expect(await warningsOf('none', [])).toEqual([]);
  // Two of one name, three of another, and one that is missing.
  const repeated = names.map((name, i) => (i === 149_999 ? 'cell-1' : i === 70_000 || i === 80_000 ? 'cell-2' : name));
  expect(await warningsOf('repeated', [...repeated, null])).toEqual([
    'obs: 4 values of obs_name are duplicates; join by the index column, not by name',
  ]);
});
