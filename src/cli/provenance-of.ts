import { isRecord } from '../domain/json.js';
import type { ModelProvenance, Provenance, RunProvenance, SourceProvenance } from '../domain/provenance.js';
import { columnKey } from '../domain/query-print.js';
import type { Environment, LakeState, Snapshot } from '../domain/snapshot.js';
import { spdxOf } from '../domain/spdx.js';
import type { SqliteRow } from '../effects/sqlite.js';
import { columnGraph, sourceColumns } from '../lineage/column-graph.js';
import type { Contents } from '../metadata/contents.js';
import { inheritLicenses } from '../metadata/licenses.js';

export interface ProvenanceRequest {
  readonly snapshot: Snapshot;
  readonly column: string | undefined;
  readonly environment: Environment;
  readonly state: LakeState;
  readonly contents: Contents;
}

export function provenanceOf({ snapshot, column, environment, state, contents }: ProvenanceRequest): Provenance {
  const snapshots = new Map(
    Object.entries(environment.models).flatMap(([key, { fingerprint }]): readonly [string, Snapshot][] => {
      const one = state.snapshots.get(fingerprint);
      return one === undefined ? [] : [[key, one]];
    }),
  );
  const graph = columnGraph([...snapshots.values()].map(({ key, lineage }) => ({ key, lineage })));
  const names = column === undefined ? snapshot.columns.map(({ name }) => name) : [column];
  const values = sourceColumns(
    graph,
    names.map((name) => columnKey(snapshot.key, name)),
  );
  const rows = sourceColumns(graph, [snapshot.key]);
  const { columnDescriptions } = snapshot.definition;
  const descriptions = isRecord(columnDescriptions) ? columnDescriptions : {};
  const upstream = withParents(snapshot, snapshots);
  const read = new Set(upstream.flatMap(({ parents }) => parents.map((parent) => parent.split('.')[0] ?? '')));
  const sources = Object.entries(environment.sources).flatMap(([source, version]): readonly SourceProvenance[] => {
    const of = (columns: readonly string[]): readonly string[] =>
      columns.filter((name) => name.startsWith(`${source}.`));
    const [inValues, inRows] = [of(values), of(rows)];
    // A table whose lineage is unknown may come from all that it reads.
    const isCertain = upstream.every(({ lineage }) => lineage.known);
    if (inValues.length + inRows.length === 0 && (isCertain || !read.has(source))) return [];
    return [{ ...sourceFacts(source, version, contents), values: inValues, rows: inRows }];
  });
  const models = upstream.map((one) => modelFacts(one, environment, contents));
  const runs = new Set([...sources.map(({ run }) => run), ...models.map(({ run }) => run)]);
  return {
    model: snapshot.key,
    column,
    environment: environment.name,
    plan: environment.planId,
    description: textOf(snapshot.definition.description),
    columns: snapshot.columns.map(({ name, type }) => ({
      name,
      type,
      description: textOf(descriptions[name.toLowerCase()]),
      from: sourceColumns(graph, [columnKey(snapshot.key, name)]),
    })),
    sources,
    models,
    runs: (contents.get('runs') ?? []).filter((row) => runs.has(text(row, 'run_id'))).map(runFactsOf),
    licenses: inheritLicenses(sources),
  };
}

function withParents(snapshot: Snapshot, snapshots: ReadonlyMap<string, Snapshot>): readonly Snapshot[] {
  const found = new Map<string, Snapshot>();
  const visit = (one: Snapshot): void => {
    if (found.has(one.key)) return;
    for (const parent of one.parents) {
      const above = snapshots.get(parent);
      if (above !== undefined && above !== one) visit(above);
    }
    found.set(one.key, one);
  };
  visit(snapshot);
  return [...found.values()];
}

function sourceFacts(source: string, version: string, contents: Contents): Omit<SourceProvenance, 'values' | 'rows'> {
  const dataset = (contents.get('datasets') ?? []).find((row) => row.source === source);
  const run = (contents.get('ingestion_runs') ?? []).findLast(
    (row) => row.source === source && row.version === version && row.status === 'done',
  );
  const ofRun = (name: string): string => text(run, name);
  const ofDataset = (name: string): string => text(dataset, name);
  // Where its address stands for another version since, what was known when these rows came is what holds of them.
  const hasMoved = run !== undefined && ofRun('resolved') !== '' && ofRun('resolved') !== ofDataset('resolved');
  const known = (name: string): string => (hasMoved ? ofRun(name) : ofDataset(name));
  return {
    source,
    version,
    uri: ofDataset('uri'),
    url: ofRun('url'),
    finalUrl: ofRun('final_url'),
    sha256: ofRun('sha256'),
    checksumDeclared: ofRun('checksum_declared'),
    sizeBytes: count(run, 'size_bytes'),
    etag: ofRun('etag'),
    lastModified: ofRun('last_modified'),
    fetchedAt: ofRun('fetched_at'),
    format: ofRun('format'),
    accession: known('accession'),
    doi: known('doi'),
    conceptDoi: known('concept_doi'),
    resolved: known('resolved'),
    title: known('title'),
    license: hasMoved ? (spdxOf(ofRun('license_text')) ?? '') : ofDataset('license'),
    licenseText: known('license_text'),
    citation: known('citation'),
    homepage: ofDataset('homepage'),
    run: ofRun('run_id'),
    files: (contents.get('ingestion_files') ?? [])
      .filter((row) => row.source === source && row.version === version)
      .map((row) => ({
        name: text(row, 'name'),
        placeVersion: text(row, 'place_version'),
        sizeBytes: count(row, 'size_bytes') ?? 0,
        sha256: text(row, 'sha256'),
        url: text(row, 'url'),
        fetchedAt: text(row, 'fetched_at'),
      })),
  };
}

function modelFacts(snapshot: Snapshot, environment: Environment, contents: Contents): ModelProvenance {
  const version = environment.models[snapshot.key]?.version ?? snapshot.version;
  const run = (contents.get('model_runs') ?? []).findLast(
    (row) => row.model === snapshot.key && row.version === version && row.status === 'done',
  );
  return {
    model: snapshot.key,
    kind: snapshot.kindName,
    file: snapshot.file,
    fingerprint: snapshot.fingerprint,
    version,
    run: text(run, 'run_id'),
    rows: count(run, 'rows'),
    audits: text(run, 'audits'),
    text: snapshot.text,
  };
}

function runFactsOf(row: SqliteRow): RunProvenance {
  return {
    run: text(row, 'run_id'),
    plan: text(row, 'plan_id'),
    author: text(row, 'author'),
    startedAt: text(row, 'started_at'),
    finishedAt: text(row, 'finished_at'),
    gitCommit: text(row, 'git_commit'),
    isGitDirty: row.git_dirty === 1,
    snapshotBefore: count(row, 'snapshot_before'),
    snapshotAfter: count(row, 'snapshot_after'),
    tools: text(row, 'tools'),
  };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function text(row: SqliteRow | undefined, name: string): string {
  return String(row?.[name] ?? '');
}

function count(row: SqliteRow | undefined, name: string): number | null {
  const value = row?.[name];
  return typeof value === 'number' ? value : null;
}
