import { stringify } from 'yaml';
import { descriptionOf, type Exporter, plainDoi, titleOf } from './export.js';

/** `CITATION.cff`, version 1.2.0: how to cite the table, and the sources as its references. */
export const citationCff: Exporter = {
  name: 'cff',
  fileName: 'CITATION.cff',
  summary: 'CITATION.cff 1.2.0',
  write(input) {
    const { provenance, madeAt, project } = input;
    const authors = [...new Set(provenance.runs.map(({ author }) => author))];
    const named = (authors.length === 0 ? [project] : authors).map((name) => ({ name }));
    const licenses = provenance.licenses.map(({ license }) => license).filter((license) => /^[\w.+-]+$/.test(license));
    return stringify({
      'cff-version': '1.2.0',
      message: 'If you use this table, please cite it and the data that it is made from.',
      type: 'dataset',
      title: titleOf(input),
      abstract: descriptionOf(input),
      authors: named,
      'date-released': madeAt.slice(0, 10),
      ...(licenses.length === 0 ? {} : { license: licenses }),
      references: provenance.sources.map((source) => {
        const doi = plainDoi(source.doi);
        const address = [source.homepage, source.finalUrl, source.url].find((one) => /^https?:/.test(one));
        return {
          type: 'data',
          title: source.title || source.source,
          authors: [{ name: source.citation.split(/[,(]/)[0]?.trim() || source.source }],
          ...(doi === undefined ? {} : { doi }),
          ...(address === undefined ? {} : { url: address }),
          ...(source.citation === '' ? {} : { notes: source.citation }),
        };
      }),
    });
  },
};
