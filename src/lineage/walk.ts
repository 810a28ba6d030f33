import { countAt, counts, isRecord, items, type Json, type JsonRecord, records, textAt } from '../domain/json.js';
import type { RowKind } from '../domain/query-print.js';
import { isTrue } from './constant-condition.js';
import { ExpressionReader } from './expression.js';
import {
  at,
  constantPart,
  type Flow,
  type FlowColumn,
  flowColumn,
  ONE_ROW,
  ordersOf,
  type Part,
  part,
  picked,
  tagged,
  UnknownPlanError,
  type Walk,
} from './flow.js';
import { joinFlow } from './join.js';
import { planHash } from './plan-hash.js';
import { scanFlow } from './scan.js';

/**
 * Walks a bound plan from its leaves up. Each operator gives one `Flow`: a hash of its row set and one of each output
 * column, with the leaves they depend on. What is only spelling (aliases, projections, CTE boundaries) leaves no trace.
 */
export class PlanWalk implements Walk {
  readonly tables = new Set<string>();
  /** Columns that decide which rows there are, and how. */
  readonly rowSources = new Map<string, Set<RowKind>>();
  readonly volatile = new Set<string>();
  readonly #bindings = new Map<number, readonly FlowColumn[]>();
  readonly #ctes = new Map<number, Flow>();
  readonly #delim: (readonly FlowColumn[])[] = [];
  readonly #expressions = new ExpressionReader(this.#bindings, this.volatile);

  flow(node: JsonRecord): Flow {
    const flow = this.#operator(node);
    const tableIndex = countAt(node, 'table_index');
    if (tableIndex !== undefined && node.type !== 'LOGICAL_MATERIALIZED_CTE' && !this.#bindings.has(tableIndex)) {
      this.#bindings.set(tableIndex, flow.columns);
    }
    return flow;
  }

  /** Notes that these columns decide which rows there are. */
  decideRows(columns: readonly FlowColumn[], kind: RowKind): void {
    for (const column of columns) {
      for (const source of column.sources.keys()) {
        const known = this.rowSources.get(source);
        if (known === undefined) this.rowSources.set(source, new Set([kind]));
        else known.add(kind);
      }
    }
  }

  columnsOf(expressions: Json, input: readonly FlowColumn[], tag = ''): readonly FlowColumn[] {
    return items(expressions).map((expression) => this.#expressions.column(expression, input, tag));
  }

  columnOf(expression: Json, input: readonly FlowColumn[], tag = '', alsoOn: readonly Part[] = []): FlowColumn {
    return this.#expressions.column(expression, input, tag, alsoOn);
  }

  child(node: JsonRecord, index: number): Flow {
    return this.flow(at(records(node.children), index, 'child operator'));
  }

  withDelim<T>(columns: readonly FlowColumn[], visit: () => T): T {
    this.#delim.push(columns);
    try {
      return visit();
    } finally {
      this.#delim.pop();
    }
  }

  #operator(node: JsonRecord): Flow {
    const type = textAt(node, 'type');
    switch (type) {
      case 'LOGICAL_GET':
        return scanFlow(this, node, this.tables);
      case 'LOGICAL_PROJECTION': {
        const input = this.child(node, 0);
        return { ...input, columns: this.columnsOf(node.expressions, input.columns) };
      }
      case 'LOGICAL_FILTER':
        return this.#filter(node);
      case 'LOGICAL_AGGREGATE_AND_GROUP_BY':
        return this.#aggregate(node);
      case 'LOGICAL_WINDOW': {
        const input = this.child(node, 0);
        // DuckDB keeps the order of a subquery: `row_number() OVER ()` above an ORDER BY counts in that order.
        const over = [input.rows, ...(input.order === undefined ? [] : [input.order])];
        const made = items(node.expressions).map((e) => this.columnOf(e, input.columns, 'window', over));
        this.#bind(node, 'window_index', made);
        return { ...input, columns: [...input.columns, ...made] };
      }
      case 'LOGICAL_UNNEST': {
        const input = this.child(node, 0);
        const lists = this.columnsOf(node.expressions, input.columns, 'list');
        this.decideRows(lists, 'unnest');
        const rows = part(
          planHash('unnest', input.rows.hash, ...lists.map((list) => list.hash).sort()),
          input.rows,
          ...lists,
        );
        const made = lists.map((list) =>
          flowColumn(planHash('unnested', rows.hash, list.hash), [list], [rows], 'expression'),
        );
        this.#bind(node, 'unnest_index', made);
        return { ...input, rows, columns: [...input.columns, ...made] };
      }
      case 'LOGICAL_LIMIT': {
        const input = this.child(node, 0);
        const order = input.order ?? constantPart('');
        const bounds = [node.limit_val, node.offset_val].filter(isRecord);
        const constants = bounds.map((bound) => [bound.type, bound.constant_integer, bound.constant_percentage]);
        // LIMIT (SELECT …): the bound is a column of the input, which a subquery has joined.
        const read = bounds.flatMap((bound) => this.columnsOf([bound.expression].filter(isRecord), input.columns));
        this.decideRows(read, 'filter');
        const hash = planHash(
          'limit',
          input.rows.hash,
          order.hash,
          JSON.stringify(constants),
          ...read.map((b) => b.hash),
        );
        return { ...input, rows: part(hash, input.rows, order, ...read) };
      }
      case 'LOGICAL_TOP_N':
      case 'LOGICAL_SAMPLE': {
        const input = this.child(node, 0);
        const details = JSON.stringify([node.sample_options, node.limit, node.offset, node.orders]);
        return { ...input, rows: part(planHash(type, input.rows.hash, details), input.rows) };
      }
      case 'LOGICAL_ORDER_BY':
        return this.#order(node);
      case 'LOGICAL_DISTINCT': {
        const input = this.child(node, 0);
        const targets = this.columnsOf(node.distinct_targets, input.columns);
        this.decideRows(targets, 'distinct');
        const order = isRecord(node.order_by) ? this.#orderPart(node.order_by.orders, input.columns) : constantPart('');
        const names = [...new Set(targets.map((target) => target.hash))].sort();
        const hash = planHash('distinct', textAt(node, 'distinct_type'), input.rows.hash, order.hash, ...names);
        return { ...input, rows: part(hash, input.rows, order, ...targets) };
      }
      case 'LOGICAL_DUMMY_SCAN':
        return { rows: ONE_ROW, order: undefined, columns: [flowColumn('dummy', [])] };
      case 'LOGICAL_CHUNK_GET': {
        const content = JSON.stringify(node.collection);
        const columns = items(node.chunk_types).map((_, index) =>
          flowColumn(planHash('chunk', content, String(index)), []),
        );
        return { rows: constantPart(planHash('chunk', content)), order: undefined, columns };
      }
      case 'LOGICAL_EMPTY_RESULT':
        return {
          rows: constantPart('empty'),
          order: undefined,
          columns: items(node.return_types).map((_, i) => flowColumn(`empty${i}`, [])),
        };
      case 'LOGICAL_EXPRESSION_GET':
        return this.#values(node);
      case 'LOGICAL_DELIM_GET':
        return this.#delimGet(node);
      case 'LOGICAL_CTE_REF': {
        const cte = this.#ctes.get(countAt(node, 'cte_index') ?? -1);
        if (cte === undefined)
          throw new UnknownPlanError(`reference to CTE ${String(node.cte_index)} before its definition`);
        // `recurring.r` is all that a recursion has found so far, `r` only its last round.
        if (node.is_recurring === true)
          return {
            ...cte,
            rows: part(planHash('so far', cte.rows.hash), cte.rows),
            columns: tagged('so far', cte.columns),
          };
        return cte;
      }
      case 'LOGICAL_MATERIALIZED_CTE':
        this.#ctes.set(countAt(node, 'table_index') ?? -1, this.child(node, 0));
        return this.child(node, 1);
      case 'LOGICAL_RECURSIVE_CTE':
        return this.#recursion(node);
      case 'LOGICAL_UNION': {
        const inputs = records(node.children).map((child) => this.flow(child));
        const rows = part(
          planHash('union', ...inputs.map((input) => input.rows.hash)),
          ...inputs.map((input) => input.rows),
        );
        const width = Math.min(...inputs.map((input) => input.columns.length));
        const columns = Array.from({ length: width }, (_, index) => {
          const sides = inputs.map((input) => at(input.columns, index, 'union column'));
          return flowColumn(planHash('union', ...sides.map((side) => side.hash)), sides);
        });
        return { rows, order: ordersOf(inputs), columns };
      }
      case 'LOGICAL_INTERSECT':
      case 'LOGICAL_EXCEPT': {
        const [left, right] = [this.child(node, 0), this.child(node, 1)];
        this.decideRows([...left.columns, ...right.columns], 'set operation');
        const all = [...left.columns, ...right.columns];
        const hash = planHash(
          type,
          String(node.setop_all),
          left.rows.hash,
          right.rows.hash,
          ...all.map((column) => column.hash),
        );
        return {
          rows: part(hash, left.rows, right.rows, ...all),
          order: ordersOf([left, right]),
          columns: left.columns,
        };
      }
      case 'LOGICAL_CROSS_PRODUCT':
      case 'LOGICAL_POSITIONAL_JOIN':
      case 'LOGICAL_ANY_JOIN':
      case 'LOGICAL_COMPARISON_JOIN':
      case 'LOGICAL_ASOF_JOIN':
      case 'LOGICAL_DELIM_JOIN':
      case 'LOGICAL_DEPENDENT_JOIN':
        return joinFlow(this, node, type);
      case 'LOGICAL_PIVOT':
        return this.#pivot(node);
      default:
        throw new UnknownPlanError(`operator ${type}`);
    }
  }

  #filter(node: JsonRecord): Flow {
    const input = this.child(node, 0);
    const conditions = items(node.expressions)
      .flatMap((e) => (isRecord(e) && e.type === 'CONJUNCTION_AND' ? items(e.children) : [e]))
      .filter((condition) => !isTrue(condition));
    const columns = picked(input.columns, counts(node.projection_map));
    if (conditions.length === 0) return { ...input, columns };
    const read = this.columnsOf(conditions, input.columns);
    this.decideRows(read, 'filter');
    const hash = planHash('filter', input.rows.hash, ...read.map((condition) => condition.hash).sort());
    return { ...input, rows: part(hash, input.rows, ...read), columns };
  }

  #aggregate(node: JsonRecord): Flow {
    const input = this.child(node, 0);
    const groups = this.columnsOf(node.groups, input.columns);
    this.decideRows(groups, 'group');
    const sets = items(node.grouping_sets).map((set) =>
      indexList(set)
        .map((index) => at(groups, index, 'group').hash)
        .sort()
        .join(),
    );
    const names = [...new Set(groups.map((group) => group.hash))].sort();
    const grouped = part(
      planHash('aggregate', input.rows.hash, names.join(), sets.length > 1 ? sets.sort().join(';') : ''),
      input.rows,
      ...groups,
    );
    // Without groups there is one row, whatever comes in; the values still depend on all that comes in.
    const rows = groups.length === 0 && sets.length <= 1 ? ONE_ROW : grouped;
    const groupColumns = groups.map((group) => flowColumn(planHash('group', group.hash), [group]));
    // DuckDB keeps the order of a subquery: `list(x)` above an ORDER BY gathers in that order.
    const over = [grouped, ...(input.order === undefined ? [] : [input.order])];
    const aggregates = items(node.expressions).map((e) => this.columnOf(e, input.columns, 'aggregate', over));
    const groupings = items(node.grouping_functions).map((set) => {
      const over = indexList(set).map((index) => at(groups, index, 'group'));
      return flowColumn(planHash('grouping', grouped.hash, ...over.map((group) => group.hash)), over, [grouped]);
    });
    this.#bind(node, 'group_index', groupColumns);
    this.#bind(node, 'aggregate_index', aggregates);
    this.#bind(node, 'groupings_index', groupings);
    return { rows, order: input.order, columns: [...groupColumns, ...aggregates, ...groupings] };
  }

  #orderPart(orders: Json, input: readonly FlowColumn[]): Part {
    const columns = records(orders).map((order) =>
      this.columnOf(order.expression, input, `order ${String(order.type)} ${String(order.null_order)}`),
    );
    this.decideRows(columns, 'order');
    return part(planHash('order', ...columns.map((column) => column.hash)), ...columns);
  }

  #order(node: JsonRecord): Flow {
    const input = this.child(node, 0);
    return {
      rows: input.rows,
      order: this.#orderPart(node.orders, input.columns),
      columns: picked(input.columns, counts(node.projections)),
    };
  }

  #values(node: JsonRecord): Flow {
    const input = records(node.children).length > 0 ? this.child(node, 0) : undefined;
    const rowsOfValues = items(node.expressions).map((row) => this.columnsOf(row, input?.columns ?? [], 'value'));
    const columns = items(node.expr_types).map((_, index) => {
      const cells = rowsOfValues.map((row) => at(row, index, 'value'));
      return flowColumn(planHash('values', ...cells.map((cell) => cell.hash)), cells);
    });
    return { rows: constantPart(planHash('values', String(rowsOfValues.length))), order: undefined, columns };
  }

  #delimGet(node: JsonRecord): Flow {
    const width = items(node.chunk_types).length;
    const columns = this.#delim.findLast((candidate) => candidate.length === width);
    if (columns === undefined) throw new UnknownPlanError('DELIM_GET without its join');
    return {
      rows: part(planHash('delim', ...columns.map((column) => column.hash)), ...columns),
      order: undefined,
      columns,
    };
  }

  #recursion(node: JsonRecord): Flow {
    const index = countAt(node, 'table_index') ?? -1;
    const base = this.child(node, 0);
    let columns = base.columns.map((column, i) => ({ ...column, hash: planHash('recurring', String(i), column.hash) }));
    let rows = part(planHash('recurring', base.rows.hash), base.rows);
    // The hash of one round stands for all; the leaves are followed until a round adds none.
    for (;;) {
      this.#ctes.set(index, { rows, order: undefined, columns });
      const round = this.child(node, 1);
      const hash = planHash(
        'recursion',
        String(node.union_all),
        JSON.stringify(records(node.key_targets).map((key) => key.index ?? null)),
        base.rows.hash,
        round.rows.hash,
        ...base.columns.map((c) => c.hash),
        ...round.columns.map((c) => c.hash),
      );
      const next = columns.map((column, i) => ({
        ...flowColumn(column.hash, [column, at(round.columns, i, 'recursive column')]),
      }));
      const size = (list: readonly FlowColumn[]): number =>
        list.reduce((sum, c) => sum + c.columns.size + c.rowSets.size + c.sources.size, 0);
      const allRows = part(rows.hash, rows, round.rows);
      const isStable = size(next) === size(columns) && allRows.columns.size === rows.columns.size;
      columns = next;
      rows = allRows;
      if (isStable) {
        const whole = part(hash, rows, ...columns);
        return {
          rows: whole,
          order: undefined,
          columns: columns.map((column, i) => flowColumn(planHash(hash, String(i)), [column], [whole])),
        };
      }
    }
  }

  /** PIVOT over many values: groups, one list of names, then one list per aggregate. */
  #pivot(node: JsonRecord): Flow {
    const input = this.child(node, 0);
    const bound = isRecord(node.bound_pivot) ? node.bound_pivot : {};
    const groupCount = countAt(bound, 'group_count') ?? 0;
    const aggregateCount = items(bound.aggregates).length;
    const values = items(bound.pivot_values);
    const columns = items(bound.types).map((_, index) => {
      if (index < groupCount) return at(input.columns, index, 'pivot group');
      const which = (index - groupCount) % aggregateCount;
      const from = [
        at(input.columns, groupCount, 'pivot name'),
        at(input.columns, groupCount + 1 + which, 'pivot value'),
      ];
      const value = JSON.stringify(values[Math.floor((index - groupCount) / aggregateCount)]);
      return flowColumn(planHash('pivot', String(which), value, ...from.map((column) => column.hash)), from, [
        input.rows,
      ]);
    });
    return { ...input, columns };
  }

  #bind(node: JsonRecord, key: string, columns: readonly FlowColumn[]): void {
    const index = countAt(node, key);
    if (index !== undefined) this.#bindings.set(index, columns);
  }
}

function indexList(set: Json): readonly number[] {
  return isRecord(set) ? counts(set.items) : counts(set);
}
