import { descriptionOf, type Exporter, jsonText, licenseUrl, titleOf } from './export.js';

/** Croissant 1.0: the table as a record set over its parquet file. */
export const croissant: Exporter = {
  name: 'croissant',
  fileName: 'croissant.json',
  summary: 'Croissant 1.0',
  write(input) {
    const { provenance, data, madeAt } = input;
    const fields = provenance.columns.flatMap(({ name, type, description }) => {
      const dataType = dataTypeOf(type);
      // Lists and structs have no place in a flat record set; the parquet file has them.
      if (dataType === undefined) return [];
      return [
        {
          '@type': 'cr:Field',
          '@id': `${provenance.model}/${name}`,
          name,
          ...(description === '' ? {} : { description }),
          dataType,
          source: { fileObject: { '@id': data.path }, extract: { column: name } },
        },
      ];
    });
    const citations = provenance.sources.flatMap(({ citation }) => (citation === '' ? [] : [citation]));
    const licenses = provenance.licenses.map(({ license, text }) => (license === '' ? text : licenseUrl(license)));
    const [address] = provenance.sources.map(({ homepage }) => homepage).filter((homepage) => homepage !== '');
    return jsonText({
      '@context': context,
      '@type': 'sc:Dataset',
      conformsTo: 'http://mlcommons.org/croissant/1.0',
      name: titleOf(input),
      description: descriptionOf(input),
      datePublished: madeAt,
      version: '1.0.0',
      url: address ?? `urn:scilake:${input.project}:${provenance.model}`,
      creator: [...new Set(provenance.runs.map(({ author }) => author))].map((name) => ({
        '@type': 'sc:Person',
        name,
      })),
      license: licenses.filter((license) => license !== ''),
      ...(citations.length === 0 ? {} : { citeAs: citations.join(' ') }),
      isLiveDataset: false,
      distribution: [
        {
          '@type': 'cr:FileObject',
          '@id': data.path,
          name: data.path,
          contentUrl: data.path,
          contentSize: `${data.sizeBytes} B`,
          encodingFormat: 'application/x-parquet',
          sha256: data.sha256,
        },
      ],
      recordSet: [{ '@type': 'cr:RecordSet', '@id': provenance.model, name: provenance.model, field: fields }],
    });
  },
};

function dataTypeOf(type: string): string | undefined {
  const plain = type.toUpperCase();
  if (/[[\]]|^(?:STRUCT|MAP|UNION)/.test(plain)) return undefined;
  if (/^U?(?:TINY|SMALL|BIG|HUGE)?INT(?:EGER)?$/.test(plain)) return 'sc:Integer';
  if (/^(?:FLOAT|DOUBLE|REAL|DECIMAL)/.test(plain)) return 'sc:Float';
  if (plain === 'BOOLEAN') return 'sc:Boolean';
  if (plain === 'DATE' || plain.startsWith('TIMESTAMP')) return 'sc:Date';
  return 'sc:Text';
}

/** As the specification gives it: readers compare it. */
const context = {
  '@language': 'en',
  '@vocab': 'https://schema.org/',
  citeAs: 'cr:citeAs',
  column: 'cr:column',
  conformsTo: 'dct:conformsTo',
  cr: 'http://mlcommons.org/croissant/',
  data: { '@id': 'cr:data', '@type': '@json' },
  dataType: { '@id': 'cr:dataType', '@type': '@vocab' },
  dct: 'http://purl.org/dc/terms/',
  equivalentProperty: 'cr:equivalentProperty',
  examples: { '@id': 'cr:examples', '@type': '@json' },
  extract: 'cr:extract',
  field: 'cr:field',
  fileObject: 'cr:fileObject',
  fileProperty: 'cr:fileProperty',
  fileSet: 'cr:fileSet',
  format: 'cr:format',
  includes: 'cr:includes',
  isLiveDataset: 'cr:isLiveDataset',
  jsonPath: 'cr:jsonPath',
  key: 'cr:key',
  md5: 'cr:md5',
  parentField: 'cr:parentField',
  path: 'cr:path',
  rai: 'http://mlcommons.org/croissant/RAI/',
  recordSet: 'cr:recordSet',
  references: 'cr:references',
  regex: 'cr:regex',
  repeated: 'cr:repeated',
  replace: 'cr:replace',
  samplingRate: 'cr:samplingRate',
  sc: 'https://schema.org/',
  separator: 'cr:separator',
  source: 'cr:source',
  subField: 'cr:subField',
  transform: 'cr:transform',
};
