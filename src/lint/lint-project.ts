import type { BoundModel } from '../domain/bound-project.js';
import { type Diagnostic, fail, type Result, succeed } from '../domain/diagnostic.js';
import { didYouMean } from '../domain/near-miss.js';
import type { LinterConfig } from '../domain/project.js';
import { lintRules } from './index.js';
import type { Fix, LintContext, LintRule } from './rule.js';

/** What a rule found, as it counts in this project. */
export interface LintResult {
  readonly diagnostic: Diagnostic;
  readonly rule: string;
  readonly fix: Fix | undefined;
}

/**
 * Holds models against the rules that the configuration names.
 *
 * @param models   keys; undefined: all
 * @param otherwise what happens to rules that the configuration does not name: nothing, or a warning
 * @returns nothing but errors when the configuration, or a model, names a rule that does not exist
 */
export function lintProject(
  context: LintContext,
  {
    models,
    otherwise,
  }: { readonly models: ReadonlySet<string> | undefined; readonly otherwise: 'nothing' | 'warning' },
): Result<readonly LintResult[]> {
  const { config } = context.project.project;
  const unknown = [...config.linter.rules, ...config.linter.warnRules, ...config.linter.ignoredRules].filter(
    (name) => name !== 'all' && !lintRules.some((rule) => rule.name === name),
  );
  if (unknown.length > 0) return fail(...[...new Set(unknown)].map(unknownRule));
  return succeed(
    context.project.models
      .filter(({ model }) => model.kind.storage !== 'outside' && (models?.has(model.key) ?? true))
      .flatMap((bound) => {
        const ignored = ignoredRules(bound);
        return lintRules.flatMap((rule): readonly LintResult[] => {
          const severity = severityOf(rule, config.linter) ?? (otherwise === 'warning' ? 'warning' : undefined);
          const isIgnored = [...ignored, ...config.linter.ignoredRules].some(
            (name) => name === 'all' || name === rule.name,
          );
          if (severity === undefined || isIgnored) return [];
          return rule.check(bound, context).map(({ fix, message, ...finding }) => ({
            diagnostic: { code: rule.code, severity, message: `${message} (${rule.name})`, ...finding },
            rule: rule.name,
            fix,
          }));
        });
      }),
  );
}

function severityOf({ name }: LintRule, { rules, warnRules }: LinterConfig): Diagnostic['severity'] | undefined {
  if (rules.includes(name)) return 'error';
  if (warnRules.includes(name)) return 'warning';
  return rules.includes('all') ? 'error' : warnRules.includes('all') ? 'warning' : undefined;
}

/** `ignored_rules (noselectstar, nomissingaudits)` or `ALL` in a model's header. */
function ignoredRules({ model }: BoundModel): readonly string[] {
  const written = model.otherProperties.ignored_rules;
  return typeof written === 'string' ? (written.toLowerCase().match(/[a-z_]+/g) ?? []) : [];
}

function unknownRule(name: string): Diagnostic {
  const names = lintRules.map((rule) => rule.name);
  return {
    code: 'SL0900',
    severity: 'error',
    message: `the linter has no rule "${name}"`,
    hint: didYouMean(name, names) ?? `known are ${names.join(', ')}`,
  };
}

/** The texts of files with fixes made: from the end, so that places stay true; of two that overlap only the later one. */
export function applyFixes(fixes: readonly Fix[]): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  const made = new Map<string, number>();
  for (const { file, span, text } of [...fixes].sort((a, b) => b.span.start - a.span.start)) {
    if (span.end > (made.get(file.path) ?? Number.POSITIVE_INFINITY)) continue;
    const before = texts.get(file.path) ?? file.text;
    texts.set(file.path, before.slice(0, span.start) + text + before.slice(span.end));
    made.set(file.path, span.start);
  }
  return texts;
}
