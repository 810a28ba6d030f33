import * as fs from 'node:fs';
import * as path from 'node:path';
import { DiagnosticError, succeed } from '../../domain/diagnostic.js';
import type { RowBlock, WritableType } from '../../effects/parquet-writer.js';
import { CompressionError, contentBlocks } from '../compression/index.js';
import { type PlannedElement, writeElements } from '../element.js';
import { type ConvertEffects, convertError, type Format, type RawFile } from '../format.js';
import { axisFrame } from '../memory-table.js';
import { sortMemoryOption } from '../sort-memory.js';
import { coordinateOrder, exchanged } from '../sparse-order.js';
import {
  describeOrder,
  type MatrixTable,
  matrixOptions,
  matrixPath,
  matrixTableName,
  xOrderOption,
} from '../x-order.js';
import { type Axes, axesOf } from './mtx/axes.js';
import { EntryParser } from './mtx/entry-parser.js';
import { EntrySpool, type ValueKind } from './mtx/entry-spool.js';
import { FETCH_AGAIN, type MatrixHeader, readHeader } from './mtx/header.js';
import {
  checkWidths,
  isMatrixName,
  matrixFile,
  type Role,
  readSideFile,
  type SideFile,
  sideFileOf,
  subjectOfMatrix,
} from './mtx/side-files.js';

const BANNER = Buffer.from('%%matrixmarket');
/** Where entries wait that memory does not hold; gone before the folder is published. */
const SPOOL = '.entries';

/**
 * Sparse matrices of the Matrix Market with the tables of names beside them (barcodes, features, genes; cells), as 10x
 * Genomics and GEO publish them. Given is the matrix, or the folder that holds it.
 */
export const mtx: Format = {
  name: 'mtx',
  endings: ['.mtx.gz', '.mtx.bz2', '.mtx.zst', '.mtx.xz', '.mtx'],
  options: [xOrderOption, sortMemoryOption],

  recognise({ fileName, fileNames, content }) {
    // Several matrices are a folder of files, each with its own names beside it.
    if (fileNames !== undefined) return fileNames.filter(isMatrixName).length === 1 ? 'by content' : undefined;
    const start = Buffer.from(content.subarray(0, BANNER.length)).toString('latin1').toLowerCase();
    if (start === BANNER.toString('latin1')) return 'by content';
    return isMatrixName(fileName) ? 'by name' : undefined;
  },

  subject: subjectOfMatrix,

  inputs: inputsOf,

  async inspect(raw) {
    const { matrixTables } = matrixOptions(raw);
    const { header, axes } = await open(raw);
    const matrices = matrixTables.map((order) => matrixElement(header, order, { blocks: () => [] }));
    return succeed([...frames(axes), ...matrices].map(({ schema }) => schema));
  },

  async convert(raw, folder, effects) {
    const { sortMemoryBytes, matrixTables } = matrixOptions(raw);
    // Half for the entries that wait, half for those that are sorted.
    const limitBytes = sortMemoryBytes / 2;
    const { matrix, header, axes } = await open(raw);
    const spool = new EntrySpool({
      minorCount: axes.genes.names.length,
      kind: header.kind,
      file: path.join(folder, SPOOL),
      limitBytes,
    });
    try {
      await readEntries(matrix, { header, axes, spool }, effects);
      const blocks = function* ({ sortedBy }: MatrixTable): Iterable<RowBlock> {
        const entries = sortedBy === 'gene' ? spool : exchanged(spool, axes.cells.names.length);
        for (const { major, minor, values } of coordinateOrder(entries, limitBytes)) {
          yield {
            rowCount: major.length,
            columns: [
              { kind: 'numbers', numbers: minor },
              { kind: 'numbers', numbers: major },
              { kind: 'numbers', numbers: values },
            ],
          };
        }
      };
      const read = { axes, entryCount: spool.entryCount };
      const matrices = matrixTables.map((order) => matrixElement(header, order, { blocks: () => blocks(order), read }));
      const elements = [...frames(axes), ...matrices];
      const database = await effects.duckdb.open();
      try {
        const { displayName } = raw;
        const { progress, kept } = effects;
        const parts = await writeElements(elements, { database, folder, displayName, progress, kept });
        const [version] = await database.rows('SELECT version() AS v');
        return succeed({
          elements: parts.map(({ element }) => element),
          manifest: {
            format: 'scilake-anndata/1',
            n_obs: axes.cells.names.length,
            n_vars: axes.genes.names.length,
            tools: { duckdb: String(version?.v) },
            elements: parts.map(({ manifest }) => manifest),
          },
          warnings: [...axes.warnings, ...strangers(raw), ...parts.flatMap(({ warnings }) => warnings)],
        });
      } finally {
        database.close();
      }
    } finally {
      spool.close();
    }
  },
};

const ROLES: readonly Role[] = ['cells', 'genes'];

function inputsOf(raw: RawFile): readonly string[] {
  const matrix = matrixFile(raw);
  return [matrix, ...ROLES.flatMap((role) => sideFileOf(matrix, role) ?? [])];
}

/** What else is in a folder that is taken as one matrix. */
function strangers(raw: RawFile): readonly string[] {
  if (!fs.statSync(raw.file).isDirectory()) return [];
  const known = new Set(inputsOf(raw).map((file) => path.basename(file)));
  const others = fs.readdirSync(raw.file).filter((name) => !name.startsWith('.') && !known.has(name));
  return others.sort().map((name) => `${JSON.stringify(name)} does not belong to the matrix and was left out`);
}

interface OpenMatrix {
  /** The matrix itself, also where the folder was given. */
  readonly matrix: RawFile;
  readonly header: MatrixHeader;
  readonly axes: Axes;
}

async function open(raw: RawFile): Promise<OpenMatrix> {
  const file = matrixFile(raw);
  const isFolder = file !== raw.file;
  const displayName = isFolder ? `${raw.displayName}/${path.basename(file)}` : raw.displayName;
  const matrix: RawFile = { ...raw, file, displayName, sizeBytes: isFolder ? fs.statSync(file).size : raw.sizeBytes };
  const header = await readHeader(matrix);
  const side = async (role: Role): Promise<SideFile | undefined> => {
    const sideFile = sideFileOf(file, role);
    if (sideFile === undefined) return undefined;
    const name = path.posix.join(path.posix.dirname(displayName.replaceAll('\\', '/')), path.basename(sideFile));
    const read = await readSideFile(sideFile, role, name);
    checkWidths(read, name);
    return read;
  };
  const sides = { cells: await side('cells'), genes: await side('genes') };
  return { matrix, header, axes: axesOf(header, sides, displayName) };
}

/** Reads all entries of the text into the spool. */
async function readEntries(
  matrix: RawFile,
  into: { readonly header: MatrixHeader; readonly axes: Axes; readonly spool: EntrySpool },
  effects: ConvertEffects,
): Promise<void> {
  const { header, axes, spool } = into;
  const parser = new EntryParser(matrix, header, { spool, rowsAre: axes.rowsAre });
  let offset = 0;
  try {
    for await (const block of contentBlocks(matrix.file)) {
      const skipped = Math.max(0, header.bodyOffset - offset);
      offset += block.length;
      if (skipped < block.length) parser.add(block.subarray(skipped));
      effects.progress?.(Math.min(offset, matrix.sizeBytes), matrix.sizeBytes, 'bytes');
    }
  } catch (thrown) {
    if (!(thrown instanceof CompressionError)) throw thrown;
    throw new DiagnosticError([
      convertError(
        'SL0610',
        `${matrix.displayName} is a ${thrown.message} after line ${parser.line} of the text`,
        FETCH_AGAIN,
      ),
    ]);
  }
  parser.finish();
}

function frames(axes: Axes): readonly PlannedElement[] {
  const { cells, genes } = axes;
  return [
    axisFrame({ path: 'obs', table: 'obs', key: 'cell_idx', warnsOfDuplicates: true, ...cells }),
    axisFrame({ path: 'var', table: 'var', key: 'gene_idx', warnsOfDuplicates: true, ...genes }),
  ];
}

const TYPES: Readonly<Record<ValueKind, { readonly type: WritableType; readonly dtype: string }>> = {
  integer: { type: 'INTEGER', dtype: 'int32' },
  real: { type: 'DOUBLE', dtype: 'float64' },
  // An entry of a pattern says that there is one.
  pattern: { type: 'UTINYINT', dtype: 'uint8' },
};

/** @param entries.read  what the entries turned out to be; left out where only the schema is asked for */
function matrixElement(
  header: MatrixHeader,
  order: MatrixTable,
  entries: {
    readonly blocks: () => Iterable<RowBlock>;
    readonly read?: { readonly axes: Axes; readonly entryCount: number };
  },
): PlannedElement {
  const { blocks, read } = entries;
  const { type, dtype } = TYPES[header.kind];
  const entryCount = read?.entryCount ?? 0;
  const keys = order.sortedBy === 'gene' ? ['gene_idx', 'cell_idx'] : ['cell_idx', 'gene_idx'];
  return {
    schema: {
      path: matrixPath('X', order),
      table: matrixTableName('X', order),
      kind: 'sparse',
      columns: [...keys.map((name) => ({ name, type: 'INTEGER' as const })), { name: 'value', type }],
    },
    rowCount: entryCount,
    neverNull: true,
    blocks,
    describe: () => ({
      kind: 'csr',
      dtype,
      shape: [read?.axes.cells.names.length ?? 0, read?.axes.genes.names.length ?? 0],
      nnz: entryCount,
      ...describeOrder('X', order),
    }),
  };
}
