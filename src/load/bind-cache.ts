import * as path from 'node:path';
import { macroDefinitions } from '../domain/anndata-macros.js';
import { digest } from '../domain/digest.js';
import type { References } from '../domain/references.js';
import type { Files } from '../effects/files.js';
import type { Binding } from './binding.js';
import { decodeBinding, decodeReferences } from './decode.js';

/** Raised whenever reading a plan or a syntax tree gives other results than before: older entries are then not found. */
const READER_VERSION = '3';

/**
 * Answers of the engine, kept by content: the text, the schemas that it was bound against, the versions of DuckDB and of
 * our own reading. An entry that is damaged does not match its own hash and is no entry.
 */
export class BindCache {
  readonly #lines: Map<string, string>;
  readonly #used = new Map<string, string>();
  readonly #file: string;
  readonly #files: Files;
  readonly #engine: string;
  #isChanged = false;

  constructor(cacheFolder: string, files: Files, engineVersion: string) {
    this.#file = path.join(cacheFolder, 'bindings.txt');
    this.#files = files;
    // The macros stand in no text that is bound, and change what it means.
    this.#engine = `${engineVersion} ${READER_VERSION} ${digest(...macroDefinitions())}`;
    this.#lines = readLines(this.#file, files);
  }

  /** Key of a query's binding. @param schemas one text for each table that it reads */
  bindingKey(sql: string, schemas: readonly string[]): string {
    return digest('binding', this.#engine, sql, ...schemas);
  }

  binding(key: string): Binding | undefined {
    return this.#read(key, decodeBinding);
  }

  keepBinding(key: string, binding: Binding): void {
    this.#write(key, binding);
  }

  references(sql: string): References | undefined {
    return this.#read(digest('references', this.#engine, sql), decodeReferences);
  }

  keepReferences(sql: string, references: References): void {
    this.#write(digest('references', this.#engine, sql), references);
  }

  /** Writes what this load used, if anything is new. What it did not use is forgotten. */
  save(): void {
    if (!this.#isChanged) return;
    this.#files.writeCache(this.#file, [...this.#used].map(([key, line]) => `${key} ${line}\n`).join(''));
  }

  #read<T>(key: string, decode: (text: string) => T | undefined): T | undefined {
    const line = this.#lines.get(key) ?? this.#used.get(key);
    if (line === undefined) return undefined;
    const [hash, text] = [line.slice(0, 16), line.slice(17)];
    if (digest(text) !== hash) return undefined;
    this.#used.set(key, line);
    return decode(text);
  }

  #write(key: string, value: Binding | References): void {
    const text = JSON.stringify(value);
    this.#used.set(key, `${digest(text)} ${text}`);
    this.#isChanged = true;
  }
}

function readLines(file: string, files: Files): Map<string, string> {
  const lines = new Map<string, string>();
  if (files.facts(file) === undefined) return lines;
  for (const line of files.readText(file).split('\n'))
    if (line.length > 17) lines.set(line.slice(0, 16), line.slice(17));
  return lines;
}
