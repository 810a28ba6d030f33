import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { expect } from 'vitest';
import { makeRig, type Rig } from '../support/cli-rig.js';

/** What one run of the suite found. */
export interface KillFigures {
  readonly kills: number;
  /** How often the environment was the old one, and the new one, when the process had been killed. */
  readonly old: number;
  readonly new: number;
  /** Killed runs that had ended by themselves before. */
  readonly late: number;
}

const ROWS_PER_ROUND = 2000;

/**
 * Kills `scilake apply` at random moments, from its start until it would be done, over and over: each round has another
 * raw file and another model text. After each kill a fresh process looks at the environment: all of its tables are of one
 * round, the last that was applied or the new one. In the end nothing is lost and nothing is doubled.
 *
 * @param settings  of `scilake.yaml`, for the catalog
 */
export async function killApplies(settings: string, killCount: number): Promise<KillFigures> {
  const rig = makeRig({ 'scilake.yaml': settings, ...fixedFiles });
  const figures = { kills: 0, old: 0, new: 0, late: 0 };
  try {
    write(rig, 1);
    const began = performance.now();
    await finished(rig);
    const wholeMs = performance.now() - began;
    expect(await roundsOf(rig)).toEqual([1]);
    let round = 1;
    let applied = 1;
    while (figures.kills < killCount) {
      // Every third time the next apply goes on with what the killed one was at; otherwise there is something new to do.
      if (applied === round || figures.kills % 3 !== 0) round += 1;
      write(rig, round);
      const wasLate = await killed(rig, Math.random() * wholeMs * 1.1);
      figures.kills += 1;
      if (wasLate) figures.late += 1;
      const seen = await roundsOf(rig);
      expect(seen).toHaveLength(1);
      const [now = 0] = seen;
      expect([applied, round]).toContain(now);
      if (now === applied) figures.old += 1;
      else figures.new += 1;
      applied = now;
      await countsAre(rig, now);
    }
    await finished(rig);
    expect(await roundsOf(rig)).toEqual([round]);
    await countsAre(rig, round);
    expect((await rig.ok('plan', ...AT)).out).toContain('Nothing to do');
    return figures;
  } finally {
    rig.dispose();
  }
}

/** The models: rows as they are, by time, by key, with an audit; each row carries the round that it is of. */
const fixedFiles = {
  'sources/raw.sql': "SOURCE (name raw, uri 'raw.csv', license 'CC0-1.0');",
  'models/keyed.sql':
    'MODEL (name s.keyed, kind INCREMENTAL_BY_UNIQUE_KEY (unique_key id), audits (unique_values(columns := (id))));\nSELECT id, round FROM s.whole',
  'models/days.sql': `MODEL (name s.days, kind INCREMENTAL_BY_TIME_RANGE (time_column day), start '2024-01-01', cron '@daily', audits (not_null(columns := (day))));
SELECT day, max(round)::INT AS round, count(*)::INT AS n FROM raw.raw WHERE day BETWEEN @start_date AND @end_date GROUP BY day`,
  'models/summed.sql': `MODEL (name s.summed, kind VIEW);
SELECT (SELECT max(round) FROM s.whole) AS whole, (SELECT max(round) FROM s.keyed) AS keyed, (SELECT max(round) FROM s.days) AS days`,
};

function write(rig: Rig, round: number): void {
  const lines = Array.from({ length: ROWS_PER_ROUND }, (_, i) => `${i},2024-01-0${(i % 5) + 1},${round}`);
  rig.write({
    'sources/raw.csv': `id,day,round\n${lines.join('\n')}\n`,
    'models/whole.sql': `MODEL (name s.whole, kind FULL);\nSELECT id, day, round, ${round} AS text_round FROM raw.raw`,
  });
}

const AT: readonly string[] = ['--execution-time', '2024-01-08 00:00:00'];

function program(rig: Rig): ReturnType<typeof spawn> {
  const cli = path.join(import.meta.dirname, '../../dist/cli/main.js');
  return spawn(process.execPath, [cli, '-p', rig.folder, 'apply', '-y', '--wait', '2m', ...AT], { stdio: 'ignore' });
}

async function finished(rig: Rig): Promise<void> {
  const child = program(rig);
  const [code] = await once(child, 'exit');
  expect(code).toBe(0);
}

/** @returns whether it had ended before it was killed */
async function killed(rig: Rig, afterMs: number): Promise<boolean> {
  const child = program(rig);
  const ended = once(child, 'exit');
  await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, afterMs))]);
  const isLate = child.exitCode !== null;
  child.kill('SIGKILL');
  await ended;
  return isLate;
}

/** The rounds that the tables of the environment are of: one, or readers see a mixture. */
async function roundsOf(rig: Rig): Promise<readonly number[]> {
  const [row] = await rig.rows<Readonly<Record<string, number>>>(
    `SELECT whole, keyed, days,
  (SELECT max(round)::INT FROM raw.raw) AS raw_round,
  (SELECT max(text_round)::INT FROM s.whole) AS text_round FROM s.summed`,
  );
  return [...new Set(Object.values(row ?? {}).map(Number))];
}

async function countsAre(rig: Rig, round: number): Promise<void> {
  const [row] = await rig.rows(
    `SELECT (SELECT count(*)::INT FROM raw.raw) AS raw, (SELECT count(*)::INT FROM s.whole) AS whole,
  (SELECT count(*)::INT FROM s.keyed) AS keyed, (SELECT count(DISTINCT id)::INT FROM s.keyed) AS ids,
  (SELECT count(*)::INT FROM s.days) AS days, (SELECT sum(n)::INT FROM s.days) AS in_days,
  (SELECT count(*)::INT FROM s.keyed WHERE round <> ${round}) AS others`,
  );
  expect(row).toEqual({
    raw: ROWS_PER_ROUND,
    whole: ROWS_PER_ROUND,
    keyed: ROWS_PER_ROUND,
    ids: ROWS_PER_ROUND,
    days: 5,
    in_days: ROWS_PER_ROUND,
    others: 0,
  });
}

/** How many kills: the short form in CI, the long one where SCILAKE_KILLS says so. */
export function killCount(short: number): number {
  return Number(process.env.SCILAKE_KILLS ?? short);
}

/** Writes the figures of a long run beside the others, where SCILAKE_KILLS_RESULT names a file. */
export function report(name: string, figures: KillFigures): void {
  const file = process.env.SCILAKE_KILLS_RESULT;
  if (file !== undefined) fs.appendFileSync(file, `${JSON.stringify({ name, ...figures })}\n`);
}
