import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Message } from 'esbuild';
import type { Diagnostic } from '../domain/diagnostic.js';
import type { Files } from './files.js';

/** A TypeScript file of a project, with all that it imports, as it was loaded. */
export interface CodeModule {
  /** Relative to the project, with forward slashes. */
  readonly file: string;
  /** Hash of the bundle: it changes with the file and with everything it imports, and not with comments or layout. */
  readonly hash: string;
  readonly exports: ReadonlyMap<string, unknown>;
}

/** What a project's code gets from `import … from 'scilake'`: functions that only give types to what they take. */
const ownModule = fileURLToPath(new URL(`../domain/define${path.extname(import.meta.url)}`, import.meta.url));

/**
 * Bundles and loads a project's own TypeScript (or JavaScript). It runs in this process, as the project's own code: whoever
 * may change it may change what is built.
 *
 * @param projectFolder absolute
 * @param names         files relative to it
 * @param cacheFolder   where bundles are kept, by hash
 */
export async function loadCode(
  projectFolder: string,
  names: readonly string[],
  { files, cacheFolder }: { readonly files: Files; readonly cacheFolder: string },
): Promise<{ readonly modules: readonly CodeModule[]; readonly errors: readonly Diagnostic[] }> {
  const modules: CodeModule[] = [];
  const errors: Diagnostic[] = [];
  if (names.length === 0) return { modules, errors };
  // Eight megabytes of program, wanted by few projects.
  const { build } = await import('esbuild');
  for (const name of names) {
    try {
      const { outputFiles } = await build({
        entryPoints: [path.join(projectFolder, name)],
        absWorkingDir: projectFolder,
        bundle: true,
        write: false,
        format: 'esm',
        platform: 'node',
        target: 'node20',
        legalComments: 'none',
        minifyWhitespace: true,
        minifySyntax: true,
        logLevel: 'silent',
        plugins: [
          {
            name: 'scilake',
            setup(bundler) {
              bundler.onResolve({ filter: /^scilake$/ }, () => ({ path: ownModule }));
            },
          },
        ],
      });
      const text = outputFiles[0]?.text ?? '';
      const hash = createHash('sha256').update(text).digest('hex').slice(0, 16);
      const bundle = path.join(cacheFolder, 'code', `${hash}.mjs`);
      if (files.facts(bundle) === undefined || fs.readFileSync(bundle, 'utf8') !== text) files.writeText(bundle, text);
      const loaded: object = await import(pathToFileURL(bundle).href);
      modules.push({ file: name, hash, exports: new Map(Object.entries(loaded)) });
    } catch (thrown) {
      errors.push(...codeErrors(thrown, name));
    }
  }
  return { modules, errors };
}

function codeErrors(thrown: unknown, file: string): readonly Diagnostic[] {
  if (isBuildFailure(thrown)) {
    return thrown.errors.map((error): Diagnostic => {
      const at = error.location;
      return {
        code: 'SL0109',
        severity: 'error',
        message: error.text,
        location: {
          file: at?.file ?? file,
          line: at?.line ?? 1,
          column: (at?.column ?? 0) + 1,
          length: Math.max(1, at?.length ?? 1),
          text: at?.lineText ?? '',
        },
      };
    });
  }
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return [
    {
      code: 'SL0109',
      severity: 'error',
      message: `the file cannot be loaded: ${message}`,
      location: { file, line: 1, column: 1, length: 1, text: '' },
    },
  ];
}

function isBuildFailure(thrown: unknown): thrown is { readonly errors: readonly Message[] } {
  return thrown instanceof Error && 'errors' in thrown && Array.isArray(thrown.errors);
}
