/** A field that a nested type gains: where, and of which type. */
export interface AddedField {
  /** Names from the column on; `element` stands for the items of a list. */
  readonly path: readonly string[];
  readonly type: string;
}

/**
 * The fields that turn one type into another, where nothing else differs: what DuckLake does in place.
 *
 * @param from type as DuckDB prints it: `STRUCT("a" INTEGER, "b" VARCHAR)[]`
 * @returns undefined when a field goes, or changes its type, or the types are no structs
 */
export function addedFields(from: string, to: string, path: readonly string[] = []): readonly AddedField[] | undefined {
  if (from === to) return [];
  if (from.endsWith('[]') && to.endsWith('[]'))
    return addedFields(from.slice(0, -2), to.slice(0, -2), [...path, 'element']);
  const [before, after] = [structFields(from), structFields(to)];
  if (before === undefined || after === undefined) return undefined;
  const added: AddedField[] = [];
  const wanted = new Map(after.map((field) => [field.name.toLowerCase(), field]));
  for (const field of before) {
    const now = wanted.get(field.name.toLowerCase());
    const inner = now === undefined ? undefined : addedFields(field.type, now.type, [...path, field.name]);
    if (inner === undefined) return undefined;
    added.push(...inner);
  }
  const known = new Set(before.map((field) => field.name.toLowerCase()));
  for (const field of after) {
    if (!known.has(field.name.toLowerCase())) added.push({ path: [...path, field.name], type: field.type });
  }
  return added;
}

/** The fields of `STRUCT(…)`, in their order. */
function structFields(type: string): readonly { readonly name: string; readonly type: string }[] | undefined {
  const inside = /^STRUCT\((.*)\)$/s.exec(type)?.[1];
  if (inside === undefined) return undefined;
  const pieces: string[] = [''];
  let depth = 0;
  let quote = '';
  for (const char of inside) {
    if (quote !== '') quote = char === quote ? '' : quote;
    else if (char === '"' || char === "'") quote = char;
    else if (char === '(') depth++;
    else if (char === ')') depth--;
    if (char === ',' && depth === 0 && quote === '') pieces.push('');
    else pieces[pieces.length - 1] += char;
  }
  const fields = pieces.map((piece) => {
    const [, quoted, plain, fieldType] = /^\s*(?:"((?:[^"]|"")*)"|(\S+))\s+(.*)$/s.exec(piece) ?? [];
    return { name: quoted?.replaceAll('""', '"') ?? plain ?? '', type: fieldType?.trim() ?? '' };
  });
  return fields.every((field) => field.name !== '' && field.type !== '') ? fields : undefined;
}
