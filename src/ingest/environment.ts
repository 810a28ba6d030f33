import * as path from 'node:path';
import { parseEnv } from 'node:util';
import type { ConnectorEffects } from './connectors/connector.js';

/** The variables of the process over those of the project's `.env`. */
export function environmentOf({
  files,
  projectFolder,
  environment = process.env,
}: Pick<ConnectorEffects, 'files' | 'projectFolder' | 'environment'>): Readonly<Record<string, string | undefined>> {
  const file = path.join(projectFolder, '.env');
  return files.facts(file) === undefined ? environment : { ...parseEnv(files.readText(file)), ...environment };
}
