// Converts, exports or asks one file in this process and prints what it cost: `node bench/convert-one.mjs convert FILE OUT [name=value …]`.
import * as fs from 'node:fs';
import * as path from 'node:path';
import { convertFile } from '../dist/convert/convert-file.js';
import { exportFolder, inspectFile } from '../dist/convert/index.js';
import { duckdb } from '../dist/effects/duckdb.js';
import { files } from '../dist/effects/files.js';

const [, , what, file, out, ...options] = process.argv;
const cpu = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

async function main() {
  switch (what) {
    case 'convert': {
      const given = Object.fromEntries(options.map((option) => option.split('=')));
      const converted = await convertFile(
        { file, displayName: path.basename(file), out, options: given },
        { duckdb, files },
      );
      if (!converted.ok) throw new Error(JSON.stringify(converted.errors));
      const x = converted.value.elements.find((element) => element.path === 'X' || element.kind === 'sparse');
      return { rows: x.rows, megabytes: fs.statSync(path.join(out, x.file)).size / 2 ** 20 };
    }
    case 'inspect': {
      // Reads all of an RDS file into memory and plans its tables, as planning does; writes nothing.
      const inspected = await inspectFile({ file, displayName: path.basename(file), options: {} }, { duckdb, files });
      if (!inspected.ok) throw new Error(JSON.stringify(inspected.errors));
      return {};
    }
    case 'export': {
      const exported = await exportFolder(file, { out, displayName: 'bench', compression: 'gzip' }, { duckdb, files });
      if (!exported.ok) throw new Error(JSON.stringify(exported.errors));
      return { megabytes: fs.statSync(out).size / 2 ** 20 };
    }
    case 'gene': {
      // One gene across all cells, in a connection that has read the file's metadata before.
      const database = await duckdb.open({ settings: { threads: '1' } });
      await database.rows(`SELECT count(*) FROM read_parquet('${file}')`);
      await database.run('SET parquet_metadata_cache = true');
      const ask = (gene) =>
        database.rows(`SELECT count(*) AS n, sum(value) AS s FROM read_parquet('${file}') WHERE gene_idx = ${gene}`);
      for (let i = 0; i < 10; i++) await ask(i);
      const before = cpu();
      for (let i = 0; i < 50; i++) await ask(100 + i * 37);
      const milliseconds = ((cpu() - before) / 50) * 1000;
      database.close();
      return { milliseconds };
    }
    case 'read_csv': {
      const database = await duckdb.open();
      await database.run(
        `COPY (SELECT column0 - 1 AS gene_idx, column1 - 1 AS cell_idx, column2 AS value FROM read_csv('${file}', delim = ' ', header = false, skip = 2, columns = {'column0': 'INTEGER', 'column1': 'INTEGER', 'column2': 'INTEGER'})) TO '${out}' (FORMAT parquet, COMPRESSION zstd)`,
      );
      database.close();
      return {};
    }
    default:
      throw new Error(`what is ${what}?`);
  }
}

const facts = await main();
process.stdout.write(JSON.stringify({ cpuSeconds: cpu(), peakMb: process.resourceUsage().maxRSS / 1024, ...facts }));
