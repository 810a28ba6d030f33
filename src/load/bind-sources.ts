import * as path from 'node:path';
import { CONVERTER_VERSION, inputFiles, inspectFile } from '../convert/index.js';
import type { BoundSource } from '../domain/bound-project.js';
import { isDiscarding, underContract } from '../domain/contract.js';
import type { ElementSchema } from '../domain/convert.js';
import { type Diagnostic, type Result, succeed } from '../domain/diagnostic.js';
import { canonicalJson, digest } from '../domain/digest.js';
import { isRecord, items, records, textAt } from '../domain/json.js';
import type { JsonValue } from '../domain/kind.js';
import type { Source } from '../domain/model.js';
import type { DuckDb } from '../effects/duckdb.js';
import { inOrder } from '../ingest/in-order.js';
import { type LandEffects, type Landing, land } from '../ingest/land.js';

export interface BindSourceEffects extends LandEffects {
  readonly duckdb: DuckDb;
  /** Tables that the lake has of each source, by its name; asked for only where a contract leaves things out. */
  readonly recordedTables?: () => Promise<ReadonlyMap<string, readonly ElementSchema[]>>;
}

/** Finds each source's raw file and the tables that it holds, without converting anything. Broken ones are left out and reported. */
export async function bindSources(
  sources: readonly Source[],
  effects: BindSourceEffects,
): Promise<{ readonly sources: readonly BoundSource[]; readonly diagnostics: readonly Diagnostic[] }> {
  const bound: BoundSource[] = [];
  const diagnostics: Diagnostic[] = [];
  // They arrive side by side; they are looked into one after another, for that may take memory.
  const landing = inOrder(
    (async function* () {
      yield* sources;
    })(),
    effects.limits?.atOnce ?? 1,
    async (source) => ({ source, landed: await land(source, effects) }),
  );
  for await (const { source, landed } of landing) {
    const result = landed.ok ? await bindLanded(source, landed, effects) : landed;
    if (result.ok) bound.push(result.value);
    diagnostics.push(...(result.ok ? result.warnings : result.errors));
  }
  return { sources: bound, diagnostics };
}

async function bindLanded(
  source: Source,
  landed: Extract<Result<Landing>, { readonly ok: true }>,
  effects: BindSourceEffects,
): Promise<Result<BoundSource>> {
  const { path: file, sha256, sizeBytes, resolved, facts, fileUrl } = landed.value;
  const known = {
    ...(resolved === undefined ? {} : { resolved }),
    ...(facts === undefined ? {} : { facts }),
    ...(fileUrl === undefined ? {} : { fileUrl }),
  };
  const request = {
    file,
    displayName: source.uri,
    ...(source.format === undefined ? {} : { format: source.format }),
    options: source.formatOptions,
  };
  const inputs = await inputFiles(request, effects);
  if (!inputs.ok) return placedAt(source, inputs.errors);
  // What belongs to the file (the names beside a matrix) changes what it becomes; a folder's checksum is over its files.
  const others = inputs.value.filter((input) => input !== file && !input.startsWith(`${file}${path.sep}`));
  const beside = await Promise.all(others.map((input) => effects.files.sha256(input)));
  const settings = [source.format ?? '', canonicalJson(source.formatOptions), path.basename(file), CONVERTER_VERSION];
  const version = digest(sha256, ...beside, ...settings).slice(0, 10);
  const bound = async (inspected: Inspected): Promise<BoundSource> => {
    const whole = { source, path: file, sizeBytes, sha256, version, ...known, ...inspected };
    if (!isDiscarding(source.contract)) return whole;
    const recorded = (await effects.recordedTables?.())?.get(source.name);
    const elements = underContract(inspected.elements, recorded, source.contract);
    const asIs = canonicalJson(plainElements(inspected.elements));
    const letIn = canonicalJson(plainElements(elements));
    if (letIn === asIs) return whole;
    // The same file under another contract is other data.
    const other = digest(version, letIn, canonicalJson({ ...source.contract })).slice(0, 10);
    return { ...whole, version: other, elements, found: inspected.elements };
  };
  const cached = readCache(cacheEntry(version, effects), effects);
  if (cached !== undefined) return succeed(await bound(cached), landed.warnings);
  const inspected = await inspectFile(request, effects);
  if (!inspected.ok) return placedAt(source, inspected.errors);
  effects.files.writeCache(cacheEntry(version, effects), JSON.stringify(inspected.value));
  return succeed(await bound(inspected.value), [...landed.warnings, ...inspected.warnings]);
}

function plainElements(elements: readonly ElementSchema[]): JsonValue {
  return elements.map(({ table, columns }) => ({ table, columns: columns.map(({ name, type }) => ({ name, type })) }));
}

/** Errors inside a raw file have no line of the project; its declaration is the next best place. */
function placedAt(source: Source, errors: readonly Diagnostic[]): Result<never> {
  return { ok: false, errors: errors.map((error) => ({ location: source.uriLocation, ...error })) };
}

function cacheEntry(version: string, { cacheFolder }: BindSourceEffects): string {
  return path.join(cacheFolder, 'schemas', `${version}.json`);
}

type Inspected = { readonly format: string; readonly elements: readonly ElementSchema[] };

const elementKinds = ['table', 'dataframe', 'sparse', 'dense', 'embedding', 'pairs', 'uns'] as const;

/** An entry that does not read as expected is no entry: the file is inspected again. */
function readCache(entry: string, { files }: BindSourceEffects): Inspected | undefined {
  if (files.facts(entry) === undefined) return undefined;
  let kept: unknown;
  try {
    kept = JSON.parse(files.readText(entry));
  } catch {
    return undefined;
  }
  if (!isRecord(kept) || textAt(kept, 'format') === '') return undefined;
  const elements: ElementSchema[] = [];
  for (const element of records(kept.elements)) {
    const kind = elementKinds.find((candidate) => candidate === element.kind);
    const columns = records(element.columns).map((column) => ({
      name: textAt(column, 'name'),
      type: textAt(column, 'type'),
    }));
    if (kind === undefined || columns.some((column) => column.name === '' || column.type === '')) return undefined;
    elements.push({ path: textAt(element, 'path'), table: textAt(element, 'table'), kind, columns });
  }
  return elements.length === items(kept.elements).length && elements.length > 0
    ? { format: textAt(kept, 'format'), elements }
    : undefined;
}
