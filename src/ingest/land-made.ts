import * as path from 'node:path';
import { DiagnosticError, fail, type Result, succeed } from '../domain/diagnostic.js';
import type { Source } from '../domain/model.js';
import type { Files } from '../effects/files.js';
import { type MakingConnector, PlaceError } from './connectors/connector.js';
import { withoutPlace } from './land-place.js';
import type { LandEffects, Landing } from './landing.js';
import { RawStore } from './raw-store.js';
import { isDue } from './refresh.js';
import { SourceState } from './source-state.js';

/** What a run that was killed left is of no use after so long. */
const LEFT_MS = 7 * 86_400_000;

/** Has a connector make the files of a source where it is time to. Where its place does not answer, what came the last time is used. */
export async function landMade(
  source: Source,
  connector: MakingConnector,
  effects: LandEffects,
): Promise<Result<Landing>> {
  const { files, projectFolder } = effects;
  const store = new RawStore(path.join(projectFolder, '.scilake', 'raw'), files);
  const state = new SourceState(store.folder, source, files);
  const last = state.last();
  if (last !== undefined) {
    const isPlanned = effects.planned === last.sha256;
    if (isPlanned || source.checksum === `sha256:${last.sha256}` || !isDue(source, last, effects)) return succeed(last);
  }
  const making = path.join(store.folder, 'making');
  removeLeft(making, files);
  const folder = files.makeTemporaryFolder(making, `${source.name}-`);
  try {
    const made = await connector.make(source, { ...effects, store, state, folder });
    if (!made.ok) return made;
    const { afterwards, ...landing } = made.value;
    state.keep(landing, (effects.now?.() ?? new Date()).toISOString());
    afterwards?.();
    return succeed(landing, made.warnings);
  } catch (thrown) {
    if (thrown instanceof DiagnosticError) return fail(...thrown.diagnostics);
    if (!(thrown instanceof PlaceError)) throw thrown;
    return withoutPlace(source, thrown, last);
  } finally {
    files.remove(folder);
  }
}

function removeLeft(making: string, files: Files): void {
  for (const name of files.entries(making)) {
    const folder = path.join(making, name);
    const modifiedMs = files.facts(folder)?.modifiedMs;
    if (modifiedMs !== undefined && Date.now() - modifiedMs > LEFT_MS) files.remove(folder);
  }
}
