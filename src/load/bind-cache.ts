import { createHash } from 'node:crypto';
import * as path from 'node:path';
import { macroDefinitions } from '../domain/anndata-macros.js';
import type { References } from '../domain/references.js';
import type { Files } from '../effects/files.js';
import type { Binding } from './binding.js';
import { decodeBinding, decodeReferences } from './decode.js';

/** Raised whenever reading a plan or a syntax tree gives other results than before: older entries are then not found. */
const READER_VERSION = '4';

/**
 * Answers of the engine, kept by content: the text, the schemas that it was bound against, the versions of DuckDB and of
 * our own reading. A file that is damaged does not match its own hash and holds nothing.
 */
export class BindCache {
  readonly #entries: Map<string, string>;
  readonly #used = new Map<string, string>();
  readonly #file: string;
  readonly #files: Files;
  readonly #engine: string;
  #isChanged = false;

  constructor(cacheFolder: string, files: Files, engineVersion: string) {
    this.#file = path.join(cacheFolder, 'bindings.txt');
    this.#files = files;
    // The macros stand in no text that is bound, and change what it means.
    this.#engine = `${engineVersion} ${READER_VERSION} ${hashOf(...macroDefinitions())}`;
    this.#entries = readEntries(this.#file, files);
  }

  /** Key of a query's binding. @param reads one text for each table and file that it reads, which changes with its columns */
  bindingKey(sql: string, reads: readonly string[]): string {
    return hashOf('binding', this.#engine, sql, ...reads);
  }

  binding(key: string): Binding | undefined {
    return this.#read(key, decodeBinding);
  }

  keepBinding(key: string, binding: Binding): void {
    this.#write(key, binding);
  }

  references(sql: string): References | undefined {
    return this.#read(hashOf('references', this.#engine, sql), decodeReferences);
  }

  keepReferences(sql: string, references: References): void {
    this.#write(hashOf('references', this.#engine, sql), references);
  }

  /** Writes what this load used, if anything is new. What it did not use is forgotten. */
  save(): void {
    if (!this.#isChanged) return;
    const body = [...this.#used].map(([key, text]) => `${key} ${text}\n`).join('');
    this.#files.writeCache(this.#file, `${hashOf(body)}\n${body}`);
  }

  #read<T>(key: string, decode: (text: string) => T | undefined): T | undefined {
    const text = this.#entries.get(key) ?? this.#used.get(key);
    if (text === undefined) return undefined;
    this.#used.set(key, text);
    return decode(text);
  }

  #write(key: string, value: Binding | References): void {
    this.#used.set(key, JSON.stringify(value));
    this.#isChanged = true;
  }
}

const KEY_LENGTH = 16;

/** Entries by key; none of a file whose content is not the one that its first line vouches for. */
function readEntries(file: string, files: Files): Map<string, string> {
  const entries = new Map<string, string>();
  if (files.facts(file) === undefined) return entries;
  const text = files.readText(file);
  const bodyStart = text.indexOf('\n') + 1;
  const body = text.slice(bodyStart);
  if (text.slice(0, bodyStart - 1) !== hashOf(body)) return entries;
  for (const line of body.split('\n'))
    if (line.length > KEY_LENGTH) entries.set(line.slice(0, KEY_LENGTH), line.slice(KEY_LENGTH + 1));
  return entries;
}

/** 64 bits of SHA-256, by native code: the texts are long. The lengths keep ("ab", "c") and ("a", "bc") apart. */
function hashOf(...parts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${part.length}:`).update(part);
  return hash.digest('hex').slice(0, KEY_LENGTH);
}
