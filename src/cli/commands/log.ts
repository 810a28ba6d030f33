import { type Promotion, touches } from '../../domain/history.js';
import { environmentName } from '../../domain/names.js';
import { didYouMean } from '../../domain/near-miss.js';
import { history } from '../../history.js';
import { parseConfigOnly } from '../../load/read-project.js';
import { type CommandDefinition, countOption, exitCodes, textOption } from '../command.js';
import { drawPromotion, promotionJson } from '../draw-history.js';
import { reportErrors, showJson } from '../report.js';
import { styleOf } from '../style.js';

/** `scilake log [MODEL]`: what has moved environments, newest first. */
export const log: CommandDefinition = {
  configure(command) {
    command
      .argument('[model]', 'only what touched this model')
      .option('--env <environment>', 'only of this environment (default: all)')
      .option('--limit <promotions>', 'at most so many');
  },
  async run(context, [model], options) {
    const { workspace, shell } = context;
    const config = parseConfigOnly({ ...workspace.outside, projectFolder: workspace.projectFolder });
    if (!config.ok) return reportErrors(context, config.errors);
    const environment = textOption(options, 'env');
    const all = await history(
      workspace,
      config.value,
      environment === undefined ? undefined : environmentName(environment),
    );
    const key = model?.toLowerCase();
    if (key !== undefined) {
      const known = new Set(all.flatMap(({ target }) => Object.keys(target.models)));
      if (!known.has(key)) return reportErrors(context, [unknownModel(key, known)]);
    }
    const wanted = key === undefined ? all : all.filter((one) => touches(one, before(all, one), key));
    const shown = [...wanted].reverse().slice(0, countOption(options, 'limit', 1) ?? wanted.length);
    if (context.options.json) showJson(shell, { promotions: shown.map(promotionJson) });
    else if (shown.length === 0) shell.out('Nothing has been applied yet.\n');
    else for (const promotion of shown) shell.out(drawPromotion(promotion, styleOf(shell.hasColor)));
    return exitCodes.done;
  },
};

/** The promotion of the same environment before one. */
export function before(all: readonly Promotion[], one: Promotion): Promotion | undefined {
  return all.find(({ environment, sequence }) => environment === one.environment && sequence === one.sequence - 1);
}

export function unknownModel(key: string, known: ReadonlySet<string>) {
  return {
    code: 'SL0409',
    severity: 'error',
    message: `no environment has had a model "${key}"`,
    hint: didYouMean(key, [...known]) ?? 'models are written schema.table',
  } as const;
}
