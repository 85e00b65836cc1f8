/** A site's key ring as an operator reads it: public facts only. Touches nothing. */
import { RENEWAL } from '../../activities/wagon/key-bundle.js';
import { type KeyEnd, tellKeyEnd } from '../../activities/wagon/key-lifetime.js';
import type { ShownKeys } from '../site-keys.js';
import { table } from './table.js';

export function renderKeys({ own, trusted, ending }: ShownKeys): string {
  const row = (what: string, it: ShownKeys['own']) => [what, it.site, it.role, it.validUntil.slice(0, 10), it.fingerprint];
  const rings = table(
    [{ title: '' }, { title: 'site' }, { title: 'role' }, { title: 'valid until' }, { title: 'fingerprint' }],
    [row('own', own), ...trusted.map((it) => row('trusted', it))],
  );
  return `${rings}${renderKeyEnds(ending)}`;
}

/** Empty when nothing ends soon. */
export function renderKeyEnds(ending: readonly KeyEnd[]): string {
  if (ending.length === 0) return '';
  return `\n${ending.map((it) => `keys: ${tellKeyEnd(it)}\n`).join('')}  ${'do'.padEnd(12)}${RENEWAL}\n`;
}
