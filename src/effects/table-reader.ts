import { type NumberArray, numbersOfType, type WritableColumn, widthOfType } from './column-facts.js';
import type { Database } from './duckdb.js';
import type { ColumnValues, RowBlock } from './parquet-writer.js';

/** Rows that are gathered before they are handed over. */
const ROWS_PER_BLOCK = 1 << 16;

/**
 * Reads the rows of a query as typed arrays, block by block: the way back from `writeParquet`. DuckDB streams, so memory
 * is one block and whatever the query's own sort takes.
 *
 * @param columns  names and types of the query's result, in its order
 * @throws DuckDB's error
 */
export async function* readTable(
  database: Database,
  sql: string,
  columns: readonly WritableColumn[],
): AsyncIterable<RowBlock> {
  const { default: bindings } = await import('@duckdb/node-bindings');
  const result = await database.connection.stream(sql);
  if (result.columnCount !== columns.length) {
    throw new Error(`a query gives ${result.columnCount} columns, ${columns.length} are expected: ${sql}`);
  }
  let gathered = columns.map(startOf);
  let filled = 0;
  for (;;) {
    const chunk = await result.fetchChunk();
    if (chunk === null || chunk.rowCount === 0) break;
    const count = chunk.rowCount;
    for (const [index, column] of columns.entries()) {
      const to = gathered[index];
      if (to === undefined) continue;
      if (to.kind === 'texts') {
        for (const value of chunk.getColumnValues(index)) to.texts.push(value === null ? null : String(value));
        continue;
      }
      const vector = bindings.data_chunk_get_vector(chunk.chunk, index);
      const width = widthOfType(column.type);
      to.bytes.set(bindings.vector_get_data(vector, count * width), filled * width);
      const validity = bindings.vector_get_validity(vector, Math.ceil(count / 64) * 8);
      // No validity at all means that every row has a value.
      if (validity === null || validity.length === 0) continue;
      for (let i = 0; i < count; i++) {
        if (((validity[i >> 3] ?? 0) >> (i & 7)) & 1) continue;
        to.isNull ??= new Uint8Array(CAPACITY);
        to.isNull[filled + i] = 1;
      }
    }
    filled += count;
    if (filled < ROWS_PER_BLOCK) continue;
    yield blockOf(gathered, columns, filled);
    gathered = columns.map(startOf);
    filled = 0;
  }
  if (filled > 0) yield blockOf(gathered, columns, filled);
}

/** A block ends with the vector that fills it; DuckDB's vectors hold 2,048 rows. */
const CAPACITY = ROWS_PER_BLOCK + 2048;

type Gathered =
  | { readonly kind: 'texts'; readonly texts: (string | null)[] }
  | { readonly kind: 'numbers'; readonly bytes: Uint8Array<ArrayBuffer>; isNull: Uint8Array | undefined };

function startOf({ type }: WritableColumn): Gathered {
  if (type === 'VARCHAR') return { kind: 'texts', texts: [] };
  return { kind: 'numbers', bytes: new Uint8Array(CAPACITY * widthOfType(type)), isNull: undefined };
}

function blockOf(gathered: readonly Gathered[], columns: readonly WritableColumn[], rowCount: number): RowBlock {
  return {
    rowCount,
    columns: gathered.map((column, index): ColumnValues => {
      if (column.kind === 'texts') return column;
      const type = columns[index]?.type ?? 'DOUBLE';
      const numbers: NumberArray = numbersOfType(type, column.bytes.buffer).subarray(0, rowCount);
      const { isNull } = column;
      return { kind: 'numbers', numbers, ...(isNull === undefined ? {} : { isNull: isNull.subarray(0, rowCount) }) };
    }),
  };
}
