import type { Column } from '../domain/column.js';
import { columnsByName } from '../domain/column.js';
import type { Diagnostic } from '../domain/diagnostic.js';
import type { OnSchemaChange } from '../domain/kind.js';
import type { Model } from '../domain/model.js';
import { type AddedField, addedFields } from './struct-type.js';

/** How a table's columns must change in place. */
export interface SchemaChange {
  readonly adds: readonly Column[];
  readonly drops: readonly Column[];
  /** Types that become wider: no value is lost. */
  readonly widens: readonly { readonly column: Column; readonly from: string }[];
  /** Types that change otherwise: the column is dropped and added again, and its values are lost. */
  readonly replaces: readonly { readonly column: Column; readonly from: string }[];
  /** Columns that the header says were called otherwise: their values stay. */
  readonly renames: readonly { readonly from: string; readonly to: string }[];
  /** Fields that structs gain, lists of structs included. */
  readonly fields: readonly AddedField[];
}

const integers = ['TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT'];

/**
 * What turns one list of columns into another.
 *
 * @param renamed old names by new ones, lower case: what looks like one column gone and one come cannot be told from a
 *   rename, so the header has to say it
 */
export function compareSchemas(
  before: readonly Column[],
  after: readonly Column[],
  renamed: Readonly<Record<string, string>> = {},
): SchemaChange {
  const was = columnsByName(before);
  const is = columnsByName(after);
  const renames = after.flatMap((column) => {
    const old = was.get(renamed[column.name.toLowerCase()] ?? '');
    const isRenamed = old !== undefined && !was.has(column.name.toLowerCase()) && !is.has(old.name.toLowerCase());
    return isRenamed ? [{ from: old.name, to: column.name, column, type: old.type }] : [];
  });
  const [gone, come] = [new Set(renames.map((one) => one.from)), new Set(renames.map((one) => one.to))];
  const retyped = [
    ...after.flatMap((column) => {
      const from = was.get(column.name.toLowerCase())?.type;
      return from === undefined || from === column.type ? [] : [{ column, from }];
    }),
    ...renames.flatMap(({ column, type }) => (type === column.type ? [] : [{ column, from: type }])),
  ];
  const grown = retyped.map(({ column, from }) => ({
    column,
    from,
    fields: addedFields(from, column.type, [column.name]),
  }));
  const others = grown.filter(({ fields }) => fields === undefined).map(({ column, from }) => ({ column, from }));
  return {
    adds: after.filter((column) => !was.has(column.name.toLowerCase()) && !come.has(column.name)),
    drops: before.filter((column) => !is.has(column.name.toLowerCase()) && !gone.has(column.name)),
    widens: others.filter(({ column, from }) => isWider(from, column.type)),
    replaces: others.filter(({ column, from }) => !isWider(from, column.type)),
    renames: renames.map(({ from, to }) => ({ from, to })),
    fields: grown.flatMap(({ fields }) => fields ?? []),
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
    ...change.fields.map(({ path }) => path.join('.')),
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
