import type { Transaction } from '../catalog/lake-session.js';
import { stateWriter } from '../catalog/state-tables.js';
import { DiagnosticError } from '../domain/diagnostic.js';
import type { FillStatement } from '../domain/kind.js';
import { ident, inLake } from '../domain/names.js';
import { builtKey, physicalTable } from '../domain/snapshot.js';
import type { Step } from '../domain/step.js';
import { computeRows, dropComputed } from './compute-rows.js';
import { modelOf, nameInlineParents, orThrow } from './model-steps.js';
import { dropChanges, type ReadChanges, readChanges } from './read-changes.js';
import { auditLoad, keepingFailures } from './recorded-audits.js';
import type { Work } from './work.js';

const STAGING = ident('__scilake_staging');

/**
 * Fills one interval of a version: write, audit, record, all in one transaction. A blocking audit that finds rows rolls
 * everything back, so that neither a promoted table nor the record of intervals ever shows a bad load.
 *
 * @returns rows written; undefined for a view, which has none
 */
export async function backfill(
  step: Extract<Step, { readonly type: 'backfill' }>,
  work: Work,
): Promise<number | undefined> {
  const { snapshot, program } = modelOf(step.model, work);
  const table = inLake(physicalTable(snapshot, step.version));
  const { interval } = step;
  const key = builtKey(snapshot, step.version);
  await nameInlineParents(snapshot, work);
  await runBefore(orThrow(program.statements('before', interval, table)), work);
  const read = await changesFor(step, work);
  const isWhole = step.replaces === true || read?.mode === 'whole';
  const computed = program.code === undefined ? undefined : await computeRows(program.code, snapshot, interval, work);
  const note = work.note(`build ${step.model}`, `build/${step.model}/${interval.start}-${interval.end}`);
  const load = () =>
    work.session.transaction(note, async (transaction) => {
      const statements =
        snapshot.storage === 'view' || read?.mode === 'unchanged'
          ? []
          : program.kind.fill({
              target: table,
              staging: STAGING,
              columns: snapshot.columns,
              query: computed ?? orThrow(program.query(interval)),
              interval,
              isEmpty: isWhole || !work.filled.has(key),
              ...(read?.changes === undefined ? {} : { changes: read.changes }),
              partitionedBy: textList(snapshot.definition.partitionedBy),
              executionTime: work.plan.options.executionTime,
            });
      if (isWhole && work.filled.has(key)) await transaction.run(`DELETE FROM ${table}`);
      const written = await fill(statements, transaction, program.location);
      for (const statement of orThrow(program.statements('after', interval, table))) await transaction.run(statement);
      await auditLoad(transaction, { snapshot, version: step.version, interval }, work);
      const writer = stateWriter(transaction, work.plan.id, work.effects.now());
      if (read !== undefined) await writer.consumed(key, read.parent, read.snapshotId);
      await writer.interval(key, interval);
      return written;
    });
  const rows = await keepingFailures(`${step.model} ${step.version}`, work, load);
  work.filled.add(key);
  if (computed !== undefined) await dropComputed(work);
  if (read?.changes !== undefined) await dropChanges(work);
  if (program.kind.usesStaging)
    await work.session.exclusively((database) => database.run(`DROP TABLE IF EXISTS temp.${STAGING}`));
  return snapshot.storage === 'view' ? undefined : rows;
}

/** What changed in the parent, for a kind that reads no more than that. */
async function changesFor(
  { model, version, interval, replaces }: Extract<Step, { readonly type: 'backfill' }>,
  work: Work,
): Promise<ReadChanges | undefined> {
  const { snapshot, program } = modelOf(model, work);
  if (program.kind.readsChanges !== true) return undefined;
  const read = await readChanges(snapshot, version, orThrow(program.query(interval)), work);
  return replaces === true && read.mode !== 'whole' ? { ...withoutChanges(read), mode: 'whole' } : read;
}

function withoutChanges({ parent, snapshotId }: ReadChanges): Pick<ReadChanges, 'parent' | 'snapshotId'> {
  return { parent, snapshotId };
}

function textList(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

/** Statements before the query may write to memory (macros, settings); the lake's transaction may not. */
async function runBefore(statements: readonly string[], work: Work): Promise<void> {
  if (statements.length === 0) return;
  await work.session.exclusively(async (database) => {
    for (const statement of statements) await database.run(statement);
  });
}

async function fill(
  statements: readonly FillStatement[],
  transaction: Transaction,
  location: Work['project']['models'][number]['model']['location'],
): Promise<number> {
  let written = 0;
  for (const statement of statements) {
    if (statement.type === 'write') {
      const [changed] = await transaction.rows(statement.sql);
      if (statement.countsRows) written += Number(changed?.Count ?? 0);
      continue;
    }
    const broken = await transaction.rows(`SELECT * FROM (${statement.sql}\n) AS checked LIMIT 3`);
    if (broken.length === 0) continue;
    const sample = broken
      .map((row) =>
        Object.entries(row)
          .map(([name, value]) => `${name} = ${String(value)}`)
          .join(', '),
      )
      .join('; ');
    throw new DiagnosticError([
      {
        code: statement.code,
        severity: 'error',
        message: `${statement.message}: ${sample}`,
        location,
        hint: statement.hint,
      },
    ]);
  }
  return written;
}
