import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { configJsonSchema } from '../../config/json-schema.js';
import { loadConfig } from '../../config/load.js';

const root = resolve(import.meta.dirname, '../..');

describe('files that come with the program', () => {
  it('srdf.schema.json is what the validator says now (vitest -u writes it anew)', async () => {
    await expect(configJsonSchema()).toMatchFileSnapshot(resolve(root, 'srdf.schema.json'));
  });

  it('srdf.example.yaml is a valid config and shows every entry that a config can have', async () => {
    await loadConfig(resolve(root, 'srdf.example.yaml'));
    const text = await readFile(resolve(root, 'srdf.example.yaml'), 'utf8');
    const entries = new Set<string>();
    const collect = (node: unknown): void => {
      if (typeof node !== 'object' || node === null) return;
      const { properties } = node as { properties?: Record<string, unknown> };
      for (const name of Object.keys(properties ?? {})) entries.add(name);
      for (const child of Object.values(node)) collect(child);
    };
    collect(JSON.parse(configJsonSchema()));
    expect(entries.size).toBeGreaterThan(25);
    const absent = [...entries].filter((name) => !new RegExp(`\\b${name}:`).test(text) && name !== 'servername');
    expect(absent).toEqual([]);
  });
});
