import * as path from 'node:path';
import type { Diagnostic } from '../domain/diagnostic.js';
import { locate } from '../domain/location.js';
import type { Files } from '../effects/files.js';
import { CONFIG_FILE } from '../parse/config.js';

/** The file that holds a project's settings; SQLMesh's own where there is no `scilake.yaml`. */
export function configFile(projectFolder: string, files: Files): string | undefined {
  const names = [CONFIG_FILE, 'config.yaml', 'config.yml', 'sqlmesh.yaml', 'sqlmesh.yml'];
  return names.find((name) => files.facts(path.join(projectFolder, name)) !== undefined);
}

/** What Python files of a SQLMesh project are for, by their folder, and what to write in their place. */
const pythonFolders: Readonly<Record<string, { readonly what: string; readonly instead: string }>> = {
  models: {
    what: 'Python model',
    instead: 'write it as a SQL model, or keep its table and declare it in external_models.yaml',
  },
  macros: { what: 'Python macro', instead: 'write it as @DEF in macros/*.sql, or in TypeScript in macros/*.ts' },
  signals: { what: 'Python signal', instead: 'write it in TypeScript' },
  materializations: { what: 'Python materialization', instead: 'write it in TypeScript, or use one of the kinds' },
  linter: { what: 'Python linter rule', instead: 'there is nothing in its place' },
};

/** Code of a SQLMesh project that is not run: it is said, file by file, and the SQL beside it counts. */
export function pythonFiles(projectFolder: string, files: Files): readonly Diagnostic[] {
  const found = Object.entries(pythonFolders).flatMap(([folder, { what, instead }]) =>
    files
      .list(path.join(projectFolder, folder))
      .filter((name) => name.endsWith('.py'))
      .flatMap((name): readonly Diagnostic[] => {
        const text = files.readText(path.join(projectFolder, folder, name));
        // Packages are marked by files that are empty, or only say what they are.
        if (name.endsWith('__init__.py') && !/^\s*(?:def|class|@)/m.test(text)) return [];
        const file = { path: `${folder}/${name}`, text };
        return [
          {
            code: 'SL0133',
            severity: 'warning',
            message: `${file.path} is a ${what}, which does not carry over`,
            location: locate(file, { start: 0, end: 1 }),
            hint: instead,
          },
        ];
      }),
  );
  const hasPythonConfig =
    files.facts(path.join(projectFolder, 'config.py')) !== undefined && configFile(projectFolder, files) === undefined;
  if (!hasPythonConfig) return found;
  const message = 'config.py is not read: settings are YAML';
  return [
    { code: 'SL0133', severity: 'warning', message, hint: 'write scilake.yaml, or config.yaml as SQLMesh reads it' },
    ...found,
  ];
}
