import type { ModelProvenance } from '../../domain/provenance.js';
import { type Exporter, type ExportInput, uuidOf } from './export.js';

const SPEC = 'https://openlineage.io/spec';

/** OpenLineage: the start and the end of the run that built the table, as lines of JSON, with schema, column lineage and audits. */
export const openLineage: Exporter = {
  name: 'openlineage',
  fileName: 'openlineage.jsonl',
  summary: 'OpenLineage run events, with column lineage',
  write(input) {
    const { provenance } = input;
    const model = provenance.models.at(-1);
    const run = provenance.runs.find((one) => one.run === model?.run) ?? provenance.runs.at(-1);
    if (model === undefined || run === undefined) return '';
    const event = (eventType: 'START' | 'COMPLETE', eventTime: string): string =>
      JSON.stringify({
        eventType,
        eventTime,
        producer: producer(input),
        schemaURL: `${SPEC}/2-0-2/OpenLineage.json#/$defs/RunEvent`,
        run: {
          runId: uuidOf(`${run.run} ${model.model}`),
          facets: {
            processing_engine: facet(input, '1-1-1/ProcessingEngineRunFacet', {
              version: engineVersion(run.tools),
              name: 'DuckDB',
              openlineageAdapterVersion: input.scilakeVersion,
            }),
          },
        },
        job: {
          namespace: input.project,
          name: model.model,
          facets: { sql: facet(input, '1-0-1/SQLJobFacet', { query: model.text }) },
        },
        inputs: provenance.sources.map((source) => ({
          namespace: input.project,
          name: source.source,
          facets: {
            datasetVersion: facet(input, '1-0-1/DatasetVersionDatasetFacet', {
              datasetVersion: source.sha256 || source.version,
            }),
            dataSource: facet(input, '1-0-1/DatasourceDatasetFacet', {
              name: source.source,
              ...(URL.canParse(source.finalUrl || source.url) ? { uri: source.finalUrl || source.url } : {}),
            }),
          },
        })),
        outputs: [output(input, model)],
      });
    return `${event('START', run.startedAt)}\n${event('COMPLETE', run.finishedAt)}\n`;
  },
};

function output(input: ExportInput, model: ModelProvenance): Readonly<Record<string, unknown>> {
  const { provenance } = input;
  const sources = new Set(provenance.sources.map(({ source }) => source));
  return {
    namespace: input.project,
    name: model.model,
    facets: {
      schema: facet(input, '1-1-1/SchemaDatasetFacet', {
        fields: provenance.columns.map(({ name, type, description }) => ({
          name,
          type,
          ...(description === '' ? {} : { description }),
        })),
      }),
      columnLineage: facet(input, '1-2-0/ColumnLineageDatasetFacet', {
        fields: Object.fromEntries(
          provenance.columns.map(({ name, from }) => [
            name,
            {
              inputFields: from.flatMap((column) => {
                const [source = '', ...rest] = column.split('.');
                return sources.has(source) ? [{ namespace: input.project, name: source, field: rest.join('.') }] : [];
              }),
            },
          ]),
        ),
      }),
      datasetVersion: facet(input, '1-0-1/DatasetVersionDatasetFacet', { datasetVersion: model.version }),
    },
    outputFacets: {
      outputStatistics: facet(input, '1-0-2/OutputStatisticsOutputDatasetFacet', {
        rowCount: input.data.rows,
        size: input.data.sizeBytes,
      }),
    },
  };
}

function facet(
  input: ExportInput,
  schema: string,
  content: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const [version = '', name = ''] = schema.split('/');
  return {
    _producer: producer(input),
    _schemaURL: `${SPEC}/facets/${version}/${name}.json#/$defs/${name}`,
    ...content,
  };
}

function producer({ scilakeVersion }: ExportInput): string {
  return `urn:scilake:${scilakeVersion}`;
}

function engineVersion(tools: string): string {
  return /"duckdb":"v?([^"]*)"/.exec(tools)?.[1] ?? '';
}
