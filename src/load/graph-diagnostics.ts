import type { Cycle } from '../dag/graph.js';
import type { Diagnostic } from '../domain/diagnostic.js';
import type { Model } from '../domain/model.js';
import { didYouMean } from '../domain/near-miss.js';

/** One diagnostic for each circle of models, with every model on it. */
export function cycleDiagnostics(
  cycles: readonly Cycle[],
  modelOf: (key: string) => Model | undefined,
): readonly Diagnostic[] {
  return cycles.flatMap((cycle) => {
    const first = modelOf(cycle[0] ?? '');
    if (first === undefined) return [];
    const related = cycle.slice(1, -1).flatMap((key) => {
      const model = modelOf(key);
      return model === undefined ? [] : [{ message: `${key} is part of it`, location: model.location }];
    });
    return [
      {
        code: 'SL0301',
        severity: 'error',
        message: `these models read each other in a circle: ${cycle.join(' reads ')}`,
        location: first.location,
        hint: 'take one of the reads out, or split a model in two',
        related,
      },
    ];
  });
}

/** Declared dependencies that are nowhere in the project. */
export function missingParents(model: Model, known: ReadonlySet<string>): readonly Diagnostic[] {
  return model.dependsOn
    .filter((dependency) => !known.has(dependency.key))
    .map((dependency) => ({
      code: 'SL0302',
      severity: 'error',
      message: `${model.key} depends on ${dependency.key}, which is not in the project`,
      location: dependency.location,
      hint: didYouMean(dependency.key, known) ?? 'declare it as a model or in external_models.yaml',
    }));
}
