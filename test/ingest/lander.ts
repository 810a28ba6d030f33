import * as path from 'node:path';
import { build } from 'esbuild';

/**
 * A program that lands one source, as a process that can be killed. Its arguments: folder of the project, properties of
 * the source, and when places are asked.
 *
 * @returns path of the program
 */
export async function buildLander(folder: string): Promise<string> {
  const outfile = path.join(folder, 'lander.mjs');
  await build({
    stdin: {
      contents: `
        import { files } from './src/effects/files.ts';
        import { land } from './src/ingest/land.ts';
        import { parseSourceFile } from './src/parse/source-file.ts';
        const [, , projectFolder, properties, ask] = process.argv;
        const parsed = parseSourceFile({ path: 'sources/s.sql', text: 'SOURCE (name studies, ' + properties + ');' });
        const landed = await land(parsed.value[0], { files, projectFolder, cacheFolder: projectFolder + '/cache', ask });
        process.exitCode = landed.ok ? 0 : 1;`,
      resolveDir: process.cwd(),
    },
    bundle: true,
    platform: 'node',
    format: 'esm',
    external: ['@aws-sdk/*', 'google-auth-library', 'basic-ftp'],
    outfile,
  });
  return outfile;
}
