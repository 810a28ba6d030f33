import { ident } from '../../../domain/names.js';
import type { Cell, Database } from '../../../effects/duckdb.js';
import type { Shape, StructField, ValueType } from './shape.js';

/** Something that a table says of its values, and what the file said. */
interface Claim {
  readonly place: string;
  /** A table expression, and an aggregate over it. */
  readonly source: string;
  readonly aggregate: string;
  readonly wanted: number | bigint;
  readonly tolerance: number;
}

/** DuckDB plans many aggregates slowly. */
const AGGREGATES_PER_QUERY = 128;

/**
 * Holds a table against what our own parser found in the file: counts, sums and lengths at every place, also inside of
 * lists and structs.
 *
 * @param source  a table expression
 * @returns one sentence for everything that differs
 */
export async function compareRecords(
  database: Database,
  source: string,
  file: { readonly shape: Shape; readonly fields: readonly StructField[]; readonly recordCount: number },
): Promise<readonly string[]> {
  const rows = { place: 'the number of rows', source, aggregate: 'count(*)', wanted: file.recordCount, tolerance: 0 };
  const claims: readonly Claim[] = [
    rows,
    ...file.fields.flatMap(({ key, name, type }) => {
      const shape = file.shape.members.get(key);
      return shape === undefined ? [] : [...claimsOf(shape, type, { place: name, source, value: ident(name) })];
    }),
  ];
  const bySource = new Map<string, Claim[]>();
  for (const claim of claims) bySource.set(claim.source, [...(bySource.get(claim.source) ?? []), claim]);
  const problems: string[] = [];
  for (const [from, own] of bySource) {
    for (let at = 0; at < own.length; at += AGGREGATES_PER_QUERY) {
      const part = own.slice(at, at + AGGREGATES_PER_QUERY);
      const aggregates = part.map(({ aggregate }, i) => `${aggregate} AS a${i}`);
      const [row] = await database.rows(`SELECT ${aggregates.join(', ')} FROM ${from}`);
      for (const [i, claim] of part.entries()) {
        const found = row?.[`a${i}`] ?? null;
        if (!isEqual(claim, found)) {
          problems.push(`${claim.place} is ${String(found)} after writing, ${String(claim.wanted)} was read`);
        }
      }
    }
  }
  return problems;
}

function isEqual({ wanted, tolerance }: Claim, found: Cell): boolean {
  if (typeof wanted === 'bigint') return String(found) === String(wanted);
  return Math.abs(Number(found) - wanted) <= tolerance;
}

function* claimsOf(
  shape: Shape,
  type: ValueType,
  at: { readonly place: string; readonly source: string; readonly value: string },
): Generator<Claim> {
  const { place, source, value } = at;
  const exact = (what: string, aggregate: string, wanted: number | bigint): Claim => ({
    place: `the ${what} of "${place}"`,
    source,
    aggregate,
    wanted,
    tolerance: 0,
  });
  yield exact('number of values', `count(${value})`, shape.valueCount);
  switch (type.kind) {
    case 'json':
      return;
    case 'scalar':
      if (type.sql === 'VARCHAR') yield exact('length', `coalesce(sum(strlen(${value})), 0)`, shape.textBytes);
      else if (type.sql === 'BOOLEAN')
        yield exact('number of true', `count(*) FILTER (WHERE ${value})`, shape.trueCount);
      else if (type.sql === 'DOUBLE') {
        // Both sums round, in different orders.
        const tolerance = shape.scale * 1e-9;
        yield { ...exact('sum', `coalesce(sum(${value}), 0)`, shape.sum), tolerance };
      } else yield exact('sum', `coalesce(sum(${value}), 0)`, shape.wholeSum);
      return;
    case 'list': {
      const { item } = shape;
      if (item === undefined) return;
      yield exact('number of items', `coalesce(sum(len(${value})), 0)`, item.valueCount + item.counts.null);
      yield* claimsOf(item, type.item, {
        place: `${place}[]`,
        source: `(SELECT unnest(${value}) AS v FROM ${source})`,
        value: 'v',
      });
      return;
    }
    case 'struct':
      for (const field of type.fields) {
        const member = shape.members.get(field.key);
        if (member === undefined) continue;
        yield* claimsOf(member, field.type, {
          place: `${place}.${field.name}`,
          source,
          value: `struct_extract(${value}, '${field.name.replaceAll("'", "''")}')`,
        });
      }
      return;
  }
}
