// `node bench/run.mjs ingest [FILES]`: see README.md.
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as net from 'node:net';
import * as os from 'node:os';
import * as path from 'node:path';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { measured, pythonWith, record } from './measure.mjs';

const here = import.meta.dirname;
const CHANGED = 10;

/** @param what how many small files the store has; 10,000 when left out */
export async function run(what) {
  const fileCount = Number(what[0] ?? 10_000);
  const folder = fs.mkdtempSync(path.join(process.env.SCILAKE_BENCH_FOLDER ?? os.tmpdir(), 'scilake-bench-'));
  const python = pythonWith(folder, {
    variable: 'SCILAKE_BENCH_DLT',
    packages: ['dlt[filesystem,duckdb]', 's3fs', 'moto[server]'],
    imports: 'dlt, s3fs, moto.server',
  });
  if (python === undefined)
    throw new Error('the store is a Python program: set SCILAKE_BENCH_DLT to one with dlt, s3fs and moto');
  const port = await freePort();
  const server = spawn(python, ['-m', 'moto.server', '-H', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' });
  try {
    await answers(port);
    Object.assign(process.env, {
      AWS_ACCESS_KEY_ID: 'bench',
      AWS_SECRET_ACCESS_KEY: 'bench',
      AWS_REGION: 'us-east-1',
      AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`,
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
      RUNTIME__DLTHUB_TELEMETRY: 'false',
    });
    await fill(fileCount, 0);
    const results = [];
    const times = (tool, once) => {
      for (const step of ['all new', 'nothing changed']) results.push({ tool, step, ...once() });
    };
    const project = path.join(folder, 'project');
    const ours = () => measured(process.execPath, path.join(here, 'ingest-one.mjs'), 's3://bench/runs/*.csv', project);
    const theirs = (mode) => () => measured(python, path.join(here, 'dlt_filesystem.py'), mode, 'bench', folder);
    times('scilake: land with checksums', ours);
    times('dlt: land', theirs('land'));
    times('dlt: list only', theirs('list'));
    // dlt takes what is as new as the newest of the last time again: its times are to the second.
    await new Promise((resolve) => setTimeout(resolve, 2000));
    await fill(CHANGED, 1);
    const step = `${CHANGED} changed`;
    results.push({ tool: 'scilake: land with checksums', step, ...ours() });
    results.push({ tool: 'dlt: land', step, ...theirs('land')() });
    results.push({ tool: 'dlt: list only', step, ...theirs('list')() });
    const of = (named) => results.find((one) => one.tool === named.tool && one.step === named.step);
    for (const one of results)
      if (one.tool !== 'dlt: land')
        one.timesDltLand = one.cpuSeconds / of({ tool: 'dlt: land', step: one.step }).cpuSeconds;
    record('ingest', { runs: 1, fileCount, results: results.map(({ sha256: _, ...one }) => one) });
    for (const { tool, step: at, cpuSeconds, wallSeconds, peakMb } of results)
      process.stdout.write(
        `${tool.padEnd(30)} ${at.padEnd(16)} ${cpuSeconds.toFixed(2)} CPU s  ${wallSeconds.toFixed(1)} s  ${peakMb.toFixed(0)} MB\n`,
      );
  } finally {
    server.kill('SIGKILL');
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

async function fill(count, round) {
  const client = new S3Client({ forcePathStyle: true });
  if (round === 0) await client.send(new CreateBucketCommand({ Bucket: 'bench' }));
  const put = (i) =>
    client.send(
      new PutObjectCommand({
        Bucket: 'bench',
        Key: `runs/${String(i).padStart(6, '0')}.csv`,
        Body: `id,round\n${i},${round}\n`,
      }),
    );
  for (let from = 0; from < count; from += 16)
    await Promise.all(Array.from({ length: Math.min(16, count - from) }, (_, i) => put(from + i)));
  client.destroy();
}

function freePort() {
  return new Promise((resolve) => {
    const probe = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

async function answers(port) {
  for (let attempt = 0; attempt < 600; attempt += 1) {
    const isThere = await new Promise((resolve) => {
      const socket = net.connect(port, '127.0.0.1');
      socket.once('connect', () => resolve(true) || socket.destroy());
      socket.once('error', () => resolve(false));
    });
    if (isThere) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`nothing listens at ${port}`);
}
