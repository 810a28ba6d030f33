// `node bench/run.mjs NAME [ARGUMENTS …]`, or `npm run bench` for lineage: see README.md.
/** Every benchmark: a module that exports `run(arguments)`. */
const benchmarks = {
  lineage: () => import('./lineage.mjs'),
  convert: () => import('./convert.mjs'),
  ingest: () => import('./ingest.mjs'),
};

const [, , name = 'lineage', ...rest] = process.argv;
if (!Object.hasOwn(benchmarks, name)) {
  process.stderr.write(`no benchmark ${name}; there are: ${Object.keys(benchmarks).join(', ')}\n`);
  process.exit(2);
}
const { run } = await benchmarks[name]();
await run(rest);
