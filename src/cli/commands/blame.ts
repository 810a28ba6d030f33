import { blame } from '../../domain/history.js';
import { environmentName, PROD } from '../../domain/names.js';
import { history } from '../../history.js';
import { parseConfigOnly } from '../../load/read-project.js';
import { type CommandDefinition, exitCodes, textOption } from '../command.js';
import { commitText, promotionJson } from '../draw-history.js';
import { drawTable } from '../draw-table.js';
import { reportErrors, showJson } from '../report.js';
import { styleOf } from '../style.js';
import { unknownModel } from './log.js';

/** `scilake blame MODEL`: which plan made which version of it, newest first. */
export const blameCommand: CommandDefinition = {
  configure(command) {
    command
      .argument('<model>', 'a model')
      .option('--env <environment>', 'environment whose versions are meant (default: prod)');
  },
  async run(context, [model = ''], options) {
    const { workspace, shell } = context;
    const config = parseConfigOnly({ ...workspace.outside, projectFolder: workspace.projectFolder });
    if (!config.ok) return reportErrors(context, config.errors);
    const promotions = await history(workspace, config.value, environmentName(textOption(options, 'env') ?? PROD));
    const key = model.toLowerCase();
    const versions = [...blame(promotions, key)].reverse();
    if (versions.length === 0)
      return reportErrors(context, [
        unknownModel(key, new Set(promotions.flatMap(({ target }) => Object.keys(target.models)))),
      ]);
    if (context.options.json)
      showJson(shell, {
        model: key,
        versions: versions.map(({ promotion, version, fingerprint, reason }) => ({
          version: version ?? null,
          fingerprint: fingerprint ?? null,
          reason,
          promotion: promotionJson(promotion),
        })),
      });
    else
      shell.out(
        drawTable(
          ['version', 'plan', 'since', 'who', 'commit', 'why'],
          versions.map(({ promotion, version, reason }) => [
            version ?? 'removed',
            promotion.planId,
            promotion.at.slice(0, 19).replace('T', ' '),
            promotion.record?.author ?? '',
            commitText(promotion.record?.gitCommit ?? '', promotion.record?.isGitDirty ?? false),
            reason,
          ]),
          { width: shell.columns, style: styleOf(shell.hasColor) },
        ),
      );
    return exitCodes.done;
  },
};
