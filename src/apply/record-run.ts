import * as path from 'node:path';
import { planAuditResults } from '../catalog/audit-results.js';
import type { LakeSession } from '../catalog/lake-session.js';
import { messageOf } from '../domain/diagnostic.js';
import { digest } from '../domain/digest.js';
import type { ProjectConfig } from '../domain/project.js';
import type { RunRecord, SourceFile } from '../domain/provenance.js';
import type { Git } from '../effects/git.js';
import type { OpenSqlite } from '../effects/sqlite.js';
import { filesOf } from '../ingest/files-of.js';
import { originOf } from '../ingest/origin.js';
import { metadataPlaces } from '../metadata/places.js';
import { runFacts } from '../metadata/run-facts.js';
import { MetadataStore } from '../metadata/store.js';
import type { AppliedPlan } from './apply-plan.js';
import type { ApplyEffects, ApplyRequest } from './work.js';

export interface RecordEffects extends ApplyEffects {
  readonly git: Git;
  readonly openSqlite: OpenSqlite;
  /** Versions of the programs that run here, by name. */
  readonly tools: Readonly<Record<string, string>>;
}

/**
 * Writes what an apply did into provenance, and tells git. What cannot be written is a warning: the lake has moved, and
 * its own record stands.
 */
export async function recordRun(
  { plan, project, session, head, startedAt }: ApplyRequest,
  applied: AppliedPlan,
  effects: RecordEffects,
): Promise<void> {
  const { config } = project.project;
  const { files, projectFolder } = effects;
  try {
    const configFile = path.join(projectFolder, 'scilake.yaml');
    const run: RunRecord = {
      // The time comes first, so that names are in the order of the runs.
      runId: `${startedAt.toISOString().replace(/[-:.]/g, '')}-${digest(plan.id, String(plan.target.sequence), startedAt.toISOString()).slice(0, 8)}`,
      planId: plan.id,
      environment: plan.environment,
      status: applied.status === 'failed' ? 'failed' : 'applied',
      author: effects.author,
      startedAt: startedAt.toISOString(),
      finishedAt: effects.now().toISOString(),
      snapshotBefore: plan.lakeSnapshot,
      snapshotAfter: applied.lakeSnapshot,
      gitCommit: head?.commit ?? '',
      isGitDirty: head?.isDirty ?? false,
      configHash: files.facts(configFile) === undefined ? '' : digest(files.readText(configFile)),
      tools: { ...effects.tools, ...(await engineVersions(session)) },
    };
    const audits = await session.exclusively((database) => planAuditResults(database, plan.id));
    const registered = new Set(
      applied.outcomes.flatMap(({ step, status }) =>
        step.type === 'register' && status === 'done' ? [step.source] : [],
      ),
    );
    const listed = new Map<string, readonly SourceFile[]>();
    for (const source of project.sources)
      if (registered.has(source.source.name)) listed.set(source.source.name, await filesOf(source, effects));
    const facts = runFacts({
      run,
      plan,
      outcomes: applied.outcomes,
      sources: project.sources,
      audits,
      originOf: (source) => originOf(source, effects),
      files: listed,
    });
    const store = MetadataStore.open(metadataPlaces(projectFolder, config), effects);
    try {
      store.record(facts);
      // What failed is kept for the next success: a broken run alone is no reason for a commit.
      if (run.status === 'applied' && store.publish() && head !== undefined) await tellGit(config, run, effects);
    } finally {
      store.close();
    }
  } catch (thrown) {
    effects.emit({
      type: 'diagnostic',
      diagnostic: {
        code: 'SL0901',
        severity: 'warning',
        message: `the run is not written into provenance: ${messageOf(thrown)}`,
        hint: `what the lake records of it stands; look at ${config.metadata.file}`,
      },
    });
  }
}

async function tellGit({ metadata }: ProjectConfig, run: RunRecord, effects: RecordEffects): Promise<void> {
  const { git, projectFolder } = effects;
  try {
    if (metadata.git === 'stage') await git.stage(projectFolder, [metadata.file]);
    if (metadata.git === 'commit')
      await git.commit(
        projectFolder,
        [metadata.file],
        `scilake: provenance of ${run.environment}, plan ${run.planId}\n\nRun ${run.runId}, lake snapshot ${run.snapshotAfter}.`,
      );
  } catch (thrown) {
    effects.emit({
      type: 'diagnostic',
      diagnostic: {
        code: 'SL0902',
        severity: 'warning',
        message: `git did not take ${metadata.file}: ${messageOf(thrown)}`,
        hint: `commit it yourself, or write metadata: {git: leave} in scilake.yaml`,
      },
    });
  }
}

async function engineVersions(session: LakeSession): Promise<Readonly<Record<string, string>>> {
  const [row] = await session.exclusively((database) =>
    database.rows(
      "SELECT version() AS duckdb, (SELECT extension_version FROM duckdb_extensions() WHERE extension_name = 'ducklake') AS ducklake",
    ),
  );
  return { duckdb: String(row?.duckdb ?? ''), ducklake: String(row?.ducklake ?? '') };
}
