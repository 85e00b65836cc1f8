/**
 * The layers of the design, kept by a check: who may import what, and no import in a circle.
 *   node scripts/check-imports.mjs
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const FOLDERS = ['activities', 'workflows', 'workers', 'client', 'temporal', 'config', 'demo', 'bench', 'test'];

/** Files that decide and touch nothing: no Node built-in but these, no package that reaches the world. */
const PURE =
  /^(activities\/(vocabulary|contracts)\.ts|activities\/wagon\/(body|contract|compact\w*|foreign-key-components)\.ts|activities\/engines\/(changes|row-images)\.ts|temporal\/error-catalogue\.ts)$/;

/** @type {readonly {name: string, from: RegExp, to: RegExp, unless?: RegExp, values?: boolean}[]} values: type imports are allowed */
const RULES = [
  {
    name: 'workflows import types alone from activities',
    from: /^workflows\//,
    to: /^activities\//,
    unless: /^activities\/(vocabulary|contracts)\.ts$/,
    values: true,
  },
  { name: 'workflows are deterministic: no Node built-in', from: /^workflows\//, to: /^node:/ },
  { name: 'workflows know nothing of workers, clients and configs', from: /^workflows\//, to: /^(workers|client)\//, values: true },
  { name: 'workflows use no Temporal client or worker', from: /^workflows\//, to: /^@temporalio\/(client|worker|activity)/, values: true },
  {
    name: 'activities know no workflow, worker or command',
    from: /^activities\//,
    to: /^(workflows|workers|client|demo|bench|test)\//,
    values: true,
  },
  { name: 'pure files touch nothing', from: PURE, to: /^(node:(?!buffer|assert)|mysql2|undici|execa|pino)/, values: true },
  {
    name: 'an engine is known to its own folder and to open-engine.ts alone',
    from: /^(activities|workers|client|workflows|temporal|config)\/(?!engines\/(mysql\/|open-engine\.ts))/,
    to: /^activities\/engines\/mysql\//,
  },
  {
    name: 'production imports nothing of tests, demo and benchmarks',
    from: /^(activities|workflows|workers|client|temporal|config)\//,
    to: /^(test|demo|bench)\//,
  },
  {
    name: 'config is read by all and reads none',
    from: /^config\//,
    to: /^(activities|workflows|workers|client)\//,
    unless: /^activities\/vocabulary\.ts$/,
    values: true,
  },
];

function filesOf(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? filesOf(join(folder, entry.name)) : /\.c?ts$/.test(entry.name) ? [join(folder, entry.name)] : [],
  );
}

/** @returns {{target: string, typeOnly: boolean}[]} targets as paths from the root, or as package names */
function importsOf(file) {
  const text = readFileSync(join(root, file), 'utf8')
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/^\s*\/\/.*$/gm, '');
  const found = [];
  for (const [, , clause = '', specifier] of text.matchAll(/^\s*(import|export)\b([^'";]*?)\bfrom\s*['"]([^'"]+)['"]/gm)) {
    const named = /^\s*\{([^}]*)\}\s*$/.exec(clause)?.[1];
    const allTypes = named?.split(',').every((it) => it.trim() === '' || /^type\s/.test(it.trim()));
    found.push({ target: targetOf(file, specifier), typeOnly: /^\s*type\s/.test(clause) || allTypes === true });
  }
  for (const [, specifier] of text.matchAll(/(?:^\s*import|\bimport\()\s*['"]([^'"]+)['"]/gm))
    found.push({ target: targetOf(file, specifier), typeOnly: false });
  return found;
}
function targetOf(file, specifier) {
  if (!specifier.startsWith('.')) return specifier;
  const path = normalize(join(dirname(file), specifier));
  return path.replace(/\.js$/, '.ts').replace(/\.cjs$/, '.cts');
}

const files = FOLDERS.flatMap((folder) => filesOf(join(root, folder))).map((file) => relative(root, file));
const graph = new Map(files.map((file) => [file, importsOf(file)]));
const faults = [];
for (const [file, imports] of graph)
  for (const { target, typeOnly } of imports)
    for (const rule of RULES)
      if (rule.from.test(file) && rule.to.test(target) && !rule.unless?.test(target) && !(rule.values && typeOnly))
        faults.push(`${file} imports ${target}: ${rule.name}`);

// Circles among values: each file is done once all it imports is.
const state = new Map();
function visit(file, path) {
  if (state.get(file) === 'done') return;
  if (state.get(file) === 'open') {
    faults.push(`import circle: ${[...path.slice(path.indexOf(file)), file].join(' → ')}`);
    return;
  }
  state.set(file, 'open');
  for (const { target, typeOnly } of graph.get(file) ?? []) if (!typeOnly && graph.has(target)) visit(target, [...path, file]);
  state.set(file, 'done');
}
for (const file of files) visit(file, []);

if (faults.length > 0) {
  process.stdout.write(`${faults.join('\n')}\n`);
  process.exitCode = 1;
}
