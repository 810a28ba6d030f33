import type { BoundSource } from '../domain/bound-project.js';
import type { StepOutcome } from '../domain/event.js';
import type { Plan } from '../domain/plan.js';
import type {
  DatasetRecord,
  IngestionRecord,
  ModelRunRecord,
  Origin,
  RunFacts,
  RunRecord,
  SourceFile,
} from '../domain/provenance.js';
import { spdxOf } from '../domain/spdx.js';
import { subjectOf } from '../domain/step.js';

export interface AppliedFacts {
  readonly run: RunRecord;
  readonly plan: Plan;
  readonly outcomes: readonly StepOutcome[];
  readonly sources: readonly BoundSource[];
  readonly originOf: (source: BoundSource) => Origin;
  /** Files of the sources that are sets, by source. */
  readonly files: ReadonlyMap<string, readonly SourceFile[]>;
  readonly audits: readonly {
    readonly model: string;
    readonly audit: string;
    readonly status: string;
    readonly rowCount: number;
  }[];
}

/** What one apply leaves in provenance, from its plan and how the plan's steps ended. */
export function runFacts({ run, plan, outcomes, sources, originOf, files, audits }: AppliedFacts): RunFacts {
  const bySubject = new Map<string, StepOutcome[]>();
  for (const outcome of outcomes) {
    const subject = subjectOf(outcome.step);
    if (subject !== undefined) bySubject.set(subject, [...(bySubject.get(subject) ?? []), outcome]);
  }
  const ingestions = sources.flatMap((source): readonly IngestionRecord[] => {
    const own = bySubject.get(source.source.name) ?? [];
    if (own.length === 0) return [];
    const registered = own.find(({ step }) => step.type === 'register');
    return [
      {
        ...originFacts(originOf(source)),
        source: source.source.name,
        version: source.version,
        ...ending(own),
        format: source.format,
        checksumDeclared: source.source.checksum ?? '',
        sha256: source.sha256,
        rows: registered?.rows ?? null,
        dataset: datasetOf(source),
        files: registered?.status === 'done' ? (files.get(source.source.name) ?? []) : [],
      },
    ];
  });
  const models = plan.snapshots.flatMap((snapshot): readonly ModelRunRecord[] => {
    const own = (bySubject.get(snapshot.key) ?? []).filter(({ status }) => status !== 'unchanged');
    const version = plan.target.models[snapshot.key]?.version;
    if (own.length === 0 || version === undefined) return [];
    const filled = own.filter(({ step }) => step.type === 'backfill' && snapshot.storage === 'table');
    const rows = filled.length === 0 ? null : filled.reduce((sum, outcome) => sum + (outcome.rows ?? 0), 0);
    return [
      {
        model: snapshot.key,
        fingerprint: snapshot.fingerprint,
        version,
        ...ending(own),
        rows,
        audits: audits
          .filter((one) => one.model === snapshot.key)
          .map(({ audit, status, rowCount }) => ({ audit, status, rows: rowCount })),
      },
    ];
  });
  return {
    run,
    datasets: sources.map(datasetOf),
    ingestions,
    schemas: sources.flatMap((source) => {
      const isDone = ingestions.some((one) => one.source === source.source.name && one.status === 'done');
      if (!isDone) return [];
      return source.elements.map(({ table, columns }) => ({ source: source.source.name, table, columns }));
    }),
    models,
  };
}

/** The declaration, and what the place says where that says nothing. */
function datasetOf({ source, facts = {}, resolved = '' }: BoundSource): DatasetRecord {
  const licenseText = source.license || (facts.license ?? '');
  return {
    source: source.name,
    uri: source.uri,
    accession: source.accession || (facts.accession ?? ''),
    doi: source.doi || (facts.doi ?? ''),
    conceptDoi: facts.conceptDoi ?? '',
    resolved,
    title: facts.title ?? '',
    license: spdxOf(licenseText) ?? '',
    licenseText,
    citation: source.citation || (facts.citation ?? ''),
    homepage: source.homepage,
    description: source.description,
  };
}

function originFacts({ url, finalUrl, etag, lastModified, fetchedAt, sizeBytes }: Origin): Origin {
  return { url, finalUrl, etag, lastModified, fetchedAt, sizeBytes };
}

function ending(outcomes: readonly StepOutcome[]): Pick<IngestionRecord, 'status' | 'elapsedMs' | 'error'> {
  const failed = outcomes.find(({ status }) => status === 'failed');
  const skipped = outcomes.find(({ status }) => status === 'skipped');
  return {
    status: failed !== undefined ? 'failed' : skipped !== undefined ? 'skipped' : 'done',
    elapsedMs: outcomes.reduce((sum, { elapsedMs }) => sum + elapsedMs, 0),
    error: (failed ?? skipped)?.error?.message ?? '',
  };
}
