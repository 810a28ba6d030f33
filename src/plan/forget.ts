import { type Interval, intersect } from '../domain/interval.js';
import { PROD } from '../domain/names.js';
import { builtKey, type Environment, type LakeState } from '../domain/snapshot.js';
import type { Step } from '../domain/step.js';

/**
 * What prod restates was wrong in every version that was built from the same rows: versions that other environments have
 * for themselves lose the intervals, and build them again when those environments run.
 */
export function forgetSteps({
  state,
  target,
  restated,
  missing,
}: {
  readonly state: LakeState;
  readonly target: Environment;
  readonly restated: ReadonlySet<string>;
  readonly missing: Readonly<Record<string, readonly Interval[]>>;
}): readonly Step[] {
  if (target.name !== PROD) return [];
  const others = [...state.environments.values()].filter(({ name }) => name !== PROD);
  const seen = new Set<string>();
  return [...restated].sort().flatMap((model) =>
    others.flatMap(({ name, models }): readonly Step[] => {
      const pointed = models[model];
      const snapshot = pointed === undefined ? undefined : state.snapshots.get(pointed.fingerprint);
      if (pointed === undefined || snapshot === undefined || !snapshot.restatable) return [];
      const { version } = pointed;
      const key = builtKey(snapshot, version);
      if (version === target.models[model]?.version || seen.has(key)) return [];
      seen.add(key);
      const lost = intersect(state.built.get(key) ?? [], missing[model] ?? []);
      return lost.map((interval) => ({ type: 'forget', model, version, interval, environment: name, key }));
    }),
  );
}
