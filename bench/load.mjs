// Loads a project, with the lineage of all columns, and prints what it cost: `node bench/load.mjs PROJECT CACHE`.
import { duckdb } from '../dist/effects/duckdb.js';
import { files } from '../dist/effects/files.js';
import { tuneForShortRuns } from '../dist/effects/short-runs.js';
import { loadProject } from '../dist/load/load-project.js';

// As the command line does it.
tuneForShortRuns();
const [, , projectFolder, cacheFolder] = process.argv;
const loaded = await loadProject({ duckdb, files, projectFolder, cacheFolder });
if (!loaded.ok) throw new Error(JSON.stringify(loaded.errors.slice(0, 3), null, 2));
const own = loaded.value.models.filter((model) => model.lineage.known && model.model.query !== undefined);
const columnCount = own.reduce((sum, { lineage }) => sum + lineage.print.columns.length, 0);
const edgeCount = own.reduce(
  (sum, { lineage }) => sum + lineage.print.columns.reduce((n, c) => n + c.sources.length, 0),
  0,
);
const { user, system } = process.cpuUsage();
process.stdout.write(
  JSON.stringify({ cpuSeconds: (user + system) / 1e6, modelCount: own.length, columnCount, edgeCount }),
);
