/** Reads `srdf.yaml`, says what is wrong with it where it is wrong, and fetches secrets from where the config says they are. */
import { open, readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { isMap, LineCounter, parseDocument } from 'yaml';
import type { EngineName, Selection } from '../activities/engines/engine.js';
import type { StreamName, TableName } from '../activities/vocabulary.js';
import { SrdfError } from '../temporal/error-catalogue.js';
import { explainIssues } from './explain.js';
import { configSchema, type SecretReference, type SrdfConfig, type StreamConfig } from './schema.js';

/** Where commands look for the config when they aren't told. */
export const DEFAULT_CONFIG_PATH = 'srdf.yaml';

/**
 * The validated config. Relative paths in it (state, keys, secret files, certificates) are resolved against the file's folder.
 * Throws `config-invalid` naming every wrong entry, its line, what was found there and what is allowed.
 */
export async function loadConfig(path: string): Promise<SrdfConfig> {
  const tried = `reading the config ${path}`;
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    throw new SrdfError('config-invalid', {
      tried,
      found: missing ? 'there is no such file' : (cause as Error).message,
      action: missing ? `Write one with \`srdf init\`, or name another with --config` : 'Make it readable for this user',
      cause,
    });
  }
  return inFolder(parseConfig(text, tried), dirname(resolve(path)));
}

/** The text of a config, validated; paths in it as written. Pure. */
export function parseConfig(text: string, tried = 'reading the config'): SrdfConfig {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: true, version: '1.2', stringKeys: true });
  const [problem] = document.errors;
  if (problem !== undefined) {
    throw new SrdfError('config-invalid', {
      tried,
      // Its first line says what and where; the others show the file's own text, in which somebody may have written a password.
      found: `it isn't valid YAML: ${problem.message.split('\n', 1)[0]?.replace(/:$/, '')}`,
      action: 'Mend that line; `srdf init` writes a commented example',
    });
  }
  const input = valuesOf(document, tried);
  const result = configSchema.safeParse(input);
  if (result.success) return result.data;

  /** The line of the entry, or of the nearest parent that is written. */
  const lineOf = (at: readonly PropertyKey[]): number | undefined => {
    for (let depth = at.length; depth > 0; depth--) {
      const parent = document.getIn(at.slice(0, depth - 1), true);
      const pair = isMap(parent)
        ? parent.items.find((it) => String((it.key as { value?: unknown } | null)?.value) === String(at[depth - 1]))
        : undefined;
      const node = (pair?.key ?? document.getIn(at.slice(0, depth), true)) as { range?: [number, number, number] | null } | undefined;
      if (node?.range) return lines.linePos(node.range[0]).line;
    }
    return undefined;
  };
  const explained = explainIssues(result.error.issues, input, lineOf);
  throw new SrdfError('config-invalid', {
    tried,
    found: explained.length === 1 ? (explained[0] ?? '') : `${explained.length} entries are wrong:\n  ${explained.join('\n  ')}\n`,
    action: 'Mend the config; `srdf init` writes a commented example',
  });
}

/** An alias without its anchor, or aliases that multiply, are only found where values are made. */
function valuesOf(document: { toJS(): unknown }, tried: string): unknown {
  try {
    return document.toJS();
  } catch (cause) {
    throw new SrdfError('config-invalid', {
      tried,
      found: `its YAML can't be read: ${cause instanceof Error ? cause.message : cause}`,
      action: 'Write the values out instead of referring to them with * and &',
      cause,
    });
  }
}

function inFolder(config: SrdfConfig, folder: string): SrdfConfig {
  const path = (it: string) => resolve(folder, it);
  const secret = (it: SecretReference): SecretReference => ('file' in it ? { file: path(it.file) } : it);
  const server = (it: StreamConfig['source']): StreamConfig['source'] => ({
    ...it,
    ...(it.password && { password: secret(it.password) }),
    ...(it.tls && { tls: { ...it.tls, ...(it.tls.ca !== undefined && { ca: path(it.tls.ca) }) } }),
  });
  return {
    ...config,
    temporal: { ...config.temporal, ...(config.temporal.payloadKey && { payloadKey: secret(config.temporal.payloadKey) }) },
    source: { ...config.source, state: path(config.source.state), keys: path(config.source.keys) },
    target: { ...config.target, state: path(config.target.state), keys: path(config.target.keys) },
    streams: config.streams.map((it) => ({ ...it, source: server(it.source), target: server(it.target) })),
  };
}

/**
 * The secret's text (a file's last line break is not part of it); undefined when there is no reference.
 * Throws `secret-missing` (variable not set, file absent or empty) and `secret-permissions` (a file that group or others may read).
 */
export async function resolveSecret(reference: SecretReference | undefined): Promise<string | undefined> {
  if (reference === undefined) return undefined;
  if ('env' in reference) {
    const value = process.env[reference.env];
    if (value !== undefined && value !== '') return value;
    throw new SrdfError('secret-missing', {
      tried: `taking a secret from the environment variable ${reference.env}`,
      found: value === undefined ? "it isn't set" : 'it is empty',
      action: `Set ${reference.env} in the environment of this process, or name a file in the config: {file: …}`,
    });
  }
  const { file } = reference;
  const tried = `reading a secret from ${file}`;
  const missing = (found: string, cause?: unknown) =>
    new SrdfError('secret-missing', {
      tried,
      found,
      action: 'Write the secret into that file, readable by its owner alone (chmod 600), or name an environment variable: {env: …}',
      cause,
    });
  const handle = await open(file, 'r').catch((cause: NodeJS.ErrnoException) => {
    throw missing(cause.code === 'ENOENT' ? 'there is no such file' : cause.message, cause);
  });
  try {
    // The open file's own mode: a look at the path could be of another file than the one read.
    const { mode } = await handle.stat();
    if ((mode & 0o077) !== 0) {
      throw new SrdfError('secret-permissions', {
        tried,
        found: `its mode is ${(mode & 0o777).toString(8).padStart(4, '0')}, so others than its owner may use it`,
        action: `chmod 600 ${file}`,
      });
    }
    const text = (await handle.readFile('utf8')).replace(/\r?\n$/, '');
    if (text === '') throw missing('it is empty');
    return text;
  } finally {
    await handle.close();
  }
}

/** Throws `config-invalid` for a stream that the config doesn't name. */
export function streamOf(config: SrdfConfig, name: string): StreamConfig & { readonly name: StreamName } {
  const found = config.streams.find((it) => it.name === name);
  if (found) return found as StreamConfig & { readonly name: StreamName };
  throw new SrdfError('config-invalid', {
    tried: `looking for the stream ${name}`,
    found: `the config names ${config.streams.map((it) => it.name).join(', ')}`,
    action: 'Name one of these, or add the stream to the config',
  });
}

/** The stream's engine, if this version serves it. Throws `engine-unsupported`, naming the engine. */
export function engineOf(stream: StreamConfig): EngineName {
  const { engine, name } = stream;
  if (engine === 'mariadb' || engine === 'mysql') return engine;
  throw new SrdfError('engine-unsupported', {
    tried: `opening the stream ${name}`,
    found: `its engine is ${engine}, which this version does not replicate`,
    action: 'Use engine: mariadb or engine: mysql, or take the stream out of the config',
  });
}

/** What a stream replicates, names split at their only dot. */
export function selectionOf(stream: StreamConfig): Selection {
  return { databases: stream.databases, include: stream.include.map(tableNameOf), exclude: stream.exclude.map(tableNameOf) };
}

/** `database.table` as two names; the schema has checked that there is exactly one dot. */
export function tableNameOf(text: string): TableName {
  const [database = '', table = ''] = text.split('.');
  return { database, table };
}
