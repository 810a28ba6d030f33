import * as path from 'node:path';
import { isRecord, items, records, textAt } from '../domain/json.js';
import type { Files } from '../effects/files.js';
import { processFacts as ownProcess, type ProcessFacts } from '../effects/process-facts.js';
import { type Json, type JsonObject, jsonText } from './json.js';
import type { KeptElements, WrittenPart } from './written-part.js';

const KEPT_FROM_VALUES = 100_000;

/** The folder beside `out` in which a conversion works. */
export function workFolderOf(out: string): string {
  return path.join(path.dirname(out), `.${path.basename(out)}.partial`);
}

/**
 * Where a conversion works until it is whole: parquet files in `out/`, and in `done/` a record of each that was written
 * and compared with what was read. A conversion of the same input that was cut off goes on with those; their checksums
 * are compared before they are believed, and everything else is removed.
 */
export class WorkFolder implements KeptElements {
  readonly #files: Files;
  readonly #folder: string;

  private constructor(folder: string, files: Files) {
    this.#folder = folder;
    this.#files = files;
  }

  /**
   * @param key  of everything that decides what is written: checksums of the input, options, version of the converter
   * @returns the pid of the process that is converting into the same place, if there is one
   */
  static open(
    out: string,
    key: string,
    { files, processFacts = ownProcess }: { readonly files: Files; readonly processFacts?: ProcessFacts },
  ): WorkFolder | { readonly heldBy: number } {
    const folder = workFolderOf(out);
    const lock = path.join(folder, 'lock');
    const mine = JSON.stringify({ pid: processFacts.pid, key });
    if (!processFacts.createExclusively(lock, mine)) {
      const holder = holderOf(processFacts.readFile(lock));
      if (holder !== undefined && holder !== processFacts.pid && processFacts.isAlive(holder))
        return { heldBy: holder };
      processFacts.removeFile(lock);
      if (!processFacts.createExclusively(lock, mine)) return { heldBy: holder ?? 0 };
    }
    const work = new WorkFolder(folder, files);
    if (processFacts.readFile(path.join(folder, 'key')) !== key) {
      for (const name of ['out', 'done', 'key']) files.remove(path.join(folder, name));
      files.writeText(path.join(folder, 'key'), key);
    }
    for (const name of ['out', 'done']) files.makeFolder(path.join(folder, name));
    removeUnfinished(folder, files);
    return work;
  }

  /** Where parquet files go. */
  get parquetFolder(): string {
    return path.join(this.#folder, 'out');
  }

  async find(table: string): Promise<WrittenPart | undefined> {
    const record = this.#record(table);
    if (this.#files.facts(record) === undefined) return undefined;
    const kept = readRecord(this.#files.readText(record));
    const file = path.join(this.parquetFolder, `${table}.parquet`);
    if (
      kept !== undefined &&
      this.#files.facts(file) !== undefined &&
      (await this.#files.sha256(file)) === kept.sha256
    ) {
      return kept.part;
    }
    this.#files.remove(record);
    this.#files.remove(file);
    return undefined;
  }

  async keep(part: WrittenPart): Promise<void> {
    // To write a small one again costs less than its record.
    if (part.element.rows * part.element.columns.length < KEPT_FROM_VALUES) return;
    const sha256 = await this.#files.sha256(path.join(this.parquetFolder, part.element.file));
    const { element, manifest, warnings } = part;
    const { path: at, table, kind, columns, file, rows } = element;
    const described = { path: at, table, kind, columns: columns.map(({ name, type }) => ({ name, type })), file, rows };
    this.#files.writeText(this.#record(element.table), jsonText({ sha256, element: described, manifest, warnings }));
  }

  /** Gives the parquet files their place. */
  publish(out: string): void {
    this.#files.rename(this.parquetFolder, out);
    this.#files.remove(this.#folder);
  }

  remove(): void {
    this.#files.remove(this.#folder);
  }

  #record(table: string): string {
    return path.join(this.#folder, 'done', `${table}.json`);
  }
}

/**
 * After a conversion was stopped from outside: what is half written goes, what is done stays for the next try.
 *
 * @returns how many elements stay; with none the folder is gone
 */
export function tidyWorkFolder(out: string, files: Files): number {
  const folder = workFolderOf(out);
  if (files.facts(folder) === undefined) return 0;
  const kept = removeUnfinished(folder, files);
  if (kept === 0) files.remove(folder);
  else files.remove(path.join(folder, 'lock'));
  return kept;
}

/** Everything without a record goes: half-written files, and spools. */
function removeUnfinished(folder: string, files: Files): number {
  const done = files.entries(path.join(folder, 'done')).filter((name) => name.endsWith('.json'));
  const finished = new Set(done.map((name) => name.replace(/\.json$/, '.parquet')));
  for (const name of files.entries(path.join(folder, 'out'))) {
    if (!finished.has(name)) files.remove(path.join(folder, 'out', name));
  }
  return done.length;
}

function holderOf(text: string | undefined): number | undefined {
  try {
    const holder: unknown = JSON.parse(text ?? '');
    return isRecord(holder) && typeof holder.pid === 'number' ? holder.pid : undefined;
  } catch {
    return undefined;
  }
}

const kinds = ['table', 'dataframe', 'sparse', 'dense', 'embedding', 'pairs', 'uns'] as const;

/** A record that does not read as expected is none: the element is written again. */
function readRecord(text: string): { readonly sha256: string; readonly part: WrittenPart } | undefined {
  let value: unknown;
  try {
    value = parseWithBigInts(text);
  } catch {
    return undefined;
  }
  if (!isRecord(value) || !isRecord(value.element) || !isJsonObject(value.manifest)) return undefined;
  const { element, manifest } = value;
  const kind = kinds.find((candidate) => candidate === element.kind);
  if (kind === undefined || typeof element.rows !== 'number') return undefined;
  return {
    sha256: textAt(value, 'sha256'),
    part: {
      element: {
        path: textAt(element, 'path'),
        table: textAt(element, 'table'),
        kind,
        columns: records(element.columns).map((column) => ({
          name: textAt(column, 'name'),
          type: textAt(column, 'type'),
        })),
        file: textAt(element, 'file'),
        rows: element.rows,
      },
      manifest,
      warnings: items(value.warnings).map(String),
    },
  };
}

/** JSON as `jsonText` writes it, whole numbers beyond the doubles included. */
function parseWithBigInts(text: string): unknown {
  const mark = '\u0000bigint:';
  const marked = text.replace(/"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g, (token) =>
    /^-?\d{16,}$/.test(token) ? JSON.stringify(mark + token) : token,
  );
  return JSON.parse(marked, (_, value: unknown) =>
    typeof value === 'string' && value.startsWith(mark) ? BigInt(value.slice(mark.length)) : value,
  );
}

function isJsonObject(value: unknown): value is JsonObject {
  return isRecord(value) && Object.values(value).every(isJson);
}

function isJson(value: unknown): value is Json {
  if (value === null || ['boolean', 'number', 'bigint', 'string'].includes(typeof value)) return true;
  return Array.isArray(value) ? value.every(isJson) : isJsonObject(value);
}
