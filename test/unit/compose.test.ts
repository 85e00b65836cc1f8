/** docker-compose.yml can't be run where there is no Docker engine: it is held against the compose schema, and against the files it names. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { execa } from 'execa';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { loadConfig } from '../../config/load.js';

interface Service {
  readonly image?: string;
  readonly build?: unknown;
  readonly command?: readonly string[];
  readonly depends_on?: Record<string, { readonly condition: string }>;
  readonly volumes?: readonly string[];
  readonly environment?: Record<string, string>;
}

const root = resolve(import.meta.dirname, '../..');
let services: Record<string, Service>;
beforeAll(async () => {
  // Debian's docker-compose needs no engine for this, and refuses what the compose schema doesn't allow.
  const { stdout } = await execa('docker-compose', ['--file', resolve(root, 'docker-compose.yml'), 'config'], { cwd: root });
  services = (parse(stdout) as { services: Record<string, Service> }).services;
});

describe('docker-compose.yml', () => {
  it('starts Temporal with its schema and UI, two databases and a worker for each site', () => {
    const images = Object.values(services).map((it) => it.image);
    for (const image of ['temporalio/server', 'temporalio/admin-tools', 'temporalio/ui', 'postgres', 'mariadb']) {
      expect(images.some((it) => it?.startsWith(`${image}:`))).toBe(true);
    }
    const workers = Object.values(services).flatMap((it) => (it.command?.[0] === 'worker' ? [it.command[1]] : []));
    expect(workers.sort()).toEqual(['source', 'target']);
  });

  it("pins every image it doesn't build itself", () => {
    for (const [name, { image }] of Object.entries(services)) expect(image, name).toMatch(/:\d+(\.\d+)*$/);
  });

  it('waits only for services that there are, and mounts only files that there are', () => {
    for (const [name, service] of Object.entries(services)) {
      for (const other of Object.keys(service.depends_on ?? {})) expect(Object.keys(services), name).toContain(other);
      for (const volume of service.volumes ?? []) {
        const [from = ''] = volume.split(':');
        if (from.startsWith('/')) expect(existsSync(from), `${name}: ${from}`).toBe(true);
      }
    }
  });

  it.each(['source', 'target'] as const)('gives the account of the %s what the README does, and no more', async (side) => {
    const statements = (text: string): readonly string[] =>
      text
        .replaceAll(/--.*$/gm, '')
        .split(';')
        .map((it) => it.trim().replace(/IDENTIFIED BY '.*'/, 'IDENTIFIED BY …'))
        .filter((it) => /^(CREATE USER|GRANT)\b/.test(it));
    const readme = await readFile(resolve(root, 'README.md'), 'utf8');
    const [, block = ''] = new RegExp(`<!-- test: sql ${side} mariadb -->\n\`\`\`sql\n(.*?)\`\`\``, 's').exec(readme) ?? [];
    const wanted = statements(block);
    expect(wanted.length).toBeGreaterThan(3);
    expect(statements(await readFile(resolve(root, `deploy/compose/${side}.sql`), 'utf8'))).toEqual(wanted);
  });

  it('gives the workers a config that is valid, whose secrets and hosts are in the file', async () => {
    const config = await loadConfig(resolve(root, 'deploy/compose/srdf.yaml'));
    const worker = services['source-worker'];
    for (const stream of config.streams) {
      for (const side of [stream.source, stream.target]) {
        expect(Object.keys(services)).toContain(side.host);
        if (side.password && 'env' in side.password) expect(Object.keys(worker?.environment ?? {})).toContain(side.password.env);
      }
    }
    expect(Object.keys(services)).toContain(new URL(config.target.receiver.url).hostname);
    expect(Object.keys(services)).toContain(config.temporal.address?.split(':')[0]);
  });
});
