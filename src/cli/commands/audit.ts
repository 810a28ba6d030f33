import { lastAudits } from '../../apply/audit-environment.js';
import { orderGraph } from '../../dag/graph.js';
import { noFacts, SelectorError, select } from '../../dag/selector.js';
import type { AuditResult, RecordedAuditResult } from '../../domain/audit-result.js';
import type { BoundProject } from '../../domain/bound-project.js';
import { isoInstant } from '../../domain/interval.js';
import { environmentName, PROD } from '../../domain/names.js';
import { didYouMean } from '../../domain/near-miss.js';
import { endOf, parseInstant } from '../../domain/time.js';
import { parseConfigOnly } from '../../load/read-project.js';
import { audit, load, withLake } from '../../workflow.js';
import {
  type CommandContext,
  type CommandDefinition,
  exitCodes,
  flagOption,
  textOption,
  UsageError,
} from '../command.js';
import { reportErrors, showJson } from '../report.js';
import { styleOf } from '../style.js';
import { executionTimeOf } from './plan-options.js';

/** `scilake audit [MODEL…]`: audits what an environment holds, without building anything. */
export const auditCommand: CommandDefinition = {
  configure(command) {
    command
      .argument('[model...]', 'models (also *, + and tag:), sources, and audits that stand alone; all when left out')
      .option('--env <environment>', 'environment to audit (default: prod)')
      .option('--start <time>', 'audit models by time from here on')
      .option('--end <time>', 'audit models by time up to here')
      .option('--last', 'show how audits ended the last time, without running any')
      .option('--no-store', 'keep no results in the lake');
  },
  async run(context, positionals, options) {
    const environment = environmentName(textOption(options, 'env') ?? PROD);
    if (flagOption(options, 'last')) return showLast(context, environment, positionals);
    const { executionTime } = executionTimeOf(context);
    const loaded = await load(context.workspace);
    if (!loaded.ok) return reportErrors(context, loaded.errors);
    const project = loaded.value;
    const names = positionals.length === 0 ? undefined : namesOf(positionals, project);
    const { results, diagnostics, unbuilt } = await audit(context.workspace, project, environment, {
      names,
      range: rangeOf(options, executionTime),
      executionTime,
      keepsResults: options.store !== false,
    });
    const hasErrors = diagnostics.some((diagnostic) => diagnostic.severity === 'error');
    if (context.options.json) {
      showJson(context.shell, { environment, results: results.map(resultJson), unbuilt, diagnostics });
      return hasErrors ? exitCodes.errors : exitCodes.done;
    }
    for (const result of results) context.shell.out(drawResult(result, context));
    for (const model of unbuilt) context.shell.out(`- ${model}  not built in ${environment}\n`);
    context.shell.out(summary(results));
    if (diagnostics.length > 0) reportErrors(context, diagnostics);
    return hasErrors ? exitCodes.errors : exitCodes.done;
  },
};

async function showLast(context: CommandContext, environment: string, names: readonly string[]): Promise<number> {
  const { workspace, shell, options } = context;
  const config = parseConfigOnly({ ...workspace.outside, projectFolder: workspace.projectFolder });
  if (!config.ok) return reportErrors(context, config.errors);
  const wanted = new Set(names.map((name) => name.toLowerCase()));
  const all = await withLake(workspace, config.value, 'read', (session) => lastAudits(session, environment));
  const results = all.filter(({ model, audit: name }) => wanted.size === 0 || wanted.has(model) || wanted.has(name));
  if (options.json) showJson(shell, { environment, results: results.map(recordedJson) });
  else {
    for (const result of results) shell.out(drawResult(result, context, ` ${result.runAt.slice(0, 19)}Z`));
    shell.out(results.length === 0 ? `No audit of ${environment} is on record.\n` : summary(results));
  }
  return exitCodes.done;
}

/** @throws UsageError for what names nothing */
function namesOf(selectors: readonly string[], { models, sources, audits }: BoundProject): ReadonlySet<string> {
  const others = [...sources.map(({ source }) => source.name), ...audits.map(({ audit: one }) => one.name)];
  const { graph } = orderGraph(new Map(models.map((bound) => [bound.model.key, bound.parents])));
  const tags = new Map(models.map(({ model }) => [model.key, model.tags]));
  const facts = { ...noFacts, tagsOf: (node: string) => tags.get(node) ?? [] };
  const names = new Set<string>();
  for (const selector of selectors) {
    if (others.includes(selector.toLowerCase())) names.add(selector.toLowerCase());
    else {
      try {
        const { nodes, unmatched } = select([selector], graph, facts);
        if (unmatched.length > 0) {
          const near = didYouMean(selector, [...graph.order, ...others]);
          throw new UsageError(`nothing to audit is named "${selector}"${near === undefined ? '' : `; ${near}`}`);
        }
        for (const node of nodes) names.add(node);
      } catch (thrown) {
        throw thrown instanceof SelectorError ? new UsageError(thrown.message) : thrown;
      }
    }
  }
  return names;
}

function rangeOf(
  options: Readonly<Record<string, unknown>>,
  executionTime: number,
): { readonly start?: number; readonly end?: number } {
  const read = (name: 'start' | 'end'): number | undefined => {
    const text = textOption(options, name);
    if (text === undefined) return undefined;
    const parsed = parseInstant(text, executionTime);
    if (parsed === undefined) throw new UsageError(`--${name} "${text}" is no time`);
    return name === 'start' ? parsed.instant : endOf(parsed);
  };
  const [start, end] = [read('start'), read('end')];
  return { ...(start === undefined ? {} : { start }), ...(end === undefined ? {} : { end }) };
}

function drawResult(result: AuditResult, { shell }: CommandContext, when = ''): string {
  const style = styleOf(shell.hasColor);
  const mark = { passed: style.green('✓'), warned: style.yellow('!'), failed: style.red('✗') }[result.status];
  const subject = result.model === '' ? result.audit : `${result.model}  ${result.audit}`;
  const rows = result.status === 'passed' ? '' : `  ${result.rowCount} ${result.rowCount === 1 ? 'row' : 'rows'}`;
  return `${mark} ${subject}${rows}${style.dim(when)}\n`;
}

function summary(results: readonly AuditResult[]): string {
  const count = (status: AuditResult['status']): number => results.filter((result) => result.status === status).length;
  return `${count('passed')} passed, ${count('warned')} warned, ${count('failed')} failed\n`;
}

function resultJson({ audit: name, model, version, interval, status, rowCount, rows }: AuditResult): object {
  return {
    audit: name,
    model: model === '' ? null : model,
    version,
    interval: [isoInstant(interval.start), isoInstant(interval.end)],
    status,
    count: rowCount,
    rows,
  };
}

function recordedJson(result: RecordedAuditResult): object {
  return { ...resultJson(result), plan: result.planId, runAt: result.runAt };
}
