import * as path from 'node:path';
import { DiagnosticError } from '../../../domain/diagnostic.js';
import { convertError } from '../../format.js';
import type { MemoryColumn } from '../../memory-table.js';
import { textColumn } from '../../text-column.js';
import type { MatrixHeader } from './header.js';
import type { Role, SideFile } from './side-files.js';

/** One axis of the AnnData tables. */
export interface AxisNames {
  readonly names: readonly string[];
  readonly indexName: string | null;
  readonly columns: readonly MemoryColumn[];
}

export interface Axes {
  readonly rowsAre: 'genes' | 'cells';
  readonly cells: AxisNames;
  readonly genes: AxisNames;
  readonly warnings: readonly string[];
}

/** An axis without names may be so long: a header of ten bytes must not ask for two billion of them. */
const MAX_UNNAMED = 10_000_000;

interface Reading {
  readonly rowsAre: 'genes' | 'cells';
  readonly headers: Readonly<Record<Role, boolean>>;
  /** How many side files would be read otherwise than their kind is usually written. */
  readonly surprises: number;
}

/**
 * Settles which axis is which from the lengths of the side files, with and without a header: 10x writes genes as rows,
 * others cells. When both fit, genes are rows.
 *
 * @throws DiagnosticError (SL0634) when the side files fit in neither way
 */
export function axesOf(
  header: MatrixHeader,
  sides: Readonly<Record<Role, SideFile | undefined>>,
  matrixName: string,
): Axes {
  const readings = (['genes', 'cells'] as const).flatMap((rowsAre) =>
    headerChoices(sides.cells).flatMap((cells) =>
      headerChoices(sides.genes).map(
        (genes): Reading => ({
          rowsAre,
          headers: { cells: cells.hasHeader, genes: genes.hasHeader },
          surprises: cells.surprises + genes.surprises,
        }),
      ),
    ),
  );
  const fitting = readings.filter((reading) => fits(reading, header, sides));
  const best = fitting.reduce<Reading | undefined>(
    (least, reading) => (least === undefined || reading.surprises < least.surprises ? reading : least),
    undefined,
  );
  if (best === undefined) throw misfit(header, sides, matrixName);
  const lengths = lengthsOf(best, header);
  const warnings: string[] = [];
  const axis = (role: Role): AxisNames => {
    const side = sides[role];
    if (side !== undefined) return namesOf(side, best.headers[role]);
    const length = lengths[role];
    if (length > MAX_UNNAMED) {
      throw new DiagnosticError([
        convertError(
          'SL0634',
          `${matrixName}: no file names its ${length} ${role}`,
          `put a table of them beside it; up to ${MAX_UNNAMED} may go without names`,
        ),
      ]);
    }
    warnings.push(`no file beside the matrix names its ${role}: they are numbered from 0`);
    return { names: Array.from({ length }, (_, i) => String(i)), indexName: null, columns: [] };
  };
  return { rowsAre: best.rowsAre, cells: axis('cells'), genes: axis('genes'), warnings };
}

/** With a header or without: comma-separated tables usually have one, tab-separated ones of 10x do not. */
function headerChoices(
  side: SideFile | undefined,
): readonly { readonly hasHeader: boolean; readonly surprises: number }[] {
  if (side === undefined) return [{ hasHeader: false, surprises: 0 }];
  if (hasShortHeader(side)) return [{ hasHeader: true, surprises: 0 }];
  const usual = side.isCommaSeparated;
  return [
    { hasHeader: usual, surprises: 0 },
    { hasHeader: !usual, surprises: 1 },
  ];
}

/** R's write.table leaves the name of the row names out of the header. */
function hasShortHeader({ records }: SideFile): boolean {
  return (records[1]?.length ?? 0) === (records[0]?.length ?? 0) + 1;
}

function lengthsOf({ rowsAre }: Reading, header: MatrixHeader): Readonly<Record<Role, number>> {
  const { rowCount, columnCount } = header;
  return rowsAre === 'genes' ? { genes: rowCount, cells: columnCount } : { genes: columnCount, cells: rowCount };
}

function fits(reading: Reading, header: MatrixHeader, sides: Readonly<Record<Role, SideFile | undefined>>): boolean {
  const lengths = lengthsOf(reading, header);
  return (['cells', 'genes'] as const).every((role) => {
    const side = sides[role];
    return side === undefined || side.records.length - (reading.headers[role] ? 1 : 0) === lengths[role];
  });
}

function misfit(
  header: MatrixHeader,
  sides: Readonly<Record<Role, SideFile | undefined>>,
  matrixName: string,
): DiagnosticError {
  const lengths = [sides.cells, sides.genes].flatMap((side) =>
    side === undefined ? [] : [`${path.basename(side.file)} has ${side.records.length} lines`],
  );
  return new DiagnosticError([
    convertError(
      'SL0634',
      `${matrixName}: line ${header.sizeLine} says ${header.rowCount} rows and ${header.columnCount} columns, but ${lengths.join(' and ')}`,
      'check that the files belong together; fetch them again',
    ),
  ]);
}

/** Names and further columns of an axis. */
function namesOf(side: SideFile, hasHeader: boolean): AxisNames {
  const body = hasHeader ? side.records.slice(1) : side.records;
  const width = body[0]?.length ?? side.records[0]?.length ?? 0;
  const column = (i: number): readonly string[] => body.map((record) => record[i] ?? '');
  if (hasHeader) {
    const first = side.records[0] ?? [];
    const header = first.length < width ? ['', ...first] : first;
    return {
      names: column(0),
      indexName: header[0] === '' ? null : (header[0] ?? null),
      columns: header.slice(1).map((name, i) => textColumn(name, column(i + 1))),
    };
  }
  if (side.role === 'cells' || width < 2) {
    const rest = Array.from({ length: Math.max(0, width - 1) }, (_, i) => textColumn(`column${i + 1}`, column(i + 1)));
    return { names: column(0), indexName: null, columns: rest };
  }
  // 10x: identifier, symbol, kind of feature; named as scanpy names them.
  const ids = column(0);
  const known = ['gene_ids', '', 'feature_types'];
  const rest = Array.from({ length: width }, (_, i) => i)
    .filter((i) => i !== 1)
    .map((i): MemoryColumn => {
      if (i > 2) return textColumn(`column${i}`, column(i));
      const values = { kind: 'texts', texts: column(i) } as const;
      return { original: known[i] ?? '', type: 'VARCHAR', values, description: { dtype: 'object' } };
    });
  return { names: column(1).map((name, i) => (name === '' ? (ids[i] ?? '') : name)), indexName: null, columns: rest };
}
