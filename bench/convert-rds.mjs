// Makes a dgCMatrix as saveRDS writes it: `node bench/convert-rds.mjs CELLS GENES ENTRIES FILE`.
import * as fs from 'node:fs';
import * as zlib from 'node:zlib';

const [cells, genes, entries] = process.argv.slice(2, 5).map(Number);
const file = process.argv[5];
const perCell = Math.floor(entries / cells);
const count = perCell * cells;
const int = (value) => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};
const text = (value) => Buffer.concat([int(9 | (64 << 12)), int(Buffer.byteLength(value)), Buffer.from(value)]);
const named = (name, ...value) => [int(2 | 0x400), int(1), text(name), ...value];
const vector = (type, length, width, write) => {
  const bytes = Buffer.alloc(8 + length * width);
  bytes.writeInt32BE(type, 0);
  bytes.writeInt32BE(length, 4);
  for (let i = 0; i < length; i++) write(bytes, i, 8 + i * width);
  return bytes;
};
// As drawn: a gene of a cell lies some genes behind the one before, counts are small and mostly 1. The same each time.
let state = 7;
const random = () => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
};
const drawn = new Int32Array(count);
for (let cell = 0; cell < cells; cell += 1) {
  // Cut at random into as many gaps as there are entries, none of them empty.
  const gaps = Float64Array.from({ length: perCell + 1 }, () => -Math.log(1 - random()));
  const all = gaps.reduce((sum, gap) => sum + gap, 0);
  let at = 0;
  for (let e = 0; e < perCell; e += 1) {
    at += (gaps[e] / all) * (genes - perCell);
    drawn[cell * perCell + e] = Math.floor(at) + e;
  }
}
const counts = Uint8Array.from(
  { length: count },
  () => 1 + Math.min(200, Math.floor(Math.log(1 - random()) / Math.log(0.55))),
);
const parts = [
  Buffer.from('X\n'),
  int(3),
  int(0x040200),
  int(0x030500),
  int(5),
  Buffer.from('UTF-8'),
  int(25 | 0x100 | 0x200 | (1 << 16)),
  ...named(
    'i',
    vector(13, count, 4, (b, e, at) => b.writeInt32BE(drawn[e], at)),
  ),
  ...named(
    'p',
    vector(13, cells + 1, 4, (b, c, at) => b.writeInt32BE(c * perCell, at)),
  ),
  ...named(
    'Dim',
    vector(13, 2, 4, (b, i, at) => b.writeInt32BE(i === 0 ? genes : cells, at)),
  ),
  ...named('Dimnames', int(19), int(2), int(254), int(254)),
  ...named(
    'x',
    vector(14, count, 8, (b, e, at) => b.writeDoubleBE(counts[e], at)),
  ),
  ...named('factors', int(19), int(0)),
  ...named(
    'class',
    int(16 | 0x200),
    int(1),
    text('dgCMatrix'),
    ...named('package', int(16), int(1), text('Matrix')),
    int(254),
  ),
  int(254),
];
fs.writeFileSync(file, zlib.gzipSync(Buffer.concat(parts), { level: 6 }));
