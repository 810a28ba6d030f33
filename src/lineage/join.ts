import { counts, isRecord, items, type JsonRecord, records, textAt } from '../domain/json.js';
import {
  type Flow,
  type FlowColumn,
  flowColumn,
  ONE_ROW,
  ordersOf,
  type Part,
  part,
  picked,
  tagged,
  type Walk,
} from './flow.js';
import { planHash } from './plan-hash.js';

interface Sides {
  readonly left: Flow;
  readonly right: Flow;
}

/** Joins that keep right rows without a partner. */
const leftNullable: ReadonlySet<string> = new Set(['RIGHT', 'FULL', 'OUTER']);

/** All joins, the ones that DuckDB makes of subqueries included. */
export function joinFlow(walk: Walk, node: JsonRecord, type: string): Flow {
  const { left, right } = visitSides(walk, node, type);
  // By what stands to the left, so that in a chain of joins the second and the third use of a table stay two.
  const rightTagged = tagged(planHash('right', left.rows.hash), right.columns);
  const { conditions, marks } = readConditions(walk, node, type, { left, right: { ...right, columns: rightTagged } });
  walk.decideRows(conditions, 'join');
  const hashes = conditions.map((condition) => condition.hash).sort();
  const keptLeft = picked(left.columns, counts(node.left_projection_map));
  const joinType = textAt(node, 'join_type');
  // A scalar subquery and a membership test add a value to each left row; the left row set stays as it is.
  if (joinType === 'SINGLE') {
    const found = picked(right.columns, counts(node.right_projection_map)).map((column) =>
      flowColumn(planHash('scalar', right.rows.hash, column.hash, ...hashes), [column], [right.rows, ...conditions]),
    );
    return { ...left, columns: [...keptLeft, ...found] };
  }
  if (joinType === 'MARK') {
    const mark = flowColumn(planHash('mark', right.rows.hash, ...hashes), marks, [right.rows, ...conditions]);
    return { ...left, columns: [...keptLeft, mark] };
  }
  // One row on a side (a scalar subquery that does not look outside) neither adds nor takes rows.
  if (type === 'LOGICAL_CROSS_PRODUCT' && (left.rows.hash === ONE_ROW.hash || right.rows.hash === ONE_ROW.hash)) {
    const kept = right.rows.hash === ONE_ROW.hash ? left : right;
    return { ...kept, columns: [...keptLeft, ...right.columns] };
  }
  const order = ordersOf([left, right]);
  // Rows that meet by their position meet by their order.
  const meeting = type === 'LOGICAL_POSITIONAL_JOIN' && order !== undefined ? [...conditions, order] : conditions;
  const rows = part(
    planHash('join', type, joinType, left.rows.hash, right.rows.hash, ...meeting.map((met) => met.hash).sort()),
    left.rows,
    right.rows,
    ...meeting,
  );
  const keptRight = picked(rightTagged, counts(node.right_projection_map));
  switch (joinType) {
    case 'SEMI':
    case 'ANTI':
      return { rows, order: left.order, columns: keptLeft };
    case 'RIGHT_SEMI':
    case 'RIGHT_ANTI':
      return { rows, order: undefined, columns: keptRight };
    default: {
      // What is computed before such a join is NULL where a row has no partner, what is computed after it need not be.
      const isLeftNullable = type === 'LOGICAL_POSITIONAL_JOIN' || leftNullable.has(joinType);
      const seenLeft = isLeftNullable ? tagged('left', keptLeft) : keptLeft;
      return { rows, order, columns: [...seenLeft, ...keptRight] };
    }
  }
}

/** A DELIM_JOIN hands the distinct values of its outer side to the DELIM_GETs below its other side, so that side comes second. */
function visitSides(walk: Walk, node: JsonRecord, type: string): Sides {
  const isDelim = type === 'LOGICAL_DELIM_JOIN';
  if (isDelim && node.delim_flipped === true) {
    const right = walk.child(node, 1);
    const handed = walk.columnsOf(node.duplicate_eliminated_columns, right.columns);
    return { left: walk.withDelim(handed, () => walk.child(node, 0)), right };
  }
  const left = walk.child(node, 0);
  if (!isDelim) return { left, right: walk.child(node, 1) };
  const handed = walk.columnsOf(node.duplicate_eliminated_columns, left.columns);
  return { left, right: walk.withDelim(handed, () => walk.child(node, 1)) };
}

/** @returns all conditions, and the columns of those that are the author's own (correlation adds `IS NOT DISTINCT FROM` plumbing) */
function readConditions(
  walk: Walk,
  node: JsonRecord,
  type: string,
  { left, right }: Sides,
): { readonly conditions: readonly FlowColumn[]; readonly marks: readonly FlowColumn[] } {
  const both = [...left.columns, ...right.columns];
  const conditions: FlowColumn[] = [];
  const marks: FlowColumn[] = [];
  const add = (condition: FlowColumn, isPlumbing: boolean): void => {
    conditions.push(condition);
    if (!isPlumbing) marks.push(condition);
  };
  if (isRecord(node.condition)) {
    const whole = node.condition;
    for (const piece of whole.type === 'CONJUNCTION_AND' ? items(whole.children) : [whole])
      add(walk.columnOf(piece, both, 'on'), false);
  }
  for (const condition of records(node.conditions)) {
    const isPlumbing = type === 'LOGICAL_DELIM_JOIN' && condition.comparison === 'COMPARE_NOT_DISTINCT_FROM';
    if (condition.left !== undefined || condition.right !== undefined) {
      const sides = [
        walk.columnOf(condition.left, left.columns, 'on'),
        walk.columnOf(condition.right, right.columns, 'on'),
      ];
      add(
        flowColumn(
          planHash('compare', textAt(condition, 'comparison'), ...sides.map((side: Part) => side.hash)),
          sides,
        ),
        isPlumbing,
      );
    } else add(walk.columnOf(condition.expression ?? condition, both, 'on'), isPlumbing);
  }
  if (isRecord(node.predicate)) add(walk.columnOf(node.predicate, both, 'on'), false);
  return { conditions, marks };
}
