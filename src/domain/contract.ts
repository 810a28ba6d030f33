import type { Column } from './column.js';
import type { ElementSchema } from './convert.js';
import { PROD } from './names.js';
import type { LakeState } from './snapshot.js';

/**
 * What happens when a source's data change their shape: `evolve` takes the change, `freeze` refuses the plan,
 * `discard_value` leaves out what does not fit, `discard_row` the rows that hold it.
 *
 * @source dlt's schema contracts: the same entities and modes
 */
export type ContractMode = 'evolve' | 'freeze' | 'discard_value' | 'discard_row';

/** By what changes: new tables, new columns, other types. */
export interface Contract {
  readonly tables: ContractMode;
  readonly columns: ContractMode;
  readonly dataType: ContractMode;
}

export const evolving: Contract = { tables: 'evolve', columns: 'evolve', dataType: 'evolve' };

/** Whether something may be left out under it, so that what the lake has must be known before a file is read. */
export function isDiscarding({ tables, columns, dataType }: Contract): boolean {
  return [tables, columns, dataType].some((mode) => mode.startsWith('discard'));
}

/**
 * The tables of a raw file as its contract lets them in.
 *
 * @param found     what the file holds
 * @param recorded  what the lake has of the source; undefined: nothing yet, and everything comes in
 */
export function underContract(
  found: readonly ElementSchema[],
  recorded: readonly ElementSchema[] | undefined,
  contract: Contract,
): readonly ElementSchema[] {
  if (recorded === undefined || !isDiscarding(contract)) return found;
  const before = new Map(recorded.map((element) => [element.table, element]));
  return found.flatMap((element): readonly ElementSchema[] => {
    const known = before.get(element.table);
    if (known === undefined) return contract.tables.startsWith('discard') ? [] : [element];
    // The columns of matrices are ours, not the file's.
    if (!hasOwnColumns(element)) return [element];
    return [{ ...element, columns: columnsUnder(element.columns, known.columns, contract) }];
  });
}

/** Whether its columns are those that the file names. */
export function hasOwnColumns({ kind }: Pick<ElementSchema, 'kind'>): boolean {
  return kind === 'table' || kind === 'dataframe';
}

function columnsUnder(
  found: readonly Column[],
  recorded: readonly Column[],
  { columns, dataType }: Contract,
): readonly Column[] {
  const was = new Map(recorded.map((column) => [column.name.toLowerCase(), column]));
  const is = new Set(found.map(({ name }) => name.toLowerCase()));
  const kept = found.flatMap((column): readonly Column[] => {
    const known = was.get(column.name.toLowerCase());
    if (known === undefined) return columns.startsWith('discard') ? [] : [column];
    return [dataType.startsWith('discard') ? { name: column.name, type: known.type } : column];
  });
  // A column that is gone from the file stays, without values: what reads it goes on.
  const gone = columns.startsWith('discard') ? recorded.filter(({ name }) => !is.has(name.toLowerCase())) : [];
  return [...kept, ...gone];
}

/** The tables that a lake has of each source, by the source's name: prod's, or those of the first environment that has it. */
export function tablesOfSources({
  environments,
  datasets,
}: Pick<LakeState, 'environments' | 'datasets'>): ReadonlyMap<string, readonly ElementSchema[]> {
  const names = [...environments.keys()].filter((name) => name !== PROD).sort();
  const found = new Map<string, readonly ElementSchema[]>();
  for (const name of [PROD, ...names]) {
    for (const [source, version] of Object.entries(environments.get(name)?.sources ?? {})) {
      const elements = datasets.get(`${source}@${version}`)?.elements;
      if (elements !== undefined && !found.has(source)) found.set(source, elements);
    }
  }
  return found;
}
