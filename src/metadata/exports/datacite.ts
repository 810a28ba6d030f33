import { descriptionOf, type Exporter, jsonText, licenseUrl, plainDoi, titleOf, uuidOf } from './export.js';

/** DataCite metadata (kernel 4): what a registration of a DOI asks for, with the sources' DOIs as what it is derived from. */
export const dataCite: Exporter = {
  name: 'datacite',
  fileName: 'datacite.json',
  summary: 'DataCite metadata, kernel 4',
  write(input) {
    const { provenance, data, madeAt, project } = input;
    const authors = [...new Set(provenance.runs.map(({ author }) => author))];
    return jsonText({
      schemaVersion: 'http://datacite.org/schema/kernel-4',
      identifiers: [
        { identifier: `urn:uuid:${uuidOf(`${project} ${provenance.model} ${data.sha256}`)}`, identifierType: 'URN' },
      ],
      types: { resourceTypeGeneral: 'Dataset', resourceType: 'Table' },
      titles: [{ title: titleOf(input) }],
      creators: (authors.length === 0 ? [project] : authors).map((name) => ({ name })),
      publisher: project,
      publicationYear: madeAt.slice(0, 4),
      dates: [{ date: madeAt.slice(0, 10), dateType: 'Created' }],
      descriptions: [{ description: descriptionOf(input), descriptionType: 'Abstract' }],
      formats: ['application/vnd.apache.parquet'],
      sizes: [`${data.sizeBytes} bytes`, `${data.rows} rows`],
      rightsList: provenance.licenses.map(({ license, text }) =>
        license === ''
          ? { rights: text || 'unknown' }
          : {
              rights: license,
              rightsUri: licenseUrl(license),
              rightsIdentifier: license,
              rightsIdentifierScheme: 'SPDX',
              schemeUri: 'https://spdx.org/licenses/',
            },
      ),
      relatedIdentifiers: provenance.sources.flatMap(({ doi, conceptDoi, resolved, finalUrl, url }) => {
        // The version that was read, where the address is that of all versions.
        const plain = plainDoi(resolved) ?? plainDoi(doi);
        const concept = plainDoi(conceptDoi);
        const whole = concept === undefined || concept === plain ? [] : [concept];
        const address = finalUrl || url;
        if (plain !== undefined)
          return [
            { relatedIdentifier: plain, relatedIdentifierType: 'DOI', relationType: 'IsDerivedFrom' },
            ...whole.map((one) => ({
              relatedIdentifier: one,
              relatedIdentifierType: 'DOI',
              relationType: 'References',
            })),
          ];
        return /^https?:/.test(address)
          ? [{ relatedIdentifier: address, relatedIdentifierType: 'URL', relationType: 'IsDerivedFrom' }]
          : [];
      }),
    });
  },
};
