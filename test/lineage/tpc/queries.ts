import * as fs from 'node:fs';
import * as path from 'node:path';
import { ident } from '../../../src/domain/names.js';

/** A query of TPC-H or TPC-DS with sqlglot's answer: the source columns of each output column, by position. */
export interface TpcQuery {
  readonly benchmark: string;
  readonly number: number;
  readonly sql: string;
  readonly lineage: readonly (readonly string[])[];
}

interface TpcSchemas {
  /** Types by benchmark, table and column. */
  readonly schemas: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, string>>>>>>;
}

const read = (file: string): string => fs.readFileSync(path.join(import.meta.dirname, file), 'utf8');

export const tpcQueries: readonly TpcQuery[] = read('tpc-queries.jsonl')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line));

const { schemas }: TpcSchemas = JSON.parse(read('tpc-schemas.json'));

/** The statements that make the empty tables of both benchmarks, each in a schema of its own. */
export const tpcSetup: readonly string[] = Object.entries(schemas).flatMap(([benchmark, tables]) => [
  `CREATE SCHEMA ${ident(benchmark)}`,
  ...Object.entries(tables).map(
    ([table, columns]) =>
      `CREATE TABLE ${ident(benchmark)}.${ident(table)} (${Object.entries(columns)
        .map(([name, type]) => `${ident(name)} ${type}`)
        .join(', ')})`,
  ),
]);
