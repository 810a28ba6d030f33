import { countAt, isRecord, items, type Json, type JsonRecord, textAt } from '../domain/json.js';
import { at, type FlowColumn, flowColumn, type Part, UnknownPlanError } from './flow.js';
import { planHash } from './plan-hash.js';

/** Columns that references without a position name (below lateral table functions), by table index. */
export type Bindings = ReadonlyMap<number, readonly FlowColumn[]>;

/** Fields that change with the spelling of a query and not with its result. */
const spelling = new Set([
  'query_location',
  'alias',
  'return_type',
  'original_arguments',
  'catalog_name',
  'schema_name',
  'has_serialize',
  'table_index',
  'type_info',
  'arguments',
  'lineage',
]);

const knownClasses = new Set([
  'BOUND_REF',
  'BOUND_COLUMN_REF',
  'BOUND_CONSTANT',
  'BOUND_CAST',
  'BOUND_COMPARISON',
  'BOUND_CONJUNCTION',
  'BOUND_FUNCTION',
  'BOUND_OPERATOR',
  'BOUND_CASE',
  'BOUND_BETWEEN',
  'BOUND_AGGREGATE',
  'BOUND_WINDOW',
  'BOUND_UNNEST',
  'BOUND_LAMBDA',
  'BOUND_LAMBDA_REF',
  'BOUND_PARAMETER',
  'BOUND_EXPANDED',
]);

const volatileFunctions = new Set([
  'random',
  'uuid',
  'gen_random_uuid',
  'uuidv4',
  'uuidv7',
  'nextval',
  'now',
  'get_current_timestamp',
  'current_date',
  'today',
  'current_localtime',
  'current_localtimestamp',
  'get_current_time',
  'transaction_timestamp',
  'txid_current',
  'setseed',
]);

/** Reads one bound expression over the columns of its operator's input. */
export class ExpressionReader {
  readonly #bindings: Bindings;
  readonly #volatile: Set<string>;

  constructor(bindings: Bindings, volatile: Set<string>) {
    this.#bindings = bindings;
    this.#volatile = volatile;
  }

  /** The column that an expression gives. A plain reference is the input column itself, so that projections vanish. */
  column(expression: Json, input: readonly FlowColumn[], tag = '', alsoOn: readonly Part[] = []): FlowColumn {
    if (tag === '' && alsoOn.length === 0 && isRecord(expression)) {
      const referenced = this.#referenced(expression, input);
      if (referenced !== undefined) return referenced;
    }
    const used: FlowColumn[] = [];
    const text = this.#text(expression, input, used);
    const kind = tag === 'aggregate' || tag === 'window' ? tag : 'expression';
    return flowColumn(planHash(tag, text, ...alsoOn.map((p) => p.hash)), used, alsoOn, kind);
  }

  #referenced(expression: JsonRecord, input: readonly FlowColumn[]): FlowColumn | undefined {
    const kind = textAt(expression, 'expression_class');
    if (kind === 'BOUND_REF') return at(input, countAt(expression, 'index') ?? 0, 'reference');
    if (kind === 'BOUND_COLUMN_REF' && isRecord(expression.binding)) {
      const table = countAt(expression.binding, 'table_index') ?? -1;
      const columns = this.#bindings.get(table);
      if (columns === undefined)
        throw new UnknownPlanError(`reference to table index ${table}, which no operator below defines`);
      return at(columns, countAt(expression.binding, 'column_index') ?? 0, 'bound column');
    }
    if (kind === 'BOUND_CAST' && isRecord(expression.child) && sameType(expression))
      return this.#referenced(expression.child, input);
    return undefined;
  }

  /** The expression with its references replaced by the hashes of what they refer to. */
  #text(expression: Json, input: readonly FlowColumn[], used: FlowColumn[]): string {
    if (Array.isArray(expression)) return `[${expression.map((item) => this.#text(item, input, used)).join(',')}]`;
    if (!isRecord(expression)) return JSON.stringify(expression ?? null);
    const referenced = this.#referenced(expression, input);
    if (referenced !== undefined) {
      used.push(referenced);
      return `#${referenced.hash}`;
    }
    const kind = textAt(expression, 'expression_class');
    if (kind !== '' && !knownClasses.has(kind)) throw new UnknownPlanError(`expression of class ${kind}`);
    if (kind === 'BOUND_CONSTANT') {
      if (hasLostDigits(expression.value)) throw new UnknownPlanError('a constant beyond the exact integers of JSON');
      return `const ${JSON.stringify(expression.value)}`;
    }
    if (kind === 'BOUND_CAST' && sameType(expression)) return this.#text(expression.child, input, used);
    const name = textAt(expression, 'name').toLowerCase();
    if (kind === 'BOUND_FUNCTION' && volatileFunctions.has(name)) this.#volatile.add(name);
    const fields: string[] = [];
    // DuckDB writes the fields of a class always in one order.
    for (const key in expression) {
      if (spelling.has(key)) continue;
      // Bodies of lambdas hold references of their own, into another input: they are compared as text.
      if (key === 'function_data')
        fields.push(
          `function_data:${JSON.stringify(expression[key], (inner, value) => (isSpellingOfData(inner) ? undefined : value))}`,
        );
      else if (key === 'children' && isConjunction(expression))
        fields.push(
          `children:${items(expression[key])
            .map((child) => this.#text(child, input, used))
            .sort()
            .join(' & ')}`,
        );
      else fields.push(`${key}:${this.#text(expression[key], input, used)}`);
    }
    if (kind === 'BOUND_CAST') fields.push(`to:${JSON.stringify(expression.return_type)}`);
    return `{${fields.join(';')}}`;
  }
}

/** Types inside a function's data are more than spelling: they hold the names of a struct's fields. */
function isSpellingOfData(key: string): boolean {
  return spelling.has(key) && key !== 'return_type' && key !== 'type_info';
}

/** A number that JSON has rounded stands for several constants: their queries must not be taken for the same. */
function hasLostDigits(value: Json): boolean {
  if (typeof value === 'number') return Number.isInteger(value) && !Number.isSafeInteger(value);
  if (Array.isArray(value)) return value.some(hasLostDigits);
  if (!isRecord(value)) return false;
  const isFloat = isRecord(value.type) && (value.type.id === 'DOUBLE' || value.type.id === 'FLOAT');
  return !isFloat && Object.values(value).some(hasLostDigits);
}

function isConjunction(expression: JsonRecord): boolean {
  return expression.type === 'CONJUNCTION_AND' || expression.type === 'CONJUNCTION_OR';
}

/** A cast to the type that its input has already says nothing. */
function sameType(cast: JsonRecord): boolean {
  const child = cast.child;
  if (!isRecord(child)) return false;
  const from = child.return_type ?? (isRecord(child.value) ? child.value.type : undefined);
  const to = cast.return_type;
  if (!isRecord(from) || !isRecord(to) || from.id !== to.id) return false;
  return JSON.stringify(from.type_info) === JSON.stringify(to.type_info);
}
