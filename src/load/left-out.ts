import type { BoundModel, BoundSource, LeftOut } from '../domain/bound-project.js';
import type { Diagnostic } from '../domain/diagnostic.js';
import type { Project } from '../domain/project.js';

/**
 * What a project goes on without, because sources are broken: models that read them, or what would be made from them.
 *
 * @returns `unexplained`: files of models that could not be bound for another reason, which is theirs to say
 */
export function leftOut(found: {
  readonly project: Project;
  /** Those that are not broken. */
  readonly sources: readonly BoundSource[];
  readonly sourceDiagnostics: readonly Diagnostic[];
  readonly models: readonly BoundModel[];
  /** What each model's text names, by its key. */
  readonly reads: ReadonlyMap<string, readonly string[]>;
}): { readonly value: LeftOut; readonly unexplained: ReadonlySet<string> } {
  const whole = new Set(found.sources.map(({ source }) => source.name));
  const broken = found.project.sources.map(({ name }) => name).filter((name) => !whole.has(name));
  const bound = new Set(found.models.map(({ model }) => model.key));
  const unbound = found.project.models.filter(({ key }) => !bound.has(key));
  const causes = new Map(unbound.map(({ key }) => [key, brokenBehind(key, new Set(broken), found.reads)]));
  return {
    value: {
      sources: broken,
      models: unbound.flatMap(({ key }) => {
        const names = causes.get(key) ?? [];
        if (names.length === 0) return [];
        const because = `${names.length === 1 ? 'source' : 'sources'} ${names.join(', ')} could not be had`;
        return [{ model: key, because }];
      }),
      errors: found.sourceDiagnostics.filter(({ severity }) => severity === 'error'),
    },
    unexplained: new Set(unbound.filter(({ key }) => causes.get(key)?.length === 0).map(({ file }) => file.path)),
  };
}

/** The broken sources that a model reads, by itself or through others, sorted. */
function brokenBehind(
  model: string,
  broken: ReadonlySet<string>,
  reads: ReadonlyMap<string, readonly string[]>,
): readonly string[] {
  const found = new Set<string>();
  const seen = new Set<string>();
  const visit = (key: string): void => {
    if (seen.has(key)) return;
    seen.add(key);
    const schema = key.split('.')[0] ?? '';
    if (broken.has(schema) && !reads.has(key)) found.add(schema);
    for (const parent of reads.get(key) ?? []) visit(parent);
  };
  visit(model);
  return [...found].sort();
}
