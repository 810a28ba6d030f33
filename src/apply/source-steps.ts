import * as path from 'node:path';
import { registerDataset } from '../catalog/register.js';
import type { PointedName } from '../catalog/run-catalog.js';
import { stateWriter } from '../catalog/state-tables.js';
import { applyContract } from '../convert/index.js';
import type { BoundSource } from '../domain/bound-project.js';
import type { Conversion } from '../domain/convert.js';
import { DiagnosticError } from '../domain/diagnostic.js';
import { physicalName } from '../domain/names.js';
import type { Dataset } from '../domain/snapshot.js';
import { land } from '../ingest/land.js';
import { openLimits } from '../ingest/limits.js';
import type { Work } from './work.js';

/** Brings the raw file here once more, as it is now, and holds it against what was planned. */
export async function fetchSource(name: string, work: Work): Promise<undefined> {
  const source = sourceOf(name, work);
  const limits = openLimits(work.project.project.config.ingest);
  const landed = await land(source.source, { ...work.effects, limits, planned: source.sha256 });
  if (!landed.ok) throw new DiagnosticError(landed.errors);
  if (landed.value.sha256 !== source.sha256) {
    throw new DiagnosticError([
      {
        code: 'SL0505',
        severity: 'error',
        message: `source "${name}" changed after the plan was made`,
        location: source.source.uriLocation,
        hint: 'make a new plan',
      },
    ]);
  }
  return undefined;
}

/** Converts the raw file into the staging folder. @returns rows of all its tables */
export async function convertSource(name: string, work: Work): Promise<number> {
  const conversion = await convertOnce(sourceOf(name, work), work);
  return conversion.elements.reduce((sum, element) => sum + element.rows, 0);
}

export async function registerSource(name: string, work: Work): Promise<number> {
  const source = sourceOf(name, work);
  const { elements } = await convertOnce(source, work);
  const dataset: Dataset = {
    source: name,
    version: source.version,
    sha256: source.sha256,
    format: source.format,
    elements: elements.map(({ path: elementPath, table, kind, columns }) => ({
      path: elementPath,
      table,
      kind,
      columns,
    })),
  };
  const folder = stagingFolder(source, work);
  const manifest = work.effects.files.readText(path.join(folder, 'manifest.json'));
  const rows = await registerDataset(work.session, work.effects.files, {
    source: name,
    version: source.version,
    folder,
    elements,
    note: (what) => work.note(`${what} of source ${name}`, `register/${name}/${source.version}/${what}`),
    record: (transaction) => stateWriter(transaction, work.plan.id, work.effects.now()).dataset(dataset, manifest),
  });
  await work.runCatalog.pointAt(dataset.elements.map((element) => sourceTable(name, element.table, source.version)));
  work.datasets.set(`${name}@${source.version}`, dataset);
  // The lake has links of its own now.
  work.effects.files.remove(folder);
  work.conversions.delete(name);
  return rows;
}

/** A source's table by its logical name, and the physical one of a version. */
export function sourceTable(source: string, table: string, version: string): PointedName {
  const name = { schema: source, table: table.toLowerCase() };
  return { name, physical: physicalName(name, version) };
}

async function convertOnce(source: BoundSource, work: Work): Promise<Conversion> {
  const { name } = source.source;
  if (!work.conversions.has(name)) {
    // The others go along while this one runs: several files at once, as far as memory and processors allow.
    for (const other of [source, ...waiting(work)]) {
      if (work.conversions.has(other.source.name)) continue;
      const conversion = convertInto(other, work);
      // Whoever needs it hears of its failure; nobody else has to.
      conversion.catch(() => {});
      work.conversions.set(other.source.name, conversion);
    }
  }
  work.reported = name;
  const conversion = work.conversions.get(name);
  if (conversion === undefined) throw new Error(`${name} is not converted`);
  return conversion;
}

/** Sources that the plan converts. */
function waiting(work: Work): readonly BoundSource[] {
  return work.plan.steps.flatMap((step) => (step.type === 'convert' ? [sourceOf(step.source, work)] : []));
}

async function convertInto(source: BoundSource, work: Work): Promise<Conversion> {
  const { name } = source.source;
  const out = stagingFolder(source, work);
  const { files, stagingFolder: staging } = work.effects;
  files.remove(out);
  files.makeFolder(staging);
  // What a stopped conversion of another version of the file left is of no use any more.
  for (const entry of files.entries(staging)) {
    if (entry.startsWith(`.${name}-`) && !entry.startsWith(`.${path.basename(out)}.`))
      files.remove(path.join(staging, entry));
  }
  work.converter ??= work.effects.converter(work.project.project.config.convert);
  const converter = await work.converter;
  const converted = await converter.convert(
    {
      file: source.path,
      displayName: source.source.uri,
      format: source.format,
      options: source.source.formatOptions,
      out,
    },
    (done, total, unit, element) => {
      if (work.reported === name) work.progress(done, total, unit, element);
    },
  );
  if (!converted.ok)
    throw new DiagnosticError(converted.errors.map((error) => ({ location: source.source.uriLocation, ...error })));
  const conversion =
    source.found === undefined
      ? converted.value
      : await applyContract(
          converted.value,
          { folder: out, allowed: source.elements, contract: source.source.contract },
          work.effects,
        );
  for (const warning of conversion.warnings) {
    work.effects.emit({
      type: 'diagnostic',
      diagnostic: {
        code: 'SL0600',
        severity: 'warning',
        message: `source "${name}": ${warning}`,
        location: source.source.location,
      },
    });
  }
  return conversion;
}

function stagingFolder(source: BoundSource, work: Work): string {
  return path.join(work.effects.stagingFolder, `${source.source.name}-${source.version}`);
}

function sourceOf(name: string, work: Work): BoundSource {
  const source = work.project.sources.find((candidate) => candidate.source.name === name);
  if (source === undefined) throw new Error(`the plan names source ${name}, the project does not`);
  return source;
}
