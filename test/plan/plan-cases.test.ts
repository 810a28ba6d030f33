import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { makeRig, type Rig, SOURCE_MODEL } from '../support/cli-rig.js';

interface PlanCase {
  readonly name: string;
  readonly environment?: string;
  readonly options?: readonly string[];
  readonly before: Readonly<Record<string, string>>;
  readonly after?: Readonly<Record<string, string>>;
  readonly remove?: readonly string[];
  /** The plan is refused. */
  readonly error?: boolean;
  /** Category, then whether the table is reused, by model. */
  readonly changes?: Readonly<Record<string, string>>;
  readonly missing?: Readonly<Record<string, readonly string[]>>;
  /** Why the answer is finer than SQLMesh's. */
  readonly finer?: string;
}

interface PlanDocument {
  readonly changes: readonly {
    readonly model: string;
    readonly type: string;
    readonly category: string;
    readonly reused: boolean;
    readonly forwardOnly: boolean;
  }[];
  readonly missing: Readonly<Record<string, readonly (readonly [string, string])[]>>;
}

const cases = parse(readFileSync('test/plan/plan-cases.yaml', 'utf8')) as readonly PlanCase[];

let rig: Rig;
afterEach(() => rig.dispose());

describe('plan', () => {
  test.each(cases)(
    '$name',
    async ({ environment = 'dev', options = [], before, after = {}, remove = [], error = false, changes, missing }) => {
      rig = makeRig({ 'models/src.sql': SOURCE_MODEL, ...before });
      await rig.ok('apply');
      for (const file of remove) rig.remove(file);
      rig.write(after);
      const planned = await rig.run('plan', environment, '--json', ...options);
      if (error) {
        expect(planned.code).toBe(1);
        return;
      }
      expect(planned.code, planned.err).toBe(0);
      const plan = planned.json<PlanDocument>();
      const found = plan.changes
        .filter((change) => change.type !== 'removed')
        .map((change) => [
          change.model,
          [change.category, change.reused ? 'reused' : 'rebuilt', ...(change.forwardOnly ? ['forward-only'] : [])].join(
            ', ',
          ),
        ]);
      expect(Object.fromEntries(found)).toEqual(changes);
      expect(
        Object.fromEntries(
          Object.entries(plan.missing).map(([model, intervals]) => [
            model,
            intervals.map((interval) => interval.join(' to ')),
          ]),
        ),
      ).toEqual(missing);
    },
  );
});
