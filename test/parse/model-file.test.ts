import { describe, expect, test } from 'vitest';
import { parseModelFile } from '../../src/parse/model-file.js';
import { modelDefaults, modelFile, modelWith, problemsOf, succeeded, textFile } from '../support/project-text.js';

describe('a model without properties', () => {
  const model = modelFile('MODEL (name Staging.Cells);\nSELECT 1 AS a');

  test('is a view, due every day in UTC', () => {
    expect(model.kind.name).toBe('VIEW');
    expect(model.cron).toEqual({ expression: '@daily', timeZone: 'UTC' });
    expect(model.intervalUnit).toBe('day');
  });

  test('is named in lower case', () => {
    expect(model.name).toEqual({ schema: 'staging', table: 'cells' });
    expect(model.key).toBe('staging.cells');
  });

  test('promises and declares nothing', () => {
    expect(model).toMatchObject({
      declaredColumns: [],
      columnDescriptions: {},
      grains: [],
      audits: [],
      inlineAudits: [],
      dependsOn: [],
      partitionedBy: [],
      clusteredBy: [],
      description: '',
      owner: '',
      tags: [],
      otherProperties: {},
      allowPartials: false,
    });
    expect(model).not.toHaveProperty('declaredSources');
    expect(model).not.toHaveProperty('start');
  });

  test('keeps its query as it was written', () => {
    expect(model.query?.text).toBe('SELECT 1 AS a');
    expect(model.query?.span).toEqual({ start: 28, end: 41 });
  });
});

describe('a model takes from the configuration', () => {
  test('what its header does not say', () => {
    const model = modelFile('MODEL (name s.m);\nSELECT 1', {
      kind: 'FULL',
      cron: '@hourly',
      start: '2024-01-01',
      owner: 'team',
    });
    expect(model).toMatchObject({
      kind: { name: 'FULL' },
      cron: { expression: '@hourly' },
      intervalUnit: 'hour',
      start: '2024-01-01',
      owner: 'team',
    });
  });

  test('nothing that its header says', () => {
    const model = modelFile("MODEL (name s.m, kind VIEW, cron '@daily', start '2023-01-01', owner me);\nSELECT 1", {
      kind: 'FULL',
      cron: '@hourly',
      start: '2024-01-01',
      owner: 'team',
    });
    expect(model).toMatchObject({
      kind: { name: 'VIEW' },
      cron: { expression: '@daily' },
      start: '2023-01-01',
      owner: 'me',
    });
  });
});

describe('the property', () => {
  test.each([
    ['cron', "cron '*/15 * * * *'", { cron: { expression: '*/15 * * * *' }, intervalUnit: 'quarter_hour' }],
    ['cron_tz', "cron_tz 'Europe/Warsaw'", { cron: { expression: '@daily', timeZone: 'Europe/Warsaw' } }],
    ['interval_unit', 'interval_unit hour', { intervalUnit: 'hour' }],
    ['allow_partials', 'allow_partials TRUE', { allowPartials: true }],
    ['start', "start '1 year ago'", { start: '1 year ago' }],
    ['end', "end '2024-12-31'", { end: '2024-12-31' }],
    ['stamp', "stamp 'v2'", { stamp: 'v2' }],
    [
      'columns',
      'columns (id INT, price DECIMAL(10, 2), s STRUCT(a INT, b VARCHAR[]))',
      {
        declaredColumns: [
          { name: 'id', type: 'INT' },
          { name: 'price', type: 'DECIMAL(10, 2)' },
          { name: 's', type: 'STRUCT(a INT, b VARCHAR[])' },
        ],
      },
    ],
    [
      'column_descriptions',
      "column_descriptions (ID = 'the key', v = 'it''s a value, really')",
      { columnDescriptions: { id: 'the key', v: "it's a value, really" } },
    ],
    ['grain', 'grain (cluster, gene)', { grains: [['cluster', 'gene']] }],
    ['grains', 'grains (id, (cluster, gene))', { grains: [['id'], ['cluster', 'gene']] }],
    ['depends_on', 'depends_on (S.a, "s"."B")', { dependsOn: [{ key: 's.a' }, { key: 's.b' }] }],
    ['sources', 'sources (pbmc68k)', { declaredSources: [{ key: 'pbmc68k' }] }],
    [
      'partitioned_by',
      "partitioned_by (date_trunc('day', ts), cls)",
      { partitionedBy: ["date_trunc('day', ts)", 'cls'] },
    ],
    ['clustered_by', 'clustered_by id', { clusteredBy: ['id'] }],
    ['description', "description 'what it is'", { description: 'what it is' }],
    ['owner', 'owner team', { owner: 'team' }],
    ['tags', 'tags (a, "b c")', { tags: ['a', 'b c'] }],
    ['tags in brackets', "tags ['a', 'b']", { tags: ['a', 'b'] }],
    ['dialect', 'dialect DuckDB', {}],
    ['physical_properties', 'physical_properties (x = 1)', { otherProperties: { physical_properties: '( x = 1 )' } }],
    ['gateway', 'gateway Local', { otherProperties: { gateway: 'local' } }],
  ])('%s is read', (_, properties, expected) => {
    expect(modelWith(properties)).toMatchObject(expected);
  });

  test('enabled false leaves the model out', () => {
    expect(succeeded(parseModelFile(textFile('MODEL (name s.m, enabled false);\nSELECT 1'), modelDefaults))).toEqual(
      [],
    );
  });

  test('audits holds calls with named arguments', () => {
    const { audits } = modelWith(
      'audits (not_null(columns := (a, b)), number_of_rows(threshold := 10), forall(criteria := [a > 0, b > 0]), Mine)',
    );
    expect(audits.map(({ name, arguments: given }) => [name, given])).toEqual([
      ['not_null', { columns: ['a', 'b'] }],
      ['number_of_rows', { threshold: '10' }],
      ['forall', { criteria: ['a > 0', 'b > 0'] }],
      ['mine', {}],
    ]);
    expect(audits[1]?.location).toMatchObject({ line: 1, length: 'number_of_rows'.length });
  });

  test('names are read in any case', () => {
    expect(modelFile('model (NAME s.m, Kind full);\nSELECT 1').kind.name).toBe('FULL');
  });
});

describe('statements of a model file', () => {
  const texts = (list: readonly { readonly text: string }[]): readonly string[] => list.map((sql) => sql.text);

  test('stand before and after the query', () => {
    const model = modelFile(
      'MODEL (name s.m);\nSET x = 1;\nCREATE MACRO f(a) AS a;\nWITH a AS (SELECT 1) SELECT * FROM a;\nANALYZE;',
    );
    expect(texts(model.preStatements)).toEqual(['SET x = 1', 'CREATE MACRO f(a) AS a']);
    expect(model.query?.text).toBe('WITH a AS (SELECT 1) SELECT * FROM a');
    expect(texts(model.postStatements)).toEqual(['ANALYZE']);
  });

  test('between ON_VIRTUAL_UPDATE_BEGIN and _END belong to promotion', () => {
    const model = modelFile(
      'MODEL (name s.m);\nSELECT 1;\nON_VIRTUAL_UPDATE_BEGIN;\nSELECT 2;\nCOMMENT ON VIEW x IS NULL;\nON_VIRTUAL_UPDATE_END;\nANALYZE',
    );
    expect(texts(model.onVirtualUpdate)).toEqual(['SELECT 2', 'COMMENT ON VIEW x IS NULL']);
    expect(texts(model.postStatements)).toEqual(['ANALYZE']);
    expect(model.query?.text).toBe('SELECT 1');
  });

  test.each([
    'FROM t SELECT a',
    'VALUES (1)',
    'PIVOT t ON a USING sum(b)',
    'UNPIVOT t ON a INTO NAME n VALUE v',
    'TABLE t',
    '(SELECT 1) UNION SELECT 2',
    'with a as (select 1) from a',
  ])('%s is a query', (query) => {
    expect(modelFile(`MODEL (name s.m);\n${query}`).query?.text).toBe(query);
  });

  test('an AUDIT block takes the query after it', () => {
    const model = modelFile(
      'MODEL (name s.m, audits (own));\nSELECT 1 AS a;\nAUDIT (name own);\nSELECT * FROM @this_model WHERE a < 0;',
    );
    expect(model.inlineAudits.map((audit) => [audit.name, audit.query.text])).toEqual([
      ['own', 'SELECT * FROM @this_model WHERE a < 0'],
    ]);
    expect(model.query?.text).toBe('SELECT 1 AS a');
  });

  test('a seed has none', () => {
    expect(modelFile("MODEL (name s.m, kind SEED (path 'a.csv'));").query).toBeUndefined();
  });
});

describe('a file is wrong where', () => {
  test.each([
    ['it has no MODEL block', 'SELECT 1', ['1:1+1 SL0107 this file has no MODEL block']],
    ['it is empty', '', ['1:1+1 SL0107 this file has no MODEL block']],
    [
      'it has two MODEL blocks',
      'MODEL (name s.a);\nMODEL (name s.b);\nSELECT 1',
      ['2:1+5 SL0106 a model file holds one MODEL block, this is a second MODEL'],
    ],
    ['the model has no name', 'MODEL (kind FULL);\nSELECT 1', ['1:1+5 SL0104 MODEL needs "name"']],
    [
      'the name has one part',
      'MODEL (name cells);\nSELECT 1',
      ["1:13+5 SL0105 a model's name has two parts, not cells"],
    ],
    [
      'the name has three parts',
      'MODEL (name lake.s.m);\nSELECT 1',
      ["1:13+8 SL0105 a model's name has two parts, not lake.s.m"],
    ],
    ['the kind does not exist', 'MODEL (name s.m, kind FULLL);\nSELECT 1', ['1:23+5 SL0105 there is no kind "FULLL"']],
    [
      'a property of the kind is unknown',
      'MODEL (name s.m, kind FULL (batch_size 3));\nSELECT 1',
      ['1:29+10 SL0103 unknown property "batch_size" in kind FULL'],
    ],
    [
      'a property is misspelt',
      'MODEL (name s.m,\n  grian (a));\nSELECT 1',
      ['2:3+5 SL0103 unknown property "grian" in MODEL'],
    ],
    [
      'a property stands twice',
      'MODEL (name s.m, owner a, OWNER b);\nSELECT 1',
      ['1:27+5 SL0106 property "owner" is given twice'],
    ],
    ['a property has no value', 'MODEL (name s.m, owner);\nSELECT 1', ['1:18+5 SL0105 property "owner" has no value']],
    [
      'there is no property name',
      'MODEL (name s.m, (a));\nSELECT 1',
      ['1:18+3 SL0102 expected a property name in MODEL'],
    ],
    [
      'a flag is neither true nor false',
      'MODEL (name s.m, allow_partials maybe);\nSELECT 1',
      ['1:33+5 SL0105 "allow_partials" is true or false, not maybe'],
    ],
    [
      'the cron is none',
      "MODEL (name s.m, cron '* * *');\nSELECT 1",
      ['1:23+7 SL0105 "* * *" is no cron: a cron has five fields: minute, hour, day of month, month, day of week'],
    ],
    [
      'the time zone is none',
      "MODEL (name s.m, cron_tz 'Mars/Base');\nSELECT 1",
      ['1:26+11 SL0105 "Mars/Base" is no time zone'],
    ],
    [
      'the unit is unknown',
      'MODEL (name s.m, interval_unit days);\nSELECT 1',
      [
        '1:32+4 SL0105 "interval_unit" is one of year, month, day, hour, half_hour, quarter_hour, five_minute, not days',
      ],
    ],
    [
      'the unit is longer than the cron',
      "MODEL (name s.m, cron '@hourly', interval_unit day);\nSELECT 1",
      ['1:48+3 SL0105 interval_unit day is longer than the period of cron @hourly'],
    ],
    [
      'an audit is no call',
      'MODEL (name s.m, audits (a b));\nSELECT 1',
      ['1:26+3 SL0105 expected an audit: name or name(argument := value)'],
    ],
    [
      'an audit argument has no name',
      'MODEL (name s.m, audits (not_null((a))));\nSELECT 1',
      ['1:35+3 SL0105 audit arguments are named: not_null(column := …)'],
    ],
    [
      'a column has no type',
      'MODEL (name s.m, columns (a));\nSELECT 1',
      ['1:27+1 SL0105 expected name = value in "columns"'],
    ],
    [
      'a parent is not schema.table',
      'MODEL (name s.m, depends_on (a));\nSELECT 1',
      ['1:30+1 SL0105 "depends_on" lists models as schema.table, not a'],
    ],
    [
      'the dialect is none',
      'MODEL (name s.m, dialect snowflak);\nSELECT 1',
      ['1:26+8 SL0105 there is no dialect "snowflak"'],
    ],
    [
      'a property would change the result and is not built yet',
      'MODEL (name s.m, physical_version v1);\nSELECT 1',
      ['1:35+2 SL0105 "physical_version" is not supported yet'],
    ],
    ['there is no query', 'MODEL (name s.m);\nSET x = 1', ['1:1+5 SL0107 this model has no query']],
    [
      'there are two queries',
      'MODEL (name s.m);\nSELECT 1;\n  SELECT 2',
      ['3:3+1 SL0107 a model has one query, this is a second'],
    ],
    [
      'a seed has a query',
      "MODEL (name s.m, kind SEED (path 'a.csv'));\nSELECT 1",
      ['2:1+1 SL0107 a model of kind SEED has no query'],
    ],
    [
      'it holds two Jinja queries',
      'MODEL (name s.m);\nJINJA_QUERY_BEGIN;\nSELECT 1;\nJINJA_END;\nJINJA_QUERY_BEGIN; SELECT 2 JINJA_END;',
      ['5:1+1 SL0107 a model has one query, this is a second'],
    ],
    [
      'its blueprints name no variable',
      'MODEL (name s.@a, blueprints ((a := x), (1)));\nSELECT 1',
      ['1:30+15 SL0105 "1" names no variable'],
    ],
    [
      'an inline audit lacks its query',
      'MODEL (name s.m);\nSELECT 1;\nAUDIT (name x);',
      ['3:1+5 SL0107 this audit has no query'],
    ],
  ])('%s', (_, text, expected) => {
    expect(problemsOf(text)).toEqual(expected);
  });

  test('there are many errors: all are found in one go', () => {
    const text = "MODEL (\n  name cells,\n  kind FUL,\n  cron 'never',\n  grian (a),\n  owner\n);\nSELECT 1;\nSELECT 2";
    expect(problemsOf(text).map((problem) => problem.split(' ')[0])).toEqual(
      expect.arrayContaining(['2:8+5', '3:8+3', '4:8+7', '5:3+5', '6:3+5', '9:1+1']),
    );
  });
});

test('a dialect that the configuration sets counts for models that name none', () => {
  expect(modelWith("dialect 'spark, normalization_strategy = lowercase'").dialect).toBe('spark');
  expect(problemsOf('-- about\nMODEL (name s.m);\nSELECT 1', { dialect: 'sparc' })).toEqual([
    '2:1+5 SL0105 there is no dialect "sparc"',
  ]);
});

describe('a unit longer than the cron', () => {
  test('is allowed where partial intervals are', () => {
    expect(modelWith("cron '@hourly', interval_unit day, allow_partials true").intervalUnit).toBe('day');
  });
});

test('a file that holds only audits has no models, and is no error', () => {
  expect(succeeded(parseModelFile(textFile('AUDIT (name a);\nSELECT 1'), modelDefaults))).toEqual([]);
});
