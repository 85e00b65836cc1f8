/** Foreign-key facts as they come over the wire: checked before anything is decided by them. Pure. */
import { z } from 'zod';
import { SrdfError } from '../../temporal/error-catalogue.js';
import type { ForeignKeyFact } from '../engines/engine.js';

const tableName = z.object({ database: z.string(), table: z.string() });
const facts = z.array(z.object({ child: tableName, parent: tableName, parentColumns: z.array(z.string()), cascades: z.boolean() }));

/** Throws `receiver-refused` when the text isn't a list of facts. */
export function parseForeignKeys(text: string, tried: string): readonly ForeignKeyFact[] {
  try {
    return facts.parse(JSON.parse(text));
  } catch (cause) {
    throw new SrdfError('receiver-refused', {
      tried,
      found: 'the answer is not a list of foreign keys',
      action: 'Both sites must run versions of SRDF that know each other',
      cause,
    });
  }
}
