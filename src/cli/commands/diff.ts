import { type ModelDifference, modelDifferences } from '../../catalog/diff-environments.js';
import { environmentName, PROD } from '../../domain/names.js';
import { parseConfigOnly } from '../../load/read-project.js';
import { withLake } from '../../workflow.js';
import { type CommandContext, type CommandDefinition, exitCodes, UsageError } from '../command.js';
import { momentPattern, readMoment } from '../moment.js';
import { reportErrors, showJson } from '../report.js';
import { type Style, styleOf } from '../style.js';

const sidePattern = new RegExp(`^([^@]+)(?:@(${momentPattern}))?$`);

/** `scilake diff A B [MODEL…]`: environments, or moments of them, by schemas and rows of every model. */
export const diff: CommandDefinition = {
  configure(command) {
    command
      .argument('<before>', 'an environment, at a moment where one is given: prod@PLAN, prod@12, prod@2024-01-31')
      .argument('[after]', 'the same for the other side (default: the environment as it is)')
      .argument('[models...]', 'only these models')
      .option('--no-rows', 'leave out which rows differ');
  },
  async run(context, [before = '', after, ...models], options) {
    const config = parseConfigOnly({ ...context.workspace.outside, projectFolder: context.workspace.projectFolder });
    if (!config.ok) return reportErrors(context, config.errors);
    const one = readSide(before, context);
    const other = after === undefined ? { environment: one.environment } : readSide(after, context);
    const found = await withLake(context.workspace, config.value, 'read', (session) =>
      session.exclusively((database) =>
        modelDifferences(database, {
          before: one,
          after: other,
          models: models.map((model) => model.toLowerCase()),
          withRows: options.rows !== false,
        }),
      ),
    );
    if (context.options.json) showJson(context.shell, { models: found });
    else if (found.length === 0) context.shell.out('Nothing differs.\n');
    else for (const model of found) context.shell.out(draw(model, styleOf(context.shell.hasColor)));
    return exitCodes.done;
  },
};

function readSide(text: string, context: CommandContext) {
  const [, name, moment] = sidePattern.exec(text.trim()) ?? [];
  if (name === undefined) throw new UsageError(`"${text}" is not ENVIRONMENT or ENVIRONMENT@MOMENT`);
  const environment = environmentName(name || PROD);
  return moment === undefined ? { environment } : { environment, moment: readMoment(moment, context) };
}

function draw({ model, status, schema, rows }: ModelDifference, style: Style): string {
  const signs = { added: style.green('+'), removed: style.red('-'), changed: style.yellow('~') };
  const count = (value: number): string => value.toLocaleString('en');
  const counts =
    rows.before === null || rows.after === null
      ? `${count(rows.before ?? rows.after ?? 0)} rows`
      : `${count(rows.before)} -> ${count(rows.after)} rows`;
  const { detail } = rows;
  const details =
    detail === undefined
      ? ''
      : detail.by === 'change feed'
        ? `  +${count(detail.inserted)} ~${count(detail.updated)} -${count(detail.deleted)}`
        : `  +${count(detail.onlyAfter)} -${count(detail.onlyBefore)}`;
  return `${signs[status]} ${style.bold(model)}  ${counts}${details}\n${schema.map((line) => `    ${style.dim(line)}\n`).join('')}`;
}
