import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as path from 'node:path';
import { expect } from 'vitest';
import { EXECUTION_TIME, type Rig } from '../support/cli-rig.js';

/** A project whose rows tell when they are lost or doubled. */
export const contendedProject = {
  'sources/a.sql': "SOURCE (name a, uri 'a.csv', license 'CC0-1.0');",
  'sources/a.csv': 'id,x\n1,10\n2,20\n',
  'models/m.sql': 'MODEL (name s.m, kind FULL);\nSELECT id, x FROM a.a',
  'models/v.sql': 'MODEL (name s.v, kind VIEW);\nSELECT sum(x)::INT AS total FROM s.m',
};

/**
 * Applies two environments, one of them twice, and ingests a changed source, all at once, as processes of their own that
 * wait for each other. Each ends well, and every table has each row once.
 */
export async function contend(rig: Rig): Promise<void> {
  await rig.ok('apply');
  rig.write({
    'models/m.sql': 'MODEL (name s.m, kind FULL);\nSELECT id, x + i AS x FROM a.a, range(20000) AS t(i)',
    'models/k.sql': 'MODEL (name s.k, kind INCREMENTAL_BY_UNIQUE_KEY (unique_key x));\nSELECT DISTINCT x FROM s.m',
    'sources/b.sql': "SOURCE (name b, uri 'b.csv', license 'CC0-1.0');",
    'sources/b.csv': `id\n${Array.from({ length: 5000 }, (_, i) => i).join('\n')}\n`,
  });
  const ended = await Promise.all([
    commandOf(rig, 'apply', 'one'),
    commandOf(rig, 'apply', 'two'),
    commandOf(rig, 'apply', 'one'),
    commandOf(rig, 'ingest', 'b'),
  ]);
  expect(ended.map(({ code, err }) => (code === 0 ? '' : err))).toEqual(['', '', '', '']);
  for (const environment of ['one', 'two']) {
    expect(await rig.rows('SELECT count(*)::INT AS n FROM s.m', environment)).toEqual([{ n: 40_000 }]);
    expect(await rig.rows('SELECT count(*)::INT AS n, count(DISTINCT x)::INT AS d FROM s.k', environment)).toEqual([
      { n: 20_010, d: 20_010 },
    ]);
    expect(await rig.rows('SELECT count(*)::INT AS n FROM b.b', environment)).toEqual([{ n: 5000 }]);
  }
}

async function commandOf(
  rig: Rig,
  ...argv: readonly string[]
): Promise<{ readonly code: number; readonly err: string }> {
  const cli = path.join(import.meta.dirname, '../../dist/cli/main.js');
  const child = spawn(process.execPath, [cli, '-p', rig.folder, ...argv, '-y', '--wait', '3m'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, SCILAKE_EXECUTION_TIME: EXECUTION_TIME },
  });
  let err = '';
  child.stderr?.on('data', (text) => {
    err += text;
  });
  await once(child, 'exit');
  return { code: child.exitCode ?? -1, err };
}
