// `node bench/run.mjs lineage [MODELS …]`: see README.md.
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { generate } from './generate.mjs';
import { cheapest, measured, pythonWith, record } from './measure.mjs';

const here = import.meta.dirname;
const runs = 3;
const sqlglotVersion = '30.30.0';

/** @param sizes numbers of models */
export async function run(sizes) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'scilake-bench-'));
  try {
    const python = pythonWith(folder, {
      variable: 'SQLGLOT_PYTHON',
      packages: [`sqlglot==${sqlglotVersion}`],
      imports: 'sqlglot',
    });
    const results = (sizes.length > 0 ? sizes.map(Number) : [100, 1000]).map((count) => {
      const project = path.join(folder, `p${count}`);
      const cache = path.join(folder, `cache${count}`);
      generate(project, count);
      const load = path.join(here, 'load.mjs');
      const cold = cheapest(runs, () => {
        fs.rmSync(cache, { recursive: true, force: true });
        return measured(process.execPath, load, project, cache);
      });
      const cached = cheapest(runs, () => measured(process.execPath, load, project, cache));
      const peer = (way) =>
        measured(python, path.join(here, 'sqlglot_lineage.py'), path.join(project, 'queries.json'), way);
      const sqlglot = python && cheapest(runs, () => peer('per-query'));
      const sqlglotTyped = python && cheapest(runs, () => peer('typed'));
      // Once: it takes minutes, and its distance is larger than any noise.
      const sqlglotDocumented = python && peer('per-column');
      return { count, cold, cached, sqlglotTyped, sqlglot, sqlglotDocumented };
    });
    record('lineage', { runs, results });
    const perModel = ({ cpuSeconds, modelCount }) => (1000 * cpuSeconds) / modelCount;
    const times = (peer, one) => (peer ? `${(perModel(peer) / perModel(one)).toFixed(1)}x` : '').padStart(14);
    const lines = results.flatMap(({ count, cold, cached, sqlglotTyped, sqlglot, sqlglotDocumented }) =>
      [
        ['Scilake, cold', cold],
        ['Scilake, cached', cached],
        ['sqlglot, types too', sqlglotTyped],
        ['sqlglot, one pass', sqlglot],
        ['sqlglot, by column', sqlglotDocumented],
      ]
        .filter(([, one]) => one !== undefined)
        .map(([name, one]) =>
          [
            String(count).padStart(6),
            name.padEnd(18),
            one.cpuSeconds.toFixed(2).padStart(9),
            perModel(one).toFixed(2).padStart(12),
            String(one.columnCount).padStart(8),
            times(sqlglotTyped, one),
            times(sqlglot, one),
            times(sqlglotDocumented, one),
          ].join('  '),
        ),
    );
    process.stdout.write(
      `${['models', 'what'.padEnd(18), '  CPU s', 'CPU ms/model', ' columns', 'types too / it'.padStart(14), 'one pass / it'.padStart(14), 'by column / it'.padStart(14)].join('  ')}\n${lines.join('\n')}\n`,
    );
    if (!python) process.stdout.write('sqlglot left out: no Python with it, and it could not be installed.\n');
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}
