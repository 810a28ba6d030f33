import * as path from 'node:path';
import { DiagnosticError } from '../domain/diagnostic.js';
import { literal, qualified } from '../domain/names.js';
import type { ProjectConfig } from '../domain/project.js';
import type { Provenance } from '../domain/provenance.js';
import { writeBag } from '../metadata/exports/bagit.js';
import { type ExportInput, exporters } from '../metadata/exports/index.js';
import { type Workspace, withEnvironment } from '../workflow.js';

export interface ExportRequest {
  readonly provenance: Provenance;
  readonly config: ProjectConfig;
  /** Absolute path of a folder that does not exist, or is empty. */
  readonly out: string;
  readonly scilakeVersion: string;
}

/**
 * Writes a table with all that describes it: rows as parquet, the models' files, every description that there is, and the
 * checksums of a bag. The folder holds all of it or does not exist.
 *
 * @returns the names of the files, sorted
 * @throws DiagnosticError SL0904 when the folder is not free
 */
export async function exportProvenance(
  { provenance, config, out, scilakeVersion }: ExportRequest,
  workspace: Workspace,
): Promise<readonly string[]> {
  const { files, now } = workspace.outside;
  if (files.entries(out).length > 0 || files.facts(out)?.isDirectory === false)
    throw new DiagnosticError([
      { code: 'SL0904', severity: 'error', message: `${out} exists and is not empty`, hint: 'name a new folder' },
    ]);
  const work = files.makeTemporaryFolder(path.dirname(out), `.${path.basename(out)}-`);
  try {
    const dataPath = `data/${provenance.model}.parquet`;
    const file = path.join(work, dataPath);
    files.makeFolder(path.dirname(file));
    const rows = await writeRows(provenance, file, config, workspace);
    const models = provenance.models.map(({ model, file: from, text }) => {
      const name = `data/models/${model}${path.extname(from)}`;
      files.writeText(path.join(work, name), text);
      return { path: name, model };
    });
    const data = {
      path: dataPath,
      sha256: await files.sha256(file),
      sizeBytes: files.facts(file)?.sizeBytes ?? 0,
      rows,
    };
    const madeAt = now().toISOString();
    const input: ExportInput = { provenance, project: config.name, madeAt, scilakeVersion, data, models };
    for (const exporter of exporters) files.writeText(path.join(work, exporter.fileName), exporter.write(input));
    await writeBag(
      work,
      {
        'Bagging-Date': madeAt.slice(0, 10),
        'Bag-Software-Agent': `scilake ${scilakeVersion}`,
        'External-Identifier': `${config.name} ${provenance.model}`,
        'External-Description': `plan ${provenance.plan}, environment ${provenance.environment}`,
      },
      files,
    );
    files.remove(out);
    files.rename(work, out);
    return files.list(out);
  } finally {
    files.remove(work);
  }
}

function writeRows(
  { model, environment }: Provenance,
  file: string,
  config: ProjectConfig,
  workspace: Workspace,
): Promise<number> {
  return withEnvironment(workspace, config, environment, async (database) => {
    const [schema = '', ...table] = model.split('.');
    const [copied] = await database.rows(
      `COPY (FROM ${qualified(schema, table.join('.'))}) TO ${literal(file)} (FORMAT parquet, COMPRESSION zstd)`,
    );
    return Number(copied?.Count ?? 0);
  });
}
