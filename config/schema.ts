/** The one config of a pair, `srdf.yaml`. The validator is the truth: the JSON schema for editors is generated from it. */
import { z } from 'zod';

const NAME = 'lower-case letters, digits and dashes, a letter first, at most 40';
const name = z.string(NAME).regex(/^[a-z][a-z0-9-]{0,39}$/, NAME);

const DURATION = 'a number and ms, s, m or h, such as 30s';
/** `30s`, `500ms`, `2m` → milliseconds. */
const duration = z
  .string(DURATION)
  .regex(/^\d+(ms|s|m|h)$/, DURATION)
  .transform((text) => {
    const [, digits = '0', unit = 's'] = /^(\d+)(ms|s|m|h)$/.exec(text) ?? [];
    return Number(digits) * { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }[unit as 'ms' | 's' | 'm' | 'h'];
  });
const EVERY = `${DURATION}, or continuous`;
/** The same, or `continuous`: the stream stays on the log. */
const every = z
  .string(EVERY)
  .regex(/^(continuous|\d+(ms|s|m|h))$/, EVERY)
  .transform((text) => (text === 'continuous' ? text : duration.parse(text)));
const SIZE = 'a number and KiB, MiB or GiB, such as 8MiB';
/** `8MiB`, `20GiB` → bytes. */
const size = z
  .string(SIZE)
  .regex(/^\d+(KiB|MiB|GiB)$/, SIZE)
  .transform((text) => {
    const [, digits = '0', unit = 'MiB'] = /^(\d+)(KiB|MiB|GiB)$/.exec(text) ?? [];
    return Number(digits) * { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 }[unit as 'KiB' | 'MiB' | 'GiB'];
  });
/** Never inline: the name of an environment variable, or a file that only its owner may read. */
const secret = z.union([z.strictObject({ env: z.string().min(1) }), z.strictObject({ file: z.string().min(1) })]);

const server = z
  .strictObject({
    host: z.string().min(1).optional(),
    port: z.int().min(1).max(65_535).default(3306),
    socket: z.string().min(1).optional(),
    user: z.string().min(1),
    password: secret.optional(),
    /** `verify`: the server's certificate must be valid for `host`; `ca` names a file. */
    tls: z.strictObject({ ca: z.string().optional(), servername: z.string().optional() }).optional(),
  })
  .refine((it) => (it.host === undefined) !== (it.socket === undefined), 'either host or socket');

const tableName = z.string('database.table').regex(/^[^.]+\.[^.]+$/, 'database.table');

const stream = z.strictObject({
  name,
  engine: z.enum(['mariadb', 'mysql', 'postgres', 'oracle']),
  source: server,
  target: server,
  databases: z.array(z.string().min(1)).min(1),
  include: z.array(tableName).default([]),
  exclude: z.array(tableName).default([]),
  /** Tables copied first at bootstrap, in this order. */
  priority: z.array(tableName).default([]),
  every: every.default(30_000),
  wagon: z.strictObject({ changes: z.int().min(1).default(20_000), bytes: size.default(8 * 2 ** 20) }).prefault({}),
  bootstrap: z.strictObject({ rowsPerRange: z.int().min(1).default(200_000), parallel: z.int().min(1).max(16).default(4) }).prefault({}),
  /** The source server's replica id for our reader; unique among its replicas. Default: derived from the pair and stream. */
  serverId: z.int().min(1).max(4_294_967_295).optional(),
});

const site = z.strictObject({
  name,
  /** Spool or inbox, and the journal: a folder of this site's own disk. */
  state: z.string().min(1),
  /** The site's key ring (`srdf keys generate`): files 0600. */
  keys: z.string().min(1),
  /** The most the spool or inbox may hold. */
  maxBytes: size.default(20 * 2 ** 30),
});

const pairShape = z.strictObject({
  pair: name,
  temporal: z
    .strictObject({
      address: z.string().optional(),
      namespace: z.string().optional(),
      profile: z.string().optional(),
      ui: z.string().optional(),
      payloadKey: secret.optional(),
    })
    .prefault({}),
  source: site,
  target: site.extend({
    receiver: z.strictObject({ listen: z.string().default('0.0.0.0:7443'), url: z.url() }),
  }),
  metrics: z.strictObject({ source: z.string().optional(), target: z.string().optional() }).prefault({}),
  streams: z.array(stream).min(1),
});

/** Databases of the servers themselves, and our own on the target: never replicated. */
const SYSTEM_DATABASES = new Set(['mysql', 'sys', 'information_schema', 'performance_schema', 'srdf']);

/** What one entry alone can't tell: rules between entries. */
export const configSchema = pairShape.superRefine((config, context) => {
  const refuse = (path: (string | number)[], message: string) => context.addIssue({ code: 'custom', path, message });
  if (config.source.name === config.target.name) refuse(['target', 'name'], "another name than the source site's");
  const names = new Set<string>();
  config.streams.forEach((it, index) => {
    const at = ['streams', index];
    if (names.has(it.name)) refuse([...at, 'name'], 'a name that no other stream has');
    names.add(it.name);
    it.databases.forEach((database, n) => {
      if (SYSTEM_DATABASES.has(database.toLowerCase())) {
        refuse([...at, 'databases', n], `a database of your own: ${[...SYSTEM_DATABASES].join(', ')} are never replicated`);
      }
    });
    for (const list of ['include', 'exclude', 'priority'] as const) {
      it[list].forEach((table, n) => {
        const database = table.slice(0, table.indexOf('.'));
        if (!it.databases.includes(database))
          refuse([...at, list, n], `a table of one of the stream's databases: ${it.databases.join(', ')}`);
      });
    }
    if (it.source.host !== undefined && it.source.host === it.target.host && it.source.port === it.target.port) {
      refuse([...at, 'target'], "another server than the source's");
    }
  });
});

export type SrdfConfig = z.output<typeof configSchema>;
export type StreamConfig = SrdfConfig['streams'][number];
export type ServerConfig = StreamConfig['source'];
export type SecretReference = z.output<typeof secret>;
