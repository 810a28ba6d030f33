import { isRecord, items, textAt } from '../../domain/json.js';
import { TEXT, type WrittenField } from '../../effects/hdf5-writer.js';
import { readTable } from '../../effects/table-reader.js';
import { ARRAY, encoding, numbersOfJson, storedBytes, TEXT_ARRAY, typeOfDtype, writtenType } from './encode.js';
import { writeFrame, writeSeries } from './frames.js';
import { type Manifest, type ManifestElement, parseExactJson } from './manifest.js';
import { writeArray, writeSparse } from './matrices.js';
import { type ExportTarget, exportError, readableColumns } from './target.js';

const COLUMNS = ['path', 'kind', 'dtype', 'shape', 'json'] as const;

/** Unstructured annotation: the leaves of `uns`, and the tables that they name. */
export async function writeUns(target: ExportTarget, element: ManifestElement, manifest: Manifest): Promise<void> {
  const columns = COLUMNS.map((name) => ({ name, type: 'VARCHAR' as const }));
  const sql = `SELECT ${COLUMNS.join(', ')} FROM ${target.relation(element)}`;
  for await (const block of readTable(target.database, sql, columns)) {
    const text = (column: number, row: number): string | null => {
      const values = block.columns[column];
      return values?.kind === 'texts' ? (values.texts[row] ?? null) : null;
    };
    for (let row = 0; row < block.rowCount; row++) {
      const leaf = {
        path: text(0, row) ?? '',
        kind: text(1, row) ?? '',
        dtype: text(2, row) ?? '',
        shape: items(parseExactJson(text(3, row) ?? '[]')).map(Number),
        json: text(4, row) ?? 'null',
      };
      await writeLeaf(target, leaf, manifest);
    }
  }
}

interface Leaf {
  /** Below `uns`. */
  readonly path: string;
  readonly kind: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly json: string;
}

async function writeLeaf(target: ExportTarget, leaf: Leaf, manifest: Manifest): Promise<void> {
  const { writer } = target;
  const at = `uns/${leaf.path}`;
  // Lists of R and the like have types of their own: they are kept as JSON.
  if (manifest.sourceFormat !== 'h5ad') {
    target.warn(`${at}: is written as JSON text`);
    writer.values(at, { type: TEXT, shape: [], attributes: encoding('string', '0.2.0') }, [leaf.json]);
    return;
  }
  const value = parseExactJson(leaf.json);
  const table = isRecord(value) ? manifest.elements.find((one) => one.table === textAt(value, 'table')) : undefined;
  if (table !== undefined) {
    await writeTable(target, leaf, { ...table, path: at });
    return;
  }
  switch (leaf.kind) {
    case 'dict':
      writer.group(at, encoding('dict', '0.1.0'));
      return;
    case 'null':
      writer.values(
        at,
        { type: writtenType('DOUBLE', ''), shape: undefined, attributes: encoding('null', '0.1.0') },
        new Uint8Array(0),
      );
      return;
    case 'string':
    case 'scalar':
    case 'array': {
      const values = leaf.kind === 'array' ? flat(value, leaf.shape.length) : [value];
      const type = typeOfDtype(leaf.dtype);
      const stored = writtenType(type, leaf.dtype);
      const attributes = attributesOf(leaf.kind, stored.class === 'text');
      const spec = { type: stored, shape: leaf.kind === 'array' ? leaf.shape : [], attributes };
      writer.values(
        at,
        spec,
        type === 'VARCHAR' ? values.map(String) : storedBytes(numbersOfJson(values, type), stored),
      );
      return;
    }
    default:
      throw exportError(target, { code: 'SL0665', path: at, message: `is of the unknown kind "${leaf.kind}"` });
  }
}

function attributesOf(kind: 'string' | 'scalar' | 'array', isText: boolean): ReturnType<typeof encoding> {
  if (kind === 'array') return isText ? TEXT_ARRAY : ARRAY;
  return isText ? encoding('string', '0.2.0') : encoding('numeric-scalar', '0.2.0');
}

function flat(value: unknown, depth: number): readonly unknown[] {
  return depth <= 1 ? items(value) : items(value).flatMap((item) => flat(item, depth - 1));
}

async function writeTable(target: ExportTarget, leaf: Leaf, element: ManifestElement): Promise<void> {
  const at = element.path;
  if (leaf.kind === 'categorical' || leaf.kind === 'nullable') await writeSeries(target, element);
  else if (element.kind === 'csr' || element.kind === 'csc') await writeSparse(target, element, at);
  else if (element.kind === 'array') await writeArray(target, element, at);
  else if (element.kind === 'rec-array') await writeRecords(target, element, at);
  else if (leaf.kind === 'array') await writeSeries(target, element);
  else await writeFrame(target, element, at);
}

/** A rec-array: rows of a compound. */
async function writeRecords(target: ExportTarget, element: ManifestElement, at: string): Promise<void> {
  const { writer, database } = target;
  const [key, ...columns] = await readableColumns(target, element);
  if (key === undefined || columns.length === 0) {
    throw exportError(target, { code: 'SL0661', path: at, message: 'is a rec-array without fields' });
  }
  const fields: WrittenField[] = [];
  let width = 0;
  for (const column of columns) {
    const facts = element.columns.find((one) => one.column === column.name);
    const type = writtenType(column.type, facts?.dtype ?? '');
    fields.push({ name: facts?.name ?? column.name, offset: width, type });
    width += type.bytes;
  }
  const [rowCount = 0] = element.shape;
  const type = { class: 'compound', bytes: width, fields } as const;
  const dataset = writer.dataset(at, { type, shape: [rowCount], attributes: encoding('rec-array', '0.2.0') });
  const expressions = columns.map(({ expression }) => expression).join(', ');
  const sql = `SELECT ${expressions} FROM ${target.relation(element)} ORDER BY ${key.expression}`;
  for await (const block of readTable(database, sql, columns)) {
    const out = new Uint8Array(block.rowCount * width);
    for (const [f, field] of fields.entries()) {
      const values = block.columns[f];
      if (values === undefined) continue;
      const bytes =
        values.kind === 'texts'
          ? writer.heap(values.texts.map((text) => text ?? ''))
          : storedBytes(values.numbers, field.type);
      const size = field.type.bytes;
      for (let i = 0; i < block.rowCount; i++)
        out.set(bytes.subarray(i * size, (i + 1) * size), i * width + field.offset);
    }
    dataset.write(out);
  }
  dataset.finish();
}
