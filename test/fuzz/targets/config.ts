/** `srdf.yaml`: an operator's mistake gets a typed error that says where, whatever the mistake. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseConfig } from '../../../config/load.js';
import type { FuzzTarget } from '../contract.js';
import { packageRoot } from '../corpus.js';
import { mutateText } from '../mutate-bytes.js';

const WORDS = [
  ':',
  '- ',
  '\n',
  '  ',
  '{',
  '}',
  '[',
  ']',
  '&a ',
  '*a',
  '!!binary ',
  '!!set ',
  '!!timestamp ',
  '? ',
  '|',
  '>',
  '"',
  "'",
  '#',
  '<<: ',
  '~',
  'null',
  '1e999',
  '0x',
  '.inf',
  '\t',
  '---\n',
  '...\n',
  '%YAML 1.1\n',
  '__proto__',
  'constructor',
  'streams',
  'source',
  'target',
  'databases',
  'every',
  '\u2028',
  '&a [*a, *a]',
  '&a [x,x,x,x,x,x,x,x,x,x,x,x]\n',
  '{a: *a}',
] as const;

/** Aliases of aliases: 9⁹ values. */
const MULTIPLYING = Array.from(
  { length: 9 },
  (_, i) => `k${i}: &k${i} [${Array.from({ length: 9 }, () => (i === 0 ? 'x' : `*k${i - 1}`)).join(', ')}]`,
).join('\n');

export const config: FuzzTarget = {
  name: 'config',
  refusals: new Set(['config-invalid']),
  corpus: () => {
    const example = readFileSync(join(packageRoot, 'srdf.example.yaml'));
    const short = example
      .toString()
      .split('\n')
      .filter((line) => !/^\s*(#|$)/.test(line))
      .join('\n');
    return [example, Buffer.from(short)];
  },
  mutate: (input, random) => {
    const text = mutateText(input, WORDS, random);
    return random.chance(20) ? Buffer.concat([text, Buffer.from(`\n${MULTIPLYING}\n`)]) : text;
  },
  run: (input) => {
    parseConfig(Buffer.from(input).toString('utf8'));
  },
};
