import * as fs from 'node:fs';
import * as path from 'node:path';
import { ident } from '../../src/domain/names.js';

/** A hard query with the right answer; `accept` holds other right answers. */
export interface LineageCase {
  readonly name: string;
  readonly schemas: Readonly<Record<string, readonly (readonly [string, string])[]>>;
  readonly setup?: readonly string[];
  readonly sql: string;
  readonly tables: readonly string[];
  readonly lineage: Readonly<Record<string, readonly string[]>>;
  readonly accept?: Readonly<Record<string, readonly (readonly string[])[]>>;
}

export interface SemanticDiffCase {
  readonly name: string;
  readonly old: string;
  readonly new: string;
  readonly expected: string;
}

function readLines<T>(file: string): readonly T[] {
  return fs
    .readFileSync(path.join(import.meta.dirname, file), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

export const lineageCases = readLines<LineageCase>('lineage-cases.jsonl');
export const semanticDiffCases = readLines<SemanticDiffCase>('semdiff-cases.jsonl');

/** The statements that make the tables of a case, macros and views of its own included. */
export function setupOf({ schemas, setup = [] }: Pick<LineageCase, 'schemas' | 'setup'>): readonly string[] {
  const tables = Object.entries(schemas).map(
    ([table, columns]) =>
      `CREATE TABLE ${ident(table)} (${columns.map(([name, type]) => `${ident(name)} ${type}`).join(', ')})`,
  );
  return [...tables, ...setup];
}
