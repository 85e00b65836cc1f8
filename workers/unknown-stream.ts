/** What a site answers to a stream it has not opened. */
import type { StreamName } from '../activities/vocabulary.js';
import { streamOf } from '../config/load.js';
import type { SrdfConfig } from '../config/schema.js';

/** `streamOf` throws for a name the config doesn't have, and every name it has was opened. */
export function unknownStream(config: SrdfConfig, name: StreamName): never {
  streamOf(config, name);
  throw new Error(`stream ${name} was not opened`);
}
