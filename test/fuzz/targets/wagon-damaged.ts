/** A sealed wagon that changed on its way: always refused. */
import { createHash } from 'node:crypto';
import { openWagon } from '../../../activities/wagon/open-wagon.js';
import { type FuzzTarget, Violation } from '../contract.js';
import { corpusFiles } from '../corpus.js';
import { EXPECTED, NOW, openingKeys } from '../known-keys.js';
import { mutateBytes, splice } from '../mutate-bytes.js';
import { WAGON_REFUSALS } from './wagon-refusals.js';

const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const wagons = corpusFiles('wagon').map((file) => file.bytes);
const honest = new Set(wagons.map(hashOf));

export const wagonDamaged: FuzzTarget = {
  name: 'wagon-damaged',
  refusals: WAGON_REFUSALS,
  corpus: () => wagons,
  mutate: (input, random) => (random.chance(6) ? splice(input, random.pick(wagons), random) : mutateBytes(input, random)),
  run: (input) => {
    openWagon(input, EXPECTED, openingKeys, NOW);
    if (!honest.has(hashOf(input))) throw new Violation('a changed wagon was opened');
  },
};
