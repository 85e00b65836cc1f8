/** A site's key ring as an operator reads it: public facts only. Touches nothing. */
import type { ShownKeys } from '../site-keys.js';
import { table } from './table.js';

export function renderKeys({ own, trusted }: ShownKeys): string {
  const row = (what: string, it: ShownKeys['own']) => [what, it.site, it.role, it.validUntil.slice(0, 10), it.fingerprint];
  return table(
    [{ title: '' }, { title: 'site' }, { title: 'role' }, { title: 'valid until' }, { title: 'fingerprint' }],
    [row('own', own), ...trusted.map((it) => row('trusted', it))],
  );
}
