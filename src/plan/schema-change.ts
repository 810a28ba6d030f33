import type { Column } from '../domain/column.js';
import { columnsByName } from '../domain/column.js';
import type { Diagnostic } from '../domain/diagnostic.js';
import type { OnSchemaChange } from '../domain/kind.js';
import type { Model } from '../domain/model.js';

/** How a table's columns must change in place. */
export interface SchemaChange {
  readonly adds: readonly Column[];
  readonly drops: readonly Column[];
  /** Types that become wider: no value is lost. */
  readonly widens: readonly { readonly column: Column; readonly from: string }[];
  /** Types that change otherwise: the column is dropped and added again, and its values are lost. */
  readonly replaces: readonly { readonly column: Column; readonly from: string }[];
}

const integers = ['TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT'];

/** What turns one list of columns into another. */
export function compareSchemas(before: readonly Column[], after: readonly Column[]): SchemaChange {
  const was = columnsByName(before);
  const is = columnsByName(after);
  const retyped = after.flatMap((column) => {
    const from = was.get(column.name.toLowerCase())?.type;
    return from === undefined || from === column.type ? [] : [{ column, from }];
  });
  return {
    adds: after.filter((column) => !was.has(column.name.toLowerCase())),
    drops: before.filter((column) => !is.has(column.name.toLowerCase())),
    widens: retyped.filter(({ column, from }) => isWider(from, column.type)),
    replaces: retyped.filter(({ column, from }) => !isWider(from, column.type)),
  };
}

/** Promotions that DuckLake does in place. */
function isWider(from: string, to: string): boolean {
  const [a, b] = [integers.indexOf(from), integers.indexOf(to)];
  if (a >= 0 && b > a) return true;
  if (
    (a >= 0 && a < 3 && to === 'DOUBLE') ||
    (from === 'FLOAT' && to === 'DOUBLE') ||
    (from === 'DATE' && to === 'TIMESTAMP')
  )
    return true;
  const decimals = [from, to].map((type) => /^DECIMAL\((\d+),\s*(\d+)\)$/.exec(type));
  const [was, is] = decimals;
  return (
    was !== null &&
    is !== null &&
    was !== undefined &&
    is !== undefined &&
    was[2] === is[2] &&
    Number(is[1]) > Number(was[1])
  );
}

/** Holds a forward-only change against what its model allows. */
export function schemaChangeProblems(model: Model, change: SchemaChange): readonly Diagnostic[] {
  const lost = [
    ...change.drops.map((column) => column.name),
    ...change.replaces.map(({ column, from }) => `${column.name} (${from} to ${column.type})`),
  ];
  const destructive = reaction(model, model.kind.onDestructiveChange, lost, {
    word: 'destructive',
    verb: 'loses',
    setting: 'on_destructive_change',
  });
  const added = [
    ...change.adds.map((column) => column.name),
    ...change.widens.map(({ column, from }) => `${column.name} (${from} to ${column.type})`),
  ];
  const additive = reaction(model, model.kind.onAdditiveChange, added, {
    word: 'additive',
    verb: 'gains',
    setting: 'on_additive_change',
  });
  return [...destructive, ...additive];
}

function reaction(
  model: Model,
  setting: OnSchemaChange,
  columns: readonly string[],
  words: { readonly word: string; readonly verb: string; readonly setting: string },
): readonly Diagnostic[] {
  if (columns.length === 0 || setting === 'allow' || setting === 'ignore') return [];
  return [
    {
      code: 'SL0402',
      severity: setting === 'error' ? 'error' : 'warning',
      message: `the plan needs a ${words.word} change to forward-only model ${model.key}: its table ${words.verb} ${columns.join(', ')}`,
      location: model.location,
      hint:
        setting === 'error'
          ? `set ${words.setting} to allow or ignore if that is meant, or let the model be rebuilt`
          : `${words.setting} is warn`,
    },
  ];
}
