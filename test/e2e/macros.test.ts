import { afterEach, describe, expect, test } from 'vitest';
import { makeRig, type Rig, SOURCE_MODEL } from '../support/cli-rig.js';

let rig: Rig;
afterEach(() => rig.dispose());

const src = { 'models/src.sql': SOURCE_MODEL };

describe('macros in a project', () => {
  test('expand in queries, with variables of the configuration, definitions and the columns of parents', async () => {
    rig = makeRig({
      ...src,
      'scilake.yaml': "model_defaults:\n  start: '2024-01-01'\nvariables:\n  factor: 3\n  names: [id, mag]\n",
      'macros/shared.sql': '@DEF(scaled, x -> x * @factor);',
      'models/a.sql': [
        'MODEL (name s.a, kind FULL);',
        '@DEF(shift, 1);',
        'SELECT @STAR(s.src, exclude := [ds]), @scaled(mag) + @shift AS scaled, @EACH(@names, n -> n IS NULL AS @{n}_missing)',
        'FROM s.src',
        '@WHERE(@factor > 2) id > 0',
      ].join('\n'),
    });
    await rig.ok('apply', '-y');
    expect(await rig.rows('FROM s.a')).toEqual([
      { id: 1, mag: 10, cls: 'x', scaled: 31, id_missing: false, mag_missing: false },
    ]);
  });

  test('written in TypeScript see columns, and change what is planned when their result changes', async () => {
    const macro = (factor: number): string =>
      `import { defineMacro } from 'scilake';
       export const times = defineMacro((context, x: string) => \`(\${x}) * ${factor}\`);
       export const numbers = defineMacro((context, table: string) =>
         context.columnsOf(table)?.filter((column) => column.type === 'DOUBLE').map((column) => column.name));`;
    rig = makeRig({
      ...src,
      'macros/own.ts': macro(2),
      'models/a.sql':
        'MODEL (name s.a, kind FULL);\nSELECT id, @times(mag) AS m, @EACH(@numbers(s.src), n -> n AS @{n}_copy) FROM s.src',
    });
    await rig.ok('apply', '-y');
    expect(await rig.rows('FROM s.a')).toEqual([{ id: 1, m: 20, mag_copy: 10 }]);
    rig.write({ 'macros/own.ts': macro(2).replace('import', '// a comment\nimport') });
    expect((await rig.ok('plan', '--json')).json<{ steps: unknown[] }>().steps).toEqual([]);
    rig.write({ 'macros/own.ts': macro(5) });
    await rig.ok('apply', '-y');
    expect(await rig.rows('SELECT m FROM s.a')).toEqual([{ m: 50 }]);
  });

  test('with a syntax error are an error at its place', async () => {
    rig = makeRig({ ...src, 'macros/own.ts': 'export const a = 1;\nexport const b = (;\n' });
    const outcome = await rig.run('plan');
    expect(outcome.code).toBe(1);
    expect(outcome.err).toContain('macros/own.ts:2:19');
  });
});

describe('blueprints', () => {
  const files = {
    ...src,
    'models/per_class.sql': [
      'MODEL (',
      '  name s.@{class}_rows,',
      '  kind FULL,',
      '  blueprints ((class := x, low := 1), (class := y, low := 2)),',
      '  tags (@class),',
      ');',
      "SELECT id + @low AS id, @BLUEPRINT_VAR('low') AS low FROM s.src WHERE cls = @'@class'",
    ].join('\n'),
  };

  test('make a model of each entry', async () => {
    rig = makeRig(files);
    await rig.ok('apply', '-y');
    expect(await rig.rows('FROM s.x_rows')).toEqual([{ id: 2, low: 1 }]);
    expect(await rig.rows('FROM s.y_rows')).toEqual([]);
    expect((await rig.ok('plan', '--json')).json<{ steps: unknown[] }>().steps).toEqual([]);
  });

  test('keep errors at their lines', async () => {
    rig = makeRig({
      ...files,
      'models/per_class.sql': files['models/per_class.sql'].replace('FROM s.src', 'FROM s.scr'),
    });
    const outcome = await rig.run('plan');
    expect(outcome.err.match(/models\/per_class.sql:7:59/g)).toHaveLength(1);
  });
});

describe('the configuration', () => {
  test('gives models their defaults, and yields to the environment', async () => {
    rig = makeRig(
      {
        ...src,
        '.env': 'SCILAKE__VARIABLES__ONE=from the file\nSCILAKE__VARIABLES__TWO=from the file\n',
        'scilake.yaml': [
          'model_defaults:',
          "  start: '2024-01-01'",
          '  kind: FULL',
          '  audits: [not_null(columns := (id))]',
          'gateways:',
          '  local: {variables: {three: from the gateway}}',
          'variables: {one: a, two: a, three: a}',
        ].join('\n'),
        'models/a.sql': 'MODEL (name s.a);\nSELECT NULL::INT AS id, @one AS one, @two AS two, @three AS three',
        'models/b.sql':
          'MODEL (name s.b);\nSELECT 1 AS id, @one AS one, @two AS two, @three AS three, @gateway AS gateway',
      },
      { environment: { SCILAKE__VARIABLES__ONE: 'from the process' } },
    );
    const outcome = await rig.run('apply', '-y');
    expect(outcome.code).toBe(1);
    expect(outcome.err).toContain('not_null');
    rig.remove('models/a.sql');
    await rig.ok('apply', '-y');
    expect(await rig.rows('FROM s.b')).toEqual([
      { id: 1, one: 'from the process', two: 'from the file', three: 'from the gateway', gateway: 'local' },
    ]);
  });
});

describe('Jinja', () => {
  test('renders queries and statements, with macros of the project and variables of time', async () => {
    rig = makeRig({
      ...src,
      'scilake.yaml': "model_defaults:\n  start: '2024-01-01'\nvariables:\n  columns: id\n",
      'macros/jinja.sql': '{% macro plus(column, n) %}\n{{ column }} + {{ n }}\n{% endmacro %}',
      'models/a.sql': [
        'MODEL (name s.a, kind INCREMENTAL_BY_TIME_RANGE (time_column ds));',
        'JINJA_QUERY_BEGIN;',
        "SELECT {{ plus('id', 41) }} AS answer, ds,",
        "  {% for name in [var('columns'), 'mag'] %}{{ name }} AS {{ name }}_copy{{ ', ' if not loop.last }}{% endfor %}",
        'FROM s.src',
        "WHERE ds BETWEEN '{{ start_ds }}' AND '{{ end_ds }}'",
        'JINJA_END;',
      ].join('\n'),
    });
    await rig.ok('apply', '-y');
    expect(await rig.rows('SELECT answer, id_copy, mag_copy FROM s.a')).toEqual([
      { answer: 42, id_copy: 1, mag_copy: 10 },
    ]);
  });

  test('renders audits, where nothing else is in Jinja', async () => {
    rig = makeRig({
      ...src,
      'audits/small.sql': [
        'AUDIT (name small);',
        'JINJA_QUERY_BEGIN;',
        "SELECT * FROM @this_model WHERE {% for name in ['id'] %}{{ name }} > 0{% endfor %}",
        'JINJA_END;',
      ].join('\n'),
      'models/a.sql': 'MODEL (name s.a, kind FULL, audits (small));\nSELECT id FROM s.src',
    });
    expect(await rig.run('apply', '-y')).toMatchObject({ code: 1, err: expect.stringContaining('small') });
    expect((await rig.run('audit', 's.a')).err).not.toContain('SL0206');
  });

  test('says where an undefined variable stands', async () => {
    rig = makeRig({
      ...src,
      'models/a.sql': 'MODEL (name s.a, kind FULL);\nJINJA_QUERY_BEGIN;\nSELECT id\nFROM {{ nothing }}\nJINJA_END;',
    });
    const outcome = await rig.run('plan');
    expect(outcome.code).toBe(1);
    expect(outcome.err).toMatch(/models\/a\.sql:4:1.*SL0206.*Jinja/);
  });
});
