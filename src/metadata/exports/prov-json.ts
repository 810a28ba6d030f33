import type { ModelProvenance, RunProvenance, SourceProvenance } from '../../domain/provenance.js';
import { type Exporter, jsonText } from './export.js';

type Entries = Record<string, Readonly<Record<string, unknown>>>;

/** W3C PROV-JSON: raw files and tables are entities, runs activities, people and programs agents. */
export const provJson: Exporter = {
  name: 'prov',
  fileName: 'prov.json',
  summary: 'W3C PROV-JSON',
  write({ provenance: { sources, models, runs } }) {
    const entity: Entries = {};
    const activity: Entries = {};
    const agent: Entries = {};
    const relations = {
      used: {},
      wasGeneratedBy: {},
      wasDerivedFrom: {},
      wasAssociatedWith: {},
      hadMember: {},
      specializationOf: {},
    } satisfies Record<string, Entries>;
    const relate = (kind: keyof typeof relations, facts: Readonly<Record<string, string>>): void => {
      const all: Entries = relations[kind];
      all[`_:${kind}${Object.keys(all).length + 1}`] = facts;
    };
    for (const run of runs) addRun(run, activity, agent, relate);
    for (const source of sources) {
      entity[sourceId(source)] = sourceFacts(source);
      if (source.conceptDoi !== '') {
        const concept = `scilake:doi/${encodeURIComponent(source.conceptDoi)}`;
        entity[concept] = { 'prov:label': `all versions of ${source.conceptDoi}`, 'scilake:doi': source.conceptDoi };
        relate('specializationOf', { 'prov:specificEntity': sourceId(source), 'prov:generalEntity': concept });
      }
      for (const file of source.files.length > MOST_FILES ? [] : source.files) {
        const id = `${sourceId(source)}/${encodeURIComponent(file.name)}`;
        entity[id] = { 'prov:label': file.name, 'prov:location': file.url || file.name, 'scilake:sha256': file.sha256 };
        relate('hadMember', { 'prov:collection': sourceId(source), 'prov:entity': id });
      }
      for (const run of new Set(models.map((model) => model.run)))
        if (run !== '') relate('used', { 'prov:activity': runId(run), 'prov:entity': sourceId(source) });
    }
    for (const model of models) {
      entity[modelId(model)] = {
        'prov:label': model.model,
        'prov:type': { $: 'scilake:Table', type: 'prov:QUALIFIED_NAME' },
        'scilake:kind': model.kind,
        'scilake:file': model.file,
        'scilake:fingerprint': model.fingerprint,
        ...(model.rows === null ? {} : { 'scilake:rows': model.rows }),
      };
      if (model.run !== '')
        relate('wasGeneratedBy', { 'prov:entity': modelId(model), 'prov:activity': runId(model.run) });
    }
    const last = models.at(-1);
    if (last !== undefined)
      for (const source of sources)
        relate('wasDerivedFrom', { 'prov:generatedEntity': modelId(last), 'prov:usedEntity': sourceId(source) });
    return jsonText({ prefix: { scilake: 'urn:scilake:' }, entity, activity, agent, ...relations });
  },
};

/** A set of more is named as a whole, with its checksum. */
const MOST_FILES = 200;

function addRun(
  run: RunProvenance,
  activity: Entries,
  agent: Entries,
  relate: (kind: 'wasAssociatedWith', facts: Readonly<Record<string, string>>) => void,
): void {
  activity[runId(run.run)] = {
    'prov:startTime': run.startedAt,
    'prov:endTime': run.finishedAt,
    'scilake:plan': run.plan,
    ...(run.gitCommit === '' ? {} : { 'scilake:git_commit': run.gitCommit, 'scilake:git_dirty': run.isGitDirty }),
  };
  const person = `scilake:person/${encodeURIComponent(run.author)}`;
  agent[person] = { 'prov:label': run.author, 'prov:type': { $: 'prov:Person', type: 'prov:QUALIFIED_NAME' } };
  relate('wasAssociatedWith', { 'prov:activity': runId(run.run), 'prov:agent': person });
  for (const [name, version] of toolsOf(run)) {
    const id = `scilake:tool/${name}-${encodeURIComponent(version)}`;
    agent[id] = {
      'prov:label': `${name} ${version}`,
      'prov:type': { $: 'prov:SoftwareAgent', type: 'prov:QUALIFIED_NAME' },
    };
    relate('wasAssociatedWith', { 'prov:activity': runId(run.run), 'prov:agent': id });
  }
}

/** Versions of the programs of a run, by name. */
export function toolsOf({ tools }: RunProvenance): readonly (readonly [string, string])[] {
  const parsed: unknown = tools === '' ? {} : JSON.parse(tools);
  return typeof parsed === 'object' && parsed !== null
    ? Object.entries(parsed).map(([name, version]) => [name, String(version)] as const)
    : [];
}

function sourceFacts(source: SourceProvenance): Readonly<Record<string, unknown>> {
  const facts = {
    'prov:label': source.source,
    'prov:location': source.finalUrl || source.url || source.uri,
    'scilake:sha256': source.sha256,
    'scilake:doi': source.doi,
    'scilake:version': source.resolved,
    'scilake:files': source.files.length === 0 ? '' : String(source.files.length),
    'scilake:title': source.title,
    'scilake:accession': source.accession,
    'scilake:license': source.license || source.licenseText,
    'scilake:citation': source.citation,
    'scilake:fetched_at': source.fetchedAt,
  };
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== ''));
}

function sourceId({ source, version }: SourceProvenance): string {
  return `scilake:source/${source}-${version}`;
}

function modelId({ model, version }: ModelProvenance): string {
  return `scilake:table/${model}-${version}`;
}

function runId(run: string): string {
  return `scilake:run/${run}`;
}
