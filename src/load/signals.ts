import type { BoundModel, BoundProject } from '../domain/bound-project.js';
import type { Signal } from '../domain/code.js';
import { type Diagnostic, fail, messageOf, type Result, succeed } from '../domain/diagnostic.js';
import { batches, type Interval, subtract, union } from '../domain/interval.js';

/**
 * Asks the signals that models wait for. A signal gets all intervals that are missing, unit by unit, and says which are
 * ready; several signals of a model must agree.
 *
 * @param missing intervals by model, as a plan found them
 * @returns ready intervals of the models that wait for something; or what a signal threw
 */
export async function readyIntervals(
  project: BoundProject,
  missing: Readonly<Record<string, readonly Interval[]>>,
): Promise<Result<ReadonlyMap<string, readonly Interval[]>>> {
  const ready = new Map<string, readonly Interval[]>();
  const errors: Diagnostic[] = [];
  for (const bound of project.models) {
    const { key, signals, location } = bound.model;
    const wanted = missing[key];
    if (signals.length === 0 || wanted === undefined) continue;
    let agreed: readonly Interval[] = wanted;
    for (const { name, arguments: given } of signals) {
      const signal = project.project.functions.signals.get(name);
      if (signal === undefined) continue;
      try {
        agreed = await agreedBy(signal, agreed, given, bound);
      } catch (thrown) {
        errors.push({
          code: 'SL0409',
          severity: 'error',
          message: `signal ${name} of ${key} failed: ${messageOf(thrown).split('\n')[0]}`,
          location,
        });
      }
    }
    ready.set(key, agreed);
  }
  return errors.length > 0 ? fail(...errors) : succeed(ready);
}

async function agreedBy(
  signal: Signal,
  intervals: readonly Interval[],
  given: Readonly<Record<string, string>>,
  { model }: BoundModel,
): Promise<readonly Interval[]> {
  const units = intervals.flatMap((interval) => [...batches(interval, model.intervalUnit, 1)]);
  const answer = await signal(units, given);
  if (typeof answer === 'boolean') return answer ? intervals : [];
  // What it invents beside what it was asked about does not count.
  const late = subtract(intervals, union(answer));
  return subtract(intervals, late);
}
