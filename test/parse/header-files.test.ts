import { describe, expect, test } from 'vitest';
import { parseAuditFile } from '../../src/parse/audit-file.js';
import { parseSourceFile } from '../../src/parse/source-file.js';
import { errorsOf, inShort, succeeded, textFile } from '../support/project-text.js';

describe('a source file', () => {
  const sources = (text: string) => succeeded(parseSourceFile(textFile(text, 'sources/s.sql')));
  const problems = (text: string): readonly string[] =>
    errorsOf(parseSourceFile(textFile(text, 'sources/s.sql'))).map(inShort);
  const sha256 = 'A'.repeat(64);

  test('declares where data are and under which terms', () => {
    const text = `SOURCE (name PBMC, uri 'data/x.h5ad', format H5AD, format_options (x = 'raw', Sep = ','), checksum 'sha256:${sha256}',
      doi '10.1/x', accession 'GSE1', license 'CC-BY-4.0', citation 'Who, when', homepage 'https://example.org', description 'cells', owner me, tags (a, b));`;
    expect(sources(text)).toMatchObject([
      {
        name: 'pbmc',
        uri: 'data/x.h5ad',
        format: 'h5ad',
        formatOptions: { x: 'raw', sep: ',' },
        checksum: `sha256:${'a'.repeat(64)}`,
        doi: '10.1/x',
        accession: 'GSE1',
        license: 'CC-BY-4.0',
        citation: 'Who, when',
        homepage: 'https://example.org',
        description: 'cells',
      },
    ]);
  });

  test('leaves to recognition what it does not say', () => {
    const [source] = sources("SOURCE (name a, uri 'x.csv');");
    expect(source).not.toHaveProperty('format');
    expect(source).not.toHaveProperty('checksum');
  });

  test('may declare several', () => {
    expect(sources("SOURCE (name a, uri 'x');\nSOURCE (name b, uri 'y');").map((source) => source.name)).toEqual([
      'a',
      'b',
    ]);
  });

  test('knows where its URI and its checksum stand', () => {
    const [source] = sources(`SOURCE (\n  name a,\n  uri 'x.csv',\n  checksum 'md5:${'0'.repeat(32)}'\n);`);
    expect(source?.uriLocation).toMatchObject({ file: 'sources/s.sql', line: 3, column: 7, length: 7 });
    expect(source?.checksumLocation).toMatchObject({ line: 4, column: 12, length: 38 });
  });

  test.each([
    ['lacks name and URI', 'SOURCE ();', ['1:1+6 SL0104 SOURCE needs "name"', '1:1+6 SL0104 SOURCE needs "uri"']],
    [
      'has a name that is no schema',
      "SOURCE (name 'a-b', uri 'x');",
      ["1:14+5 SL0105 a source's name becomes a schema: letters, digits and underscores, not a-b"],
    ],
    [
      'has a checksum of another form',
      "SOURCE (name a, uri 'x', checksum 'abc');",
      ['1:35+5 SL0105 a checksum is sha256:<64 hex digits> or md5:<32 hex digits>'],
    ],
    [
      'misspells a property',
      "SOURCE (name a, uri 'x', licence 'MIT');",
      ['1:26+7 SL0103 unknown property "licence" in SOURCE'],
    ],
    ['holds a query', "SOURCE (name a, uri 'x');\nSELECT 1", ['2:1+1 SL0107 expected a SOURCE block']],
    ['holds a model', 'MODEL (name a.b);', ['1:1+5 SL0107 expected a SOURCE block']],
  ])('is wrong where it %s', (_, text, expected) => {
    expect(problems(text)).toEqual(expected);
  });

  test('suggests the property that was meant', () => {
    expect(errorsOf(parseSourceFile(textFile("SOURCE (name a, uri 'x', licence 'MIT');")))[0]?.hint).toBe(
      'did you mean "license"?',
    );
  });
});

describe('an audit file', () => {
  const audits = (text: string) => succeeded(parseAuditFile(textFile(text, 'audits/a.sql')));
  const problems = (text: string): readonly string[] =>
    errorsOf(parseAuditFile(textFile(text, 'audits/a.sql'))).map(inShort);

  test('declares a query that must give no rows', () => {
    expect(
      audits(
        "AUDIT (name Assert_Positive, defaults (threshold = 0, columns = (a, b)), blocking false, description 'why');\nSELECT * FROM @this_model WHERE x < @threshold;",
      ),
    ).toMatchObject([
      {
        name: 'assert_positive',
        defaults: { threshold: '0', columns: ['a', 'b'] },
        blocking: false,
        skip: false,
        description: 'why',
        query: { text: 'SELECT * FROM @this_model WHERE x < @threshold' },
      },
    ]);
  });

  test('blocks unless it says otherwise', () => {
    expect(audits('AUDIT (name a);\nSELECT 1')).toMatchObject([{ blocking: true, skip: false }]);
  });

  test('may declare several', () => {
    expect(
      audits('AUDIT (name a);\nSELECT 1;\nAUDIT (name b, skip true);\nSELECT 2;').map((audit) => [
        audit.name,
        audit.query.text,
        audit.skip,
      ]),
    ).toEqual([
      ['a', 'SELECT 1', false],
      ['b', 'SELECT 2', true],
    ]);
  });

  test.each([
    ['lacks its name', 'AUDIT ();\nSELECT 1', ['1:1+5 SL0104 AUDIT needs "name"']],
    ['lacks its query', 'AUDIT (name a);', ['1:1+5 SL0107 this audit has no query']],
    [
      'lacks the query of the first of two',
      'AUDIT (name a);\nAUDIT (name b);\nSELECT 1',
      ['1:1+5 SL0107 this audit has no query'],
    ],
    ['has a query without a header', 'SELECT 1', ['1:1+1 SL0107 expected an AUDIT block']],
    [
      'has two queries for one header',
      'AUDIT (name a);\nSELECT 1;\nSELECT 2',
      ['3:1+1 SL0107 expected an AUDIT block'],
    ],
    [
      'has a cron but does not stand alone',
      "AUDIT (name a, cron '@daily');\nSELECT 1",
      ['1:21+8 SL0105 "cron" is for audits that stand alone'],
    ],
    [
      'misspells a property',
      'AUDIT (name a, bloking true);\nSELECT 1',
      ['1:16+7 SL0103 unknown property "bloking" in AUDIT'],
    ],
  ])('is wrong where it %s', (_, text, expected) => {
    expect(problems(text)).toEqual(expected);
  });
});
