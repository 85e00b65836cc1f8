/**
 * dist/: what production runs, without dev dependencies. TypeScript compiled, the workflow bundle made beforehand, the `srdf` command executable.
 *   npm run build
 */
import { chmodSync, existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { main, say, sayDone } from './progress.mjs';
import { run } from './run.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const dist = join(root, 'dist');
const stamp = join(dist, '.built');
/** What tsconfig.build.json compiles. */
const SOURCES = [
  'activities',
  'workflows',
  'workers',
  'client',
  'temporal',
  'config',
  'test/servers',
  'test/integration/pair.ts',
  'test/chaos',
  'test/fuzz',
  'demo',
  'bench',
];
const ALSO = ['package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json', 'scripts/build.mjs'];

export async function build() {
  say('build: compiling');
  rmSync(stamp, { force: true });
  await run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', join(root, 'tsconfig.build.json')], { cwd: root });
  removeOrphans(dist);
  say('build: bundling workflows');
  const { bundleWorkflows } = await import(pathToFileURL(join(dist, 'temporal/workflow-bundle.js')).href);
  await bundleWorkflows(join(dist, 'workflow-bundle.js'));
  chmodSync(join(dist, 'client/bin.js'), 0o755);
  writeFileSync(stamp, '');
  sayDone('build');
}

export async function buildIfStale() {
  const built = existsSync(stamp) ? statSync(stamp).mtimeMs : 0;
  const newest = Math.max(...[...SOURCES, ...ALSO].map((path) => newestIn(join(root, path))));
  if (newest > built) await build();
}

function newestIn(path) {
  if (!existsSync(path)) return 0;
  const facts = statSync(path);
  if (!facts.isDirectory()) return facts.mtimeMs;
  // A folder's own time moves when a file is removed from it.
  return Math.max(facts.mtimeMs, ...readdirSync(path).map((name) => newestIn(join(path, name))));
}

/** Compiled files whose source is gone would still be found by an import. */
function removeOrphans(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) removeOrphans(path);
    else if (/\.js(\.map)?$/.test(entry.name) && entry.name !== 'workflow-bundle.js') {
      const source = join(root, relative(dist, path)).replace(/\.js(\.map)?$/, '.ts');
      if (!existsSync(source)) rmSync(path);
    }
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(build);
