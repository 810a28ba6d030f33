import * as path from 'node:path';
import { stringify } from 'yaml';
import { readUnitTests } from '../../check/test-project.js';
import { orderGraph } from '../../dag/graph.js';
import { noFacts, SelectorError, select } from '../../dag/selector.js';
import type { BoundProject } from '../../domain/bound-project.js';
import type { Diagnostic, Result } from '../../domain/diagnostic.js';
import { inLake } from '../../domain/names.js';
import { applyFixes, type LintResult, lintProject } from '../../lint/lint-project.js';
import type { Fix } from '../../lint/rule.js';
import { parseConfigOnly } from '../../load/read-project.js';
import { lakeLocation, load, withLake } from '../../workflow.js';
import { type CommandContext, type CommandDefinition, exitCodes, flagOption, UsageError } from '../command.js';
import { reportErrors, showJson } from '../report.js';

/** `scilake lint [MODEL…]`: holds models against the rules of the configuration, or against all rules where it names none. */
export const lint: CommandDefinition = {
  configure(command) {
    command
      .argument('[model...]', 'models, also by *, + and tag:; all when left out')
      .option('--fix', 'change the files where a rule knows how');
  },
  async run(context, positionals, options) {
    const isFixing = flagOption(options, 'fix');
    const fixed: string[] = [];
    let loaded = await load(context.workspace);
    if (!loaded.ok && isFixing) {
      fixed.push(...(await declareExternals(context, loaded.errors)));
      if (fixed.length > 0) loaded = await load(context.workspace);
    }
    if (!loaded.ok) return reportErrors(context, loaded.errors);
    let linted = lintLoaded(context, loaded.value, positionals);
    if (!linted.ok) return reportErrors(context, linted.errors);
    const fixes = isFixing ? linted.value.flatMap((result) => result.fix ?? []) : [];
    if (fixes.length > 0) {
      fixed.push(...writeFixes(context, fixes));
      loaded = await load(context.workspace);
      if (!loaded.ok) return reportErrors(context, loaded.errors);
      linted = lintLoaded(context, loaded.value, positionals);
      if (!linted.ok) return reportErrors(context, linted.errors);
    }
    return report(context, linted.value, fixed);
  },
};

/** What the linter finds in a project that binds. Without rules in the configuration all of them warn. */
function lintLoaded(
  { workspace }: CommandContext,
  project: BoundProject,
  selectors: readonly string[],
): Result<readonly LintResult[]> {
  const tests = readUnitTests(project, { ...workspace.outside, projectFolder: workspace.projectFolder });
  if (!tests.ok) return tests;
  const { rules, warnRules } = project.project.config.linter;
  const testedModels = new Set(tests.value.map((test) => test.model));
  const models = selectors.length === 0 ? undefined : modelsOf(selectors, project);
  const otherwise = rules.length + warnRules.length === 0 ? 'warning' : 'nothing';
  return lintProject({ project, testedModels }, { models, otherwise });
}

/** @throws UsageError for what names no model */
function modelsOf(selectors: readonly string[], { models }: BoundProject): ReadonlySet<string> {
  const { graph } = orderGraph(new Map(models.map((bound) => [bound.model.key, bound.parents])));
  const tags = new Map(models.map(({ model }) => [model.key, model.tags]));
  try {
    const { nodes, unmatched } = select(selectors, graph, { ...noFacts, tagsOf: (node) => tags.get(node) ?? [] });
    if (unmatched.length > 0) throw new UsageError(`no model is selected by "${unmatched[0]}"`);
    return nodes;
  } catch (thrown) {
    throw thrown instanceof SelectorError ? new UsageError(thrown.message) : thrown;
  }
}

function writeFixes({ workspace }: CommandContext, fixes: readonly Fix[]): readonly string[] {
  const texts = applyFixes(fixes);
  for (const [file, text] of texts) workspace.outside.files.writeText(path.join(workspace.projectFolder, file), text);
  return [...texts.keys()];
}

const EXTERNAL_MODELS = 'external_models.yaml';

/** Declares tables that models read and nothing declares, with their columns, where the lake has them. @returns the file, if anything was added */
async function declareExternals(context: CommandContext, errors: readonly Diagnostic[]): Promise<readonly string[]> {
  const { workspace } = context;
  const { files } = workspace.outside;
  const names = new Set(
    errors.flatMap(({ code, location }): readonly string[] => {
      if (code !== 'SL0203' || location === undefined) return [];
      const written = location.text.slice(location.column - 1, location.column - 1 + location.length);
      return [written.replaceAll('"', '').toLowerCase()];
    }),
  );
  const config = parseConfigOnly({ ...workspace.outside, projectFolder: workspace.projectFolder });
  if (names.size === 0 || !config.ok || !workspace.lakes.exists(lakeLocation(workspace, config.value))) return [];
  const entries = await withLake(workspace, config.value, 'read', (session) =>
    session.exclusively(async (database) => {
      const found: object[] = [];
      for (const name of names) {
        const [schema = '', table = ''] = name.split('.');
        try {
          const columns = await database.describe(`FROM ${inLake({ schema, table })}`);
          found.push({ name, columns: Object.fromEntries(columns.map((column) => [column.name, column.type])) });
        } catch {
          // It is not there either: its error stays.
        }
      }
      return found;
    }),
  );
  if (entries.length === 0) return [];
  const target = path.join(workspace.projectFolder, EXTERNAL_MODELS);
  const before = files.facts(target) === undefined ? '' : files.readText(target);
  files.writeText(target, `${before}${before === '' || before.endsWith('\n') ? '' : '\n'}${stringify(entries)}`);
  return [EXTERNAL_MODELS];
}

function report(context: CommandContext, results: readonly LintResult[], fixed: readonly string[]): number {
  const { shell, options } = context;
  const diagnostics = results.map((result) => result.diagnostic);
  const hasErrors = diagnostics.some((diagnostic) => diagnostic.severity === 'error');
  if (options.json) {
    const findings = results.map(({ diagnostic, rule, fix }) => ({
      rule,
      isFixable: fix !== undefined,
      ...diagnostic,
    }));
    showJson(shell, { findings, fixed });
  } else {
    for (const file of fixed) shell.out(`fixed ${file}\n`);
    if (diagnostics.length > 0) reportErrors(context, diagnostics);
    const count = diagnostics.length;
    shell.out(count === 0 ? 'Nothing to find fault with.\n' : `${count} ${count === 1 ? 'finding' : 'findings'}\n`);
  }
  return hasErrors ? exitCodes.errors : exitCodes.done;
}
