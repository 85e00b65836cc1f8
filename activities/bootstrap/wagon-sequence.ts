/** Numbers of wagons that stand outside the stream's chain. Pure. */
import { createHash } from 'node:crypto';
import type { BootstrapId, Sequence, TableName } from '../vocabulary.js';
import type { SchemaStage } from '../wagon/body.js';

/**
 * 52 bits of a hash over what a wagon is about: the same wagon always has the same address, and no two that exist at once share
 * one (a million addresses would collide with a chance of 1 in 9,000, and even then the hash would be refused, not taken for the other).
 */
export function standaloneSequence(...about: readonly (string | number)[]): Sequence {
  const hash = createHash('sha256').update(JSON.stringify(about)).digest();
  return (1 + hash.readUIntBE(0, 6) * 16 + (hash.readUInt8(6) >> 4)) as Sequence;
}

/** Of a wagon with definitions. Tables that changed are described side by side, each for itself: `only` tells them apart. */
export const schemaSequence = (bootstrap: BootstrapId, stage: SchemaStage, round: number, only: readonly TableName[] = []): Sequence =>
  standaloneSequence('schema', bootstrap, stage, round, ...only.flatMap((it) => [it.database, it.table]));
