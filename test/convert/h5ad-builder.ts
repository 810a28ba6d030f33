import * as fs from 'node:fs';
import * as path from 'node:path';
import h5wasm, { FS, type Group } from 'h5wasm';

export type Numbers =
  | Int8Array
  | Uint8Array
  | Int32Array
  | BigInt64Array
  | BigUint64Array
  | Float32Array
  | Float64Array;

export interface SparseSpec {
  readonly layout: 'csr' | 'csc';
  readonly shape: readonly [number, number];
  readonly pointers: readonly number[];
  readonly indices: readonly number[];
  readonly values: Numbers;
}

/** Writes an HDF5 file; `build` gets its root. */
export async function writeHdf5(file: string, build: (root: Group) => void): Promise<string> {
  await h5wasm.ready;
  const name = `/${path.basename(file)}`;
  const root = new h5wasm.File(name, 'w');
  build(root);
  root.close();
  // FS is set once the module is ready; its typings come from @types/emscripten, which is not there.
  const memory = FS as unknown as { readFile(name: string): Uint8Array; unlink(name: string): void };
  fs.writeFileSync(file, memory.readFile(name));
  memory.unlink(name);
  return file;
}

/** An AnnData file of three cells and four genes, changed by `change`. */
export function writeAnnData(file: string, change: (root: Group) => void = () => {}): Promise<string> {
  return writeHdf5(file, (root) => {
    encode(root, 'anndata', '0.1.0');
    frame(root, 'obs', ['c0', 'c1', 'c2']);
    frame(root, 'var', ['g0', 'g1', 'g2', 'g3']);
    change(root);
  });
}

export function encode(element: Pick<Group, 'create_attribute'>, type: string, version: string): void {
  element.create_attribute('encoding-type', type);
  element.create_attribute('encoding-version', version);
}

/** A data frame without columns; `column` adds them. */
export function frame(parent: Group, name: string, index: readonly string[]): Group {
  const group = parent.create_group(name);
  encode(group, 'dataframe', '0.2.0');
  group.create_attribute('_index', '_index');
  texts(group, '_index', index);
  return group;
}

export function order(group: Group, names: readonly string[]): void {
  group.create_attribute('column-order', [...names]);
}

export function texts(parent: Group, name: string, values: readonly string[]): void {
  const dataset = parent.create_dataset({ name, data: [...values], shape: [values.length], dtype: 'S' });
  encode(dataset, 'string-array', '0.2.0');
}

export function numbers(parent: Group, name: string, data: Numbers, shape: readonly number[] = [data.length]): void {
  encode(parent.create_dataset({ name, data, shape: [...shape] }), 'array', '0.2.0');
}

export function categorical(
  parent: Group,
  name: string,
  spec: { readonly codes: readonly number[]; readonly categories: readonly string[]; readonly isOrdered?: boolean },
): void {
  const group = parent.create_group(name);
  encode(group, 'categorical', '0.2.0');
  // h5wasm cannot write HDF5 booleans; a byte stands for one.
  group.create_attribute('ordered', new Uint8Array([spec.isOrdered ? 1 : 0]), [], '<B');
  numbers(group, 'codes', new Int8Array(spec.codes));
  texts(group, 'categories', spec.categories);
}

export function sparse(parent: Group, name: string, spec: SparseSpec): Group {
  const group = parent.create_group(name);
  encode(group, `${spec.layout}_matrix`, '0.1.0');
  group.create_attribute('shape', new BigInt64Array(spec.shape.map(BigInt)), [2], '<q');
  group.create_dataset({ name: 'data', data: spec.values, shape: [spec.values.length] });
  group.create_dataset({ name: 'indices', data: new Int32Array(spec.indices), shape: [spec.indices.length] });
  group.create_dataset({ name: 'indptr', data: new Int32Array(spec.pointers), shape: [spec.pointers.length] });
  return group;
}

/** Three cells by four genes, five entries: one of them zero, one of them NaN. */
export const SMALL: SparseSpec = {
  layout: 'csr',
  shape: [3, 4],
  pointers: [0, 2, 3, 5],
  indices: [3, 0, 1, 0, 2],
  values: new Float32Array([1, 2, 0, 4, Number.NaN]),
};

export type { Group };
