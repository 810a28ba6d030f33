import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { contend, contendedProject } from '../crash/concurrent-applies.js';
import { makeRig, type Rig } from '../support/cli-rig.js';
import { hasPostgres, PostgresServer } from './postgres.js';

describe.skipIf(!hasPostgres())('a lake with its catalog in PostgreSQL', () => {
  let server: PostgresServer;
  let rig: Rig;
  let number = 0;
  beforeAll(async () => {
    server = await PostgresServer.start();
  });
  afterAll(() => server.stop());
  beforeEach(() => {
    number += 1;
    rig = makeRig({
      'scilake.yaml': `lake: {catalog: '${server.address}', schema: lake_${number}, data: data}\n`,
      ...contendedProject,
    });
  });
  afterEach(() => rig.dispose());

  test('plans, applies, remembers and goes back as one with a file does', async () => {
    expect((await rig.run('query', 'FROM s.m')).err).toMatch(/SL0710.*there is no lake yet/);
    await rig.ok('apply');
    expect((await rig.ok('plan')).out).toContain('Nothing to do');
    rig.write({ 'models/m.sql': 'MODEL (name s.m, kind FULL);\nSELECT id, x * 2 AS x FROM a.a' });
    await rig.ok('apply', 'dev');
    expect(await rig.rows('FROM s.v', 'dev')).toEqual([{ total: 60 }]);
    expect(await rig.rows('FROM s.v')).toEqual([{ total: 30 }]);
    await rig.ok('apply');
    expect(await rig.rows('FROM s.v')).toEqual([{ total: 60 }]);
    const { promotions } = (await rig.ok('log', '--env', 'prod', '--json')).json<{
      readonly promotions: readonly { readonly plan: string }[];
    }>();
    expect(promotions).toHaveLength(2);
    const first = promotions[1]?.plan ?? '';
    expect((await rig.ok('query', 'FROM s.v', '--at', first, '--json')).json()).toEqual([{ total: 30 }]);
    await rig.ok('rollback', 'prod', '--to', first, '-y');
    expect(await rig.rows('FROM s.v')).toEqual([{ total: 30 }]);
    await rig.ok('destroy', '-y');
    expect((await rig.run('query', 'FROM s.m')).err).toMatch(/SL0710/);
  });

  test('that does not answer is an error without its password', async () => {
    rig.write({ 'scilake.yaml': "lake: {catalog: 'postgres://scilake@127.0.0.1:1/none', data: data}\n" });
    const { code, err } = await rig.run('plan');
    expect(code).toBe(1);
    expect(err).toMatch(/SL0716.*127\.0\.0\.1:1\/none does not answer: connection to server/);
    rig.write({ 'scilake.yaml': "lake: {catalog: 'postgres://scilake:secret@127.0.0.1:1/none', data: data}\n" });
    const refused = await rig.run('plan');
    expect(refused.err).toMatch(/scilake\.yaml:1:\d+.*SL0108.*holds a password/);
  });

  test('lets applies and an ingest run at once: no row is lost or doubled', async () => {
    await contend(rig);
  });
});
