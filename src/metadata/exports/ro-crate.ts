import type { SourceFile, SourceProvenance } from '../../domain/provenance.js';
import { commonLicense, descriptionOf, type Exporter, jsonText, licenseUrl, plainDoi, titleOf } from './export.js';
import { toolsOf } from './prov-json.js';

/** A set of more is named as a whole, with its checksum: a crate of ten thousand entities helps nobody. */
const MOST_FILES = 200;

function listedFiles({ files }: SourceProvenance): readonly SourceFile[] {
  return files.length > MOST_FILES ? [] : files;
}

function fileId({ source }: SourceProvenance, { name, url }: SourceFile): string {
  const path = name.split('/').map(encodeURIComponent).join('/');
  return /^(?:https?|ftps?|s3|gs):/.test(url) ? url : `#source-${source}/${path}`;
}

function conceptsOf(sources: readonly SourceProvenance[]): readonly string[] {
  return [...new Set(sources.flatMap(({ conceptDoi }) => plainDoi(conceptDoi) ?? []))];
}

/** RO-Crate 1.1 with the profiles of Workflow Run Crate 0.5: the table, the models that made it, their raw files, and each run as an action. */
export const roCrate: Exporter = {
  name: 'ro-crate',
  fileName: 'ro-crate-metadata.json',
  summary: 'RO-Crate 1.1 with Workflow Run Crate',
  write(input) {
    const { provenance, data, models, madeAt, scilakeVersion } = input;
    const ref = (id: string): { readonly '@id': string } => ({ '@id': id });
    const license = commonLicense(provenance);
    const profiles = ['process', 'workflow'].map((name) => `https://w3id.org/ro/wfrun/${name}/0.5`);
    const main = models.at(-1)?.path ?? '';
    const tools = new Map(provenance.runs.flatMap((run) => toolsOf(run)));
    const sourceId = (at: number): string => {
      const { finalUrl, url, source } = provenance.sources[at] ?? { finalUrl: '', url: '', source: '' };
      const address = finalUrl || url;
      return /^(?:https?|ftp|s3|gs):/.test(address) ? address : `#source-${source}`;
    };
    const sourceIds = provenance.sources.map((_, at) => sourceId(at));
    const actions = provenance.runs.map((run) => ({
      '@id': `#run-${run.run}`,
      '@type': 'CreateAction',
      name: `apply of plan ${run.plan}`,
      instrument: ref(main),
      agent: ref(`#person-${encodeURIComponent(run.author)}`),
      object: sourceIds.map(ref),
      result: [ref(data.path)],
      startTime: run.startedAt,
      endTime: run.finishedAt,
      actionStatus: 'http://schema.org/CompletedActionStatus',
    }));
    const graph = [
      {
        '@id': 'ro-crate-metadata.json',
        '@type': 'CreativeWork',
        conformsTo: ref('https://w3id.org/ro/crate/1.1'),
        about: ref('./'),
      },
      {
        '@id': './',
        '@type': 'Dataset',
        name: titleOf(input),
        description: descriptionOf(input),
        datePublished: madeAt,
        conformsTo: profiles.map(ref),
        ...(license === undefined
          ? {
              license:
                provenance.licenses.map((one) => one.license || one.text || 'unknown').join(' AND ') || 'unknown',
            }
          : { license: ref(licenseUrl(license)) }),
        hasPart: [ref(data.path), ...models.map(({ path }) => ref(path))],
        mainEntity: ref(main),
        mentions: [...actions.map((action) => ref(action['@id'])), ...sourceIds.map(ref)],
      },
      ...profiles.map((id) => ({ '@id': id, '@type': 'CreativeWork', name: id.split('/').at(-2), version: '0.5' })),
      {
        '@id': data.path,
        '@type': 'File',
        name: provenance.model,
        encodingFormat: 'application/vnd.apache.parquet',
        contentSize: String(data.sizeBytes),
        sha256: data.sha256,
      },
      ...models.map(({ path, model }) => ({
        '@id': path,
        '@type':
          path === main ? ['File', 'SoftwareSourceCode', 'ComputationalWorkflow'] : ['File', 'SoftwareSourceCode'],
        name: model,
        programmingLanguage: ref('#sql'),
        ...(path === main ? { softwareRequirements: [...tools.keys()].map((name) => ref(`#tool-${name}`)) } : {}),
      })),
      { '@id': '#sql', '@type': 'ComputerLanguage', name: 'Scilake model (SQL of DuckDB)', version: scilakeVersion },
      ...[...tools].map(([name, version]) => ({
        '@id': `#tool-${name}`,
        '@type': 'SoftwareApplication',
        name,
        softwareVersion: version,
      })),
      ...provenance.sources.map((source, at) => ({
        '@id': sourceIds[at],
        '@type': source.files.length === 0 ? 'File' : 'Dataset',
        ...(source.files.length === 0 ? {} : { size: `${source.files.length} files` }),
        name: source.title || source.source,
        ...(listedFiles(source).length === 0
          ? {}
          : { hasPart: listedFiles(source).map((file) => ref(fileId(source, file))) }),
        ...(source.resolved === '' ? {} : { version: source.resolved }),
        ...(plainDoi(source.conceptDoi) === undefined
          ? {}
          : { exampleOfWork: ref(`https://doi.org/${plainDoi(source.conceptDoi)}`) }),
        ...(source.sha256 === '' ? {} : { sha256: source.sha256 }),
        ...(source.sizeBytes === null ? {} : { contentSize: String(source.sizeBytes) }),
        ...(source.license === '' ? {} : { license: ref(licenseUrl(source.license)) }),
        ...(plainDoi(source.doi) === undefined ? {} : { identifier: `https://doi.org/${plainDoi(source.doi)}` }),
        ...(source.citation === '' ? {} : { creditText: source.citation }),
        ...(source.accession === '' ? {} : { alternateName: source.accession }),
      })),
      ...provenance.sources.flatMap((source) =>
        listedFiles(source).map((file) => ({
          '@id': fileId(source, file),
          '@type': 'File',
          name: file.name,
          sha256: file.sha256,
          contentSize: String(file.sizeBytes),
        })),
      ),
      ...conceptsOf(provenance.sources).map((doi) => ({
        '@id': `https://doi.org/${doi}`,
        '@type': 'CreativeWork',
        name: `all versions of ${doi}`,
      })),
      ...[...new Set(provenance.sources.map((one) => one.license).concat(license ?? []))]
        .filter((id) => id !== '')
        .map((id) => ({ '@id': licenseUrl(id), '@type': 'CreativeWork', name: id })),
      ...actions,
      ...[...new Set(provenance.runs.map((run) => run.author))].map((author) => ({
        '@id': `#person-${encodeURIComponent(author)}`,
        '@type': 'Person',
        name: author,
      })),
    ];
    return jsonText({
      '@context': ['https://w3id.org/ro/crate/1.1/context', 'https://w3id.org/ro/terms/workflow-run/context'],
      '@graph': graph,
    });
  },
};
