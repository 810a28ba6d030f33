import type { Column } from '../domain/column.js';
import { isRecord, type Json } from '../domain/json.js';
import type { ColumnPrint, Lineage, PartPrint } from '../domain/query-print.js';
import { type Part, UnknownPlanError } from './flow.js';
import { hexDigits, planHash } from './plan-hash.js';
import { PlanWalk } from './walk.js';

/**
 * Column lineage and semantic fingerprints of a query, from DuckDB's bound, unoptimised plan.
 *
 * @param plan    one plan of `json_serialize_plan`, called without `skip_default` (index 0 is a default)
 * @param output  names and types of the query's result: the plan does not carry them all
 * @param text    the query itself, for the case that the plan cannot be read
 */
export function readPlan(plan: Json, output: readonly Column[], text: string): Lineage {
  const walk = new PlanWalk();
  try {
    if (!isRecord(plan)) throw new UnknownPlanError('the plan is no object');
    const flow = walk.flow(plan);
    if (flow.columns.length < output.length) {
      throw new UnknownPlanError(`the plan has ${flow.columns.length} columns, the query ${output.length}`);
    }
    const columns = output.map((column, index): ColumnPrint => {
      const from = flow.columns[index];
      if (from === undefined) throw new UnknownPlanError(`no column ${index}`);
      return {
        ...column,
        ...partPrint(from),
        sources: [...from.sources.keys()].sort(),
        kinds: Object.fromEntries(from.sources),
      };
    });
    return {
      known: true,
      print: {
        rows: partPrint(flow.rows),
        order: hexDigits(flow.order?.hash ?? ''),
        columns,
        tables: [...walk.tables].sort(),
        leaves: [...walk.tables],
        rowSources: [...walk.rowSources.keys()].sort(),
        rowKinds: Object.fromEntries([...walk.rowSources].map(([source, kinds]) => [source, [...kinds].sort()])),
        volatile: [...walk.volatile].sort(),
      },
    };
  } catch (thrown) {
    if (!(thrown instanceof UnknownPlanError)) throw thrown;
    return unknownLineage(thrown.message, { tables: [...walk.tables], columns: output, text });
  }
}

/** For queries that have no readable plan (dynamic PIVOT, readers of CSV files): everything that is read counts for everything. */
export function unknownLineage(
  reason: string,
  query: { readonly tables: readonly string[]; readonly columns: readonly Column[]; readonly text: string },
): Lineage {
  return {
    known: false,
    reason,
    tables: [...query.tables].sort(),
    columns: query.columns,
    textHash: hexDigits(planHash('text', query.text)),
  };
}

function partPrint(from: Part): PartPrint {
  return { hash: hexDigits(from.hash), rowSets: [...from.rowSets].sort(), columns: [...from.columns].sort() };
}
